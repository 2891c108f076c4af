/** The composition root: drivers made from the configuration, closed in the reverse order. */
import { Client, type Connection } from '@temporalio/client';
import type { Dependencies } from '../activities/dependencies.ts';
import { openDestination } from '../drivers/destination/open-destination.ts';
import { DriverError } from '../drivers/errors.ts';
import type { Logger } from '../drivers/events.ts';
import { filePodManifest } from '../drivers/kubernetes/file-pod.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { createPods } from '../drivers/kubernetes/pods.ts';
import type { LinkSigner } from '../drivers/ports.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { closeRedis, connectRedis } from '../drivers/redis/connect.ts';
import { createRedisIndex } from '../drivers/redis/index.ts';
import { createRedisLocks } from '../drivers/redis/locks.ts';
import { createRedisSeen } from '../drivers/redis/seen.ts';
import { createS3Client } from '../drivers/s3/client.ts';
import { openSource } from '../drivers/source/open-source.ts';
import { createLinkSigner } from '../fileserver/links.ts';
import type { WorkerConfig } from './config.ts';

export type Wired = { deps: Dependencies; close: () => Promise<void> };

/** Makes every driver. Nothing is contacted yet: the ports' checks and the readiness probe tell. */
export function wire(
  config: WorkerConfig,
  connection: Connection,
  logger: Logger,
  searchAttributes: boolean,
): Wired {
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const redis = connectRedis({ url: config.redis.url, log: logger });
  const s3 = createS3Client(config.s3);
  const places = { roots: config.files.roots, signer: linkSigner(config), s3 };
  const fingerprints = Object.values(config.profiles).map(profileFingerprint);
  const prefix = config.redis.keyPrefix;
  const pods = createPods({
    kubeConfig: loadKubeConfig(config.kubernetes.kubeconfig),
    settings: config.kubernetes,
    manifest: (request) => {
      const profile = config.profiles[request.profile.name];
      if (profile === undefined)
        throw new DriverError('config.invalid', 'No such profile.', { retryable: false });
      return filePodManifest(request, profile, config.kubernetes);
    },
    logger,
  });
  const deps: Dependencies = {
    openSource: (url) => openSource(url, places),
    openDestination: (url) => openDestination(url, places),
    index: createRedisIndex(redis, { prefix, ...config.bloom, profiles: fingerprints, log: logger }),
    locks: createRedisLocks(redis, { prefix }),
    seen: createRedisSeen(redis, { prefix }),
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
      await closeRedis(redis);
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
