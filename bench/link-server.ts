import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export type LinkServer = { url: string; close(): Promise<void> };

/**
 * What pods without Pristine fetch from and upload to: `GET /in/<n>` streams the n-th file, `PUT /out/<run>/<n>/<name>`
 * writes one below `folder`. No signatures, no index, no receipts: only the transfer itself.
 */
export async function startLinkServer(
  host: string,
  folder: string,
  inputs: readonly string[],
): Promise<LinkServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, side, ...rest] = (request.url ?? '').split('/');
    const input = inputs[Number(rest[0])];
    if (request.method === 'GET' && side === 'in' && input !== undefined) {
      await pipeline(createReadStream(input), response);
      return;
    }
    if (
      request.method === 'PUT' &&
      side === 'out' &&
      rest.every((part) => /^[a-z0-9][a-z0-9.-]*$/.test(part))
    ) {
      const target = join(folder, ...rest);
      await mkdir(join(target, '..'), { recursive: true });
      await pipeline(request, createWriteStream(target));
      response.writeHead(201).end();
      return;
    }
    response.writeHead(404).end();
  };
  const server = createServer((request, response) => {
    // A pod that is deleted in the middle of a transfer: whoever waits for the pod tells what is missing then.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
