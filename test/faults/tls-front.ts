/** TLS in front of a server that speaks none, with a certificate that the test lets expire and renews. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../cluster/certificates.ts';

const run = promisify(execFile);

export type TlsFront = {
  port: number;
  /** PEM file of the authority that signed both certificates. */
  ca: string;
  /** From now on it shows the one that is over, and whoever is connected must come anew. */
  expire(): void;
  renew(): void;
  close(): Promise<void>;
};

/** On a port of its own on 127.0.0.1; begins with a good certificate. */
export async function tlsFront(target: { host: string; port: number }): Promise<TlsFront> {
  const folder = mkdtempSync(join(tmpdir(), 'pristine-tls-'));
  await ensureAuthority(folder, 'ca');
  const subject = { file: 'good', commonName: 'front', alternativeNames: ['IP:127.0.0.1'] };
  await ensureCertificate(folder, 'ca', subject);
  const [ca, good] = [certificateFiles(folder, 'ca'), certificateFiles(folder, 'good')];
  const over = await signExpired(folder, ca, good.key);
  const read = (cert: string) => ({ cert: readFileSync(cert), key: readFileSync(good.key) });

  const open = new Set<Socket>();
  const server = createServer({ ...read(good.cert), ALPNProtocols: ['h2', 'http/1.1'] }, (client) => {
    const behind = connect(target.port, target.host);
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  // Whoever sees the certificate hangs up.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    ca: ca.cert,
    expire() {
      server.setSecureContext(read(over));
      cut();
    },
    renew: () => server.setSecureContext(read(good.cert)),
    async close() {
      server.close();
      cut();
      rmSync(folder, { recursive: true });
    },
  };
}

async function signExpired(folder: string, ca: { cert: string; key: string }, key: string): Promise<string> {
  const [request, extensions, cert] = [
    join(folder, 'over.csr'),
    join(folder, 'over.ext'),
    join(folder, 'over.crt'),
  ];
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n');
  await run('openssl', ['req', '-new', '-key', key, '-subj', '/CN=front', '-out', request]);
  await run('openssl', [
    ...['x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial'],
    ...['-days', '-1', '-extfile', extensions, '-out', cert],
  ]);
  return cert;
}
