import { readFile } from 'node:fs/promises';
import type { TemporalSettings } from './temporal-config.ts';

export type TemporalOptions = Awaited<ReturnType<typeof temporalOptions>>;

/** Connection options that @temporalio/client and @temporalio/worker both take. */
export async function temporalOptions({ temporal }: { temporal: Omit<TemporalSettings, 'namespace'> }) {
  const { address, apiKey, tls } = temporal;
  const read = (file: string | undefined) => (file === undefined ? undefined : readFile(file));
  const [ca, crt, key] = await Promise.all([read(tls?.caFile), read(tls?.certFile), read(tls?.keyFile)]);
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(ca === undefined ? {} : { serverRootCACertificate: ca }),
            ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
          },
        }),
  };
}
