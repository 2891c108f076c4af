import type { AddressInfo, Socket } from 'node:net';
import { createConnection, createServer, isIP } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export type Weather =
  /** All goes through. */
  | 'fair'
  /** Connections that stand stay open and carry nothing; new ones work. */
  | 'stalled'
  /** Every connection is cut, and so is each new one. */
  | 'away'
  /** What we send arrives; no answer comes back, and the connection is cut. */
  | 'no-answers';

/** A TCP proxy in front of the API server, whose weather a test makes. */
export async function apiProxy(kubeConfig: KubeConfig) {
  const cluster = kubeConfig.getCurrentCluster();
  const user = kubeConfig.getCurrentUser();
  if (!cluster || !user) throw new Error('no cluster');
  const target = new URL(cluster.server);
  const pairs = new Set<{ client: Socket; upstream: Socket; stalled: boolean }>();
  let weather: Weather = 'fair';
  let accepted = 0;

  const server = createServer((client) => {
    accepted++;
    if (weather === 'away') {
      client.destroy();
      return;
    }
    const upstream = createConnection(Number(target.port || 443), target.hostname);
    const pair = { client, upstream, stalled: false };
    pairs.add(pair);
    const end = () => {
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => {
      if (!pair.stalled) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!pair.stalled) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  const through = new KubeConfig();
  // The certificate is for the server's own name; an address is no server name (RFC 6066).
  const tlsServerName = cluster.tlsServerName ?? (isIP(target.hostname) ? undefined : target.hostname);
  through.loadFromClusterAndUser(
    { ...cluster, server: `https://127.0.0.1:${port}`, ...(tlsServerName && { tlsServerName }) },
    user,
  );
  return {
    kubeConfig: through,
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    turn(to: Weather): void {
      weather = to;
      for (const pair of pairs) {
        if (to === 'stalled') pair.stalled = true;
        if (to === 'away') pair.client.destroy();
        // TLS stands already on kept connections, so a request arrives whole.
        if (to === 'no-answers') {
          pair.upstream.removeAllListeners('data');
          pair.upstream.once('data', () => pair.client.destroy());
        }
      }
    },
    async close(): Promise<void> {
      for (const { client } of pairs) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
