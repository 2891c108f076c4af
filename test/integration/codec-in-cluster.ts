/** The chart's codec server: Secrets of a test's own for it, and a question from a worker's pod, through its Service. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../cluster/certificates.ts';
import { tool } from './kubectl.ts';

export type CodecSecrets = Awaited<ReturnType<typeof codecSecrets>>;

const hostOf = (release: string) => `${release}-pristine-codec-server.${release}.svc`;

/** Makes them in the release's namespace. `values` name them. */
export async function codecSecrets(release: string) {
  const token = randomBytes(24).toString('hex');
  const certificate = await certificateFor(hostOf(release));
  const secrets = {
    codec: { 'codec-keys': `k1:${randomBytes(24).toString('hex')}` },
    'codec-server': { token },
    'codec-server-tls': certificate,
  };
  const items = Object.entries(secrets).map(([name, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData,
  }));
  const list = { apiVersion: 'v1', kind: 'List', items };
  await tool('kubectl', ['create', '-n', release, '-f', '-'], JSON.stringify(list));
  return {
    token,
    ca: certificate['ca.crt'],
    values: {
      temporal: { codec: { existingSecret: 'codec' } },
      codecServer: {
        enabled: true,
        token: { existingSecret: 'codec-server' },
        tls: { existingSecret: 'codec-server-tls' },
      },
    },
  };
}

async function certificateFor(host: string) {
  const folder = mkdtempSync(join(tmpdir(), 'pristine-codec-'));
  try {
    await ensureAuthority(folder, 'ca');
    const alternativeNames = [`DNS:${host}`];
    await ensureCertificate(folder, 'ca', { file: 'server', commonName: 'codec server', alternativeNames });
    const { cert, key } = certificateFiles(folder, 'server');
    const text = (file: string) => readFileSync(file, 'utf8');
    return {
      'ca.crt': text(certificateFiles(folder, 'ca').cert),
      'tls.crt': text(cert),
      'tls.key': text(key),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ASK = `
const [url, ca, token, body] = process.argv.slice(1);
const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json', 'x-namespace': 'default' };
const request = require('node:https').request(url, { method: 'POST', headers, ca }, async (answer) => {
  const text = (await answer.toArray()).join('');
  console.log(JSON.stringify({ status: answer.statusCode, text }));
});
request.end(body);
`;
const answerSchema = z.object({ status: z.number(), text: z.string() });
const decodedSchema = z.object({ payloads: z.tuple([z.looseObject({ data: z.base64() })]) });

/** What /decode answers to a pod of the Deployment `from`; of what it decoded, the text. */
export async function askToDecode(
  from: string,
  release: string,
  { token, ca }: Pick<CodecSecrets, 'token' | 'ca'>,
  { metadata, data }: Payload,
) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const sealed = {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]),
    ),
    data: base64(data ?? new Uint8Array()),
  };
  const said = await tool('kubectl', [
    ...['-n', release, 'exec', `deployment/${from}`, '--'],
    ...['/usr/local/bin/node', '-e', ASK, `https://${hostOf(release)}:8484/decode`],
    ...[ca, token, JSON.stringify({ payloads: [sealed] })],
  ]);
  const { status, text } = answerSchema.parse(JSON.parse(said));
  if (status !== 200) return { status, text };
  const { payloads } = decodedSchema.parse(JSON.parse(text));
  return { status, text: Buffer.from(payloads[0].data, 'base64').toString() };
}
