/** Where no file pod must get to: a server of this process, and who came there. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Listener = {
  /** A link of its own for each who is to try. */
  link(): { url: string; reached(): boolean };
  close(): Promise<void>;
};

/** `port` 0 is any. Rejects when the address is not this machine's, or the port is taken. */
export async function openListener({ host, port }: { host: string; port: number }): Promise<Listener> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    seen.add(request.url ?? '');
    request.resume();
    // `fetch` takes that for an answer, and does not come again.
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // It listens on TCP.
  const at = server.address() as AddressInfo;
  const base = `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
  return {
    link() {
      const path = `/${randomUUID()}`;
      return { url: `${base}${path}`, reached: () => seen.has(path) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
