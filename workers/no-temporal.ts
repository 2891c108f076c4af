import { once } from 'node:events';
import { connect } from 'node:tls';
import { certificateTrouble } from '../drivers/certificate-trouble.ts';
import type { TemporalOptions } from './temporal-options.ts';

/** Milliseconds in which a TLS handshake ends in any way that can be told. */
const HANDSHAKE_MS = 1_500;

/**
 * Why there is no connection to Temporal, for a person. The SDK's own words are that a deadline passed, so the
 * handshake is tried once more to see what is wrong with a certificate.
 */
export async function noTemporal(options: TemporalOptions, cause: unknown): Promise<Error> {
  const trouble = certificateTrouble(await handshakeError(options));
  const words =
    trouble === undefined
      ? `Temporal does not answer at ${options.address}.`
      : `Temporal at ${options.address} can't be used: ${trouble}.`;
  return new Error(words, { cause });
}

async function handshakeError({ address, tls }: TemporalOptions): Promise<unknown> {
  if (tls === undefined) return undefined;
  const { hostname, port } = new URL(`https://${address}`);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 443),
    ALPNProtocols: ['h2'],
    timeout: HANDSHAKE_MS,
    ...('serverRootCACertificate' in tls ? { ca: tls.serverRootCACertificate } : {}),
    ...('clientCertPair' in tls ? { cert: tls.clientCertPair.crt, key: tls.clientCertPair.key } : {}),
  });
  try {
    const late = once(socket, 'timeout');
    await Promise.race([once(socket, 'secureConnect'), late]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    socket.destroy();
  }
}
