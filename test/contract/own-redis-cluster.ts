/** A Redis Cluster of a test's own: three masters with an append-only file each, no replicas. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { loadBloom } from './redis-connection.ts';

export type OwnRedisCluster = {
  /** Two of the three nodes: the third is found. */
  url: string;
  /** The node that holds this key. */
  holderOf(key: string): Promise<OwnRedis>;
  close(): Promise<void>;
};

const SLOTS = 16_384;
const PASSWORD = 'cluster-password';

/** Started and formed. */
export async function startRedisCluster(): Promise<OwnRedisCluster> {
  const bloom = await loadBloom();
  const nodes: { server: OwnRedis; bus: number }[] = [];
  for (let i = 0; i < 3; i++) {
    const bus = await freePort('127.0.0.1');
    const args = [
      ...['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '1000'],
      ...['--requirepass', PASSWORD, '--masterauth', PASSWORD],
      ...['--appendonly', 'yes', '--appendfsync', 'always', ...bloom],
    ];
    nodes.push({ server: await ownRedis(args), bus });
  }
  const onNode = async <T>({ port }: OwnRedis, ask: (redis: Redis) => Promise<T>): Promise<T> => {
    const redis = new Redis({ host: '127.0.0.1', port, password: PASSWORD });
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  };

  await Promise.all(nodes.map(({ server }) => server.start()));
  for (const [i, { server }] of nodes.entries()) {
    await onNode(server, async (redis) => {
      const [from, to] = [i, i + 1].map((third) => Math.floor((SLOTS * third) / nodes.length));
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', from ?? 0, (to ?? SLOTS) - 1);
    });
  }
  // A node takes its epoch only before it knows another.
  const [meeting] = nodes;
  if (meeting === undefined) throw new Error('no nodes');
  await onNode(meeting.server, async (redis) => {
    for (const { server, bus } of nodes) await redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port, bus);
  });
  const formed = async ({ server }: { server: OwnRedis }) => {
    const info = await onNode(server, (redis) => redis.cluster('INFO'));
    return String(info).includes('cluster_state:ok') && String(info).includes('cluster_known_nodes:3');
  };
  while (!(await Promise.all(nodes.map(formed))).every(Boolean)) await sleep(50);

  const [first, second] = nodes.map(({ server }) => server.url.replace('//', `//:${PASSWORD}@`));
  return {
    url: `${first},${second}`,
    async holderOf(key) {
      for (const { server } of nodes) {
        const holds = await onNode(server, (redis) => redis.exists(key)).then(
          () => true,
          (error: Error) => error.message.startsWith('MOVED') && false,
        );
        if (holds) return server;
      }
      throw new Error('no node holds the key');
    },
    close: async () => {
      for (const { server } of nodes) await server.close();
    },
  };
}
