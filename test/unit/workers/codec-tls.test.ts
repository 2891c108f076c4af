import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../../cluster/certificates.ts';
import { createCodecServer } from '../../../workers/codec-app.ts';
import { createAuthorizer } from '../../../workers/codec-authorizer.ts';
import { readCertificate, renewCertificate } from '../../../workers/codec-tls.ts';
import { recordingLog } from '../../contract/redis-connection.ts';
import { until } from '../../contract/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'pristine-codec-tls-'));
const files = { certFile: join(folder, 'used/tls.crt'), keyFile: join(folder, 'used/tls.key') };
const { log, lines } = recordingLog();

beforeAll(async () => {
  mkdirSync(join(folder, 'used'));
  await ensureAuthority(folder, 'ca');
  for (const file of ['first', 'second'])
    await ensureCertificate(folder, 'ca', { file, commonName: file, alternativeNames: ['IP:127.0.0.1'] });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const copy = (name: string, what: 'cert' | 'key') =>
  copyFileSync(certificateFiles(folder, name)[what], what === 'cert' ? files.certFile : files.keyFile);

/** The common name of what a server on this port shows, and the status of its answer. */
async function seenAt(port: number): Promise<{ shown: unknown; status: number | undefined }> {
  const ca = readFileSync(certificateFiles(folder, 'ca').cert);
  const asked = request({ host: '127.0.0.1', port, path: '/healthz', ca, agent: false }).end();
  const shown = once(asked, 'socket').then(async ([socket]) => {
    await once(socket, 'secureConnect');
    return socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : undefined;
  });
  const [answer] = await once(asked, 'response');
  answer.resume();
  return { shown: await shown, status: answer.statusCode };
}

test('it speaks TLS, and takes a certificate that replaces its own, once it is whole', async () => {
  copy('first', 'cert');
  copy('first', 'key');
  const certificate = await readCertificate(files);
  const authorize = createAuthorizer({ token: 't'.repeat(32), jwt: undefined });
  const codec = { encode: async () => [], decode: async () => [] };
  const settings = { codec, namespace: 'default', authorize, origins: [], logger: log };
  const server = createCodecServer(settings, certificate).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const renewing = renewCertificate(server, files, certificate, log, 10);
  try {
    expect(await seenAt(port)).toEqual({ shown: 'first', status: 200 });

    copy('second', 'cert');
    await until(() => lines.some(({ event }) => event === 'certificate.refused'));
    expect(await seenAt(port)).toEqual({ shown: 'first', status: 200 });

    copy('second', 'key');
    await until(async () => (await seenAt(port)).shown === 'second');
    expect(lines.filter(({ event }) => event === 'certificate.renewed')).toHaveLength(1);
  } finally {
    renewing.stop();
    server.closeAllConnections();
    server.close();
  }
}, 60_000);
