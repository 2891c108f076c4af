/** The codec server's own certificate. Who issues it replaces its files before it expires: the server takes the new ones. */
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:tls';
import { EVENT, type Logger } from '../drivers/events.ts';

export type CertificateFiles = { certFile: string; keyFile: string };
export type Certificate = { cert: string; key: string };

/** Between two looks at the files. */
const LOOK_MS = 60_000;

export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key };
}

/** Gives `server` what the files hold whenever that changes; what can't be used is told, and the one before stays. */
export function renewCertificate(
  server: Pick<Server, 'setSecureContext'>,
  files: CertificateFiles,
  used: Certificate,
  logger: Logger,
  everyMs = LOOK_MS,
): { stop: () => void } {
  let last = used;
  const look = async () => {
    try {
      const found = await readCertificate(files);
      if (found.cert === last.cert && found.key === last.key) return;
      // Throws for a pair that does not match, which it is for a moment while both are replaced.
      server.setSecureContext(found);
      last = found;
      logger.info({ event: EVENT.certificateRenewed }, 'the certificate was renewed');
    } catch (err) {
      logger.warn({ event: EVENT.certificateRefused, err }, "the certificate can't be renewed");
    }
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
