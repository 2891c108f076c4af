/**
 * What Fluent Bit makes of a line by the shipped configuration, step by step as helm/efk/files/fluent-bit.yaml has
 * it. Fluent Bit itself is in no package registry; test/integration/recorded/ holds what it made of lines when it was
 * run, and a test compares the two.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import { z } from 'zod';

const files = join(import.meta.dirname, '../../helm/efk/files');
const { parsers } = z
  .object({ parsers: z.array(z.object({ name: z.string(), regex: z.string().optional() })) })
  .parse(loadYaml(readFileSync(join(files, 'parsers.yaml'), 'utf8')));

/** The shipped expression. Onigmo's and JavaScript's are the same as far as these go. */
export function fileParser(name: string): RegExp {
  const regex = parsers.find((one) => one.name === name)?.regex;
  if (regex === undefined) throw new Error(`parsers.yaml has no expression ${name}`);
  return new RegExp(regex);
}

export type Document = Record<string, unknown> & { '@timestamp': string };
export type Sent = { stream: 'events' | 'engine'; document: Document };

/** One line of a file in /var/log/containers, whole: `<time> stdout F <text>`. */
export function documentOf(file: string, line: string, input: 'worker' | 'engine'): Sent {
  const [, time = '', text = ''] = /^(\S+) (?:stdout|stderr) F (.*)$/s.exec(line) ?? [];
  const origin = fileParser(input === 'worker' ? 'worker_file' : 'file_pod').exec(file)?.groups ?? {};
  const fields = input === 'worker' ? objectIn(text) : undefined;
  const { _p, stream, logtag, file: named, time: own, log, ...kept } = { ...fields, ...origin };
  const document = { '@timestamp': time, ...kept, ...(fields === undefined && { text }) };
  const toEngine = input === 'engine' || fields?.event === 'container.logged';
  return { stream: toEngine ? 'engine' : 'events', document };
}

/** The parser `worker_line`: what is no JSON object stays text. */
function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
