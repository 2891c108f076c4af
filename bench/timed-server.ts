import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type TimedServer = {
  url: string;
  /** `performance.now()` when pod `n`'s last upload so far was answered. */
  lastUpload(n: number): number;
  close(): Promise<void>;
};

/** `GET /<n>` gives `content`; `PUT /<n>/<name>` takes an upload, keeps nothing but the time. */
export async function startTimedServer(host: string, content: string): Promise<TimedServer> {
  const uploads = new Map<number, number>();
  const server = createServer((request, response) => {
    const n = Number((request.url ?? '').split('/')[1]);
    request.resume().on('end', () => {
      if (request.method === 'GET') {
        response.end(content);
        return;
      }
      response.on('finish', () => uploads.set(n, performance.now()));
      response.writeHead(201).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    lastUpload(n) {
      const at = uploads.get(n);
      if (at === undefined) throw new Error(`Pod ${n} has uploaded nothing.`);
      return at;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
