/** Lines of a real scan as a container runtime writes them, and what Fluent Bit made of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const RECORDED = join(import.meta.dirname, 'recorded');

const suffix = `-${'c0'.repeat(32)}.log`;

/** `<pod>_<namespace>_<container>.log`; on a node the container's ID is in the name too. */
export function recordedFiles() {
  return readdirSync(RECORDED)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => ({ file: join(RECORDED, name), name: name.replace(/\.log$/, suffix) }));
}

/** Of each file its lines: those that the runtime has cut are put together, with the time of the first part. */
export function recordedLines() {
  return recordedFiles().flatMap(({ file, name }) => {
    const lines: string[] = [];
    let begun = '';
    for (const part of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const [, head = '', flag, text] = /^(\S+ \S+ )([PF]) (.*)$/s.exec(part) ?? [];
      begun = begun === '' ? `${head}F ${text}` : `${begun}${text}`;
      if (flag === 'P') continue;
      lines.push(begun);
      begun = '';
    }
    return lines.map((line) => ({ name, line }));
  });
}

const action = z.object({ create: z.object({ _index: z.string(), _id: z.string() }) });

/** Bodies of bulk requests as one line a document, in an order of their own. */
export function recordedDocuments(bodies: readonly string[]): string {
  const lines = bodies.flatMap((body) => body.split('\n').filter(Boolean));
  const sent: { stream: string; document: { '@timestamp'?: string } }[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const { create } = action.parse(JSON.parse(lines[at] ?? ''));
    sent.push({ stream: create._index, document: JSON.parse(lines[at + 1] ?? '') });
  }
  const order = ({ stream, document }: (typeof sent)[number]) => `${stream} ${document['@timestamp']}`;
  return sent
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map((one) => `${JSON.stringify(one)}\n`)
    .join('');
}
