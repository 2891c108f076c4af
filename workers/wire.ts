/** The composition root: drivers made from the configuration, closed in the reverse order. */
import { Client, type Connection } from '@temporalio/client';
import type { Dependencies } from '../activities/dependencies.ts';
import { openDestination } from '../drivers/destination/open-destination.ts';
import { DriverError } from '../drivers/errors.ts';
import type { Logger } from '../drivers/events.ts';
import type { LinkSigner } from '../drivers/ports.ts';
import { createS3Client } from '../drivers/s3/client.ts';
import { openSource } from '../drivers/source/open-source.ts';
import { createLinkSigner } from '../fileserver/links.ts';
import type { WorkerConfig } from './config.ts';
import { dataConverterOf } from './data-converter.ts';
import { openIndex } from './open-index.ts';
import { openPods } from './open-pods.ts';

export type Wired = { deps: Dependencies; close: () => Promise<void> };

/** Makes every driver. Nothing is contacted yet: the ports' checks and the readiness probe tell. */
export function wire(
  config: WorkerConfig,
  connection: Connection,
  logger: Logger,
  searchAttributes: boolean,
): Wired {
  const client = new Client({
    connection,
    namespace: config.temporal.namespace,
    ...dataConverterOf(config),
  });
  const { index, locks, seen, memory, close: closeIndex } = openIndex(config, logger);
  const s3 = createS3Client(config.s3);
  const places = { roots: config.files.roots, signer: linkSigner(config), s3 };
  const destinations = { ...places, singleWriter: config.singleWriter, log: logger };
  const pods = openPods(config, logger);
  const deps: Dependencies = {
    openSource: (url) => openSource(url, places),
    openDestination: (url) => openDestination(url, destinations),
    index,
    locks,
    seen,
    memory,
    pods,
    profiles: config.profiles,
    client,
    logger,
    settings: { ...config.timing, searchAttributes },
  };
  return {
    deps,
    close: async () => {
      await pods.close();
      await closeIndex();
      s3.destroy();
    },
  };
}

/** Without a file server there is nobody to honour a link to a folder. */
function linkSigner(config: WorkerConfig): LinkSigner {
  const { url, linkKeys } = config.fileServer;
  if (url !== undefined && linkKeys !== undefined) return createLinkSigner({ baseUrl: url, keys: linkKeys });
  return {
    sign: () => {
      throw new DriverError(
        'config.invalid',
        'Folders need the file server: set PRISTINE_FILE_SERVER_URL and PRISTINE_LINK_KEYS.',
        { retryable: false },
      );
    },
  };
}
