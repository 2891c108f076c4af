/** An HTTP server on loopback that answers request after request as a test says, and keeps what it got. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
export type Got = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };

export type ScriptedServer = {
  url: (path: string) => URL;
  /** Requests in order; `body` is complete once the request's handler has read it. */
  got: Got[];
  [Symbol.asyncDispose]: () => Promise<void>;
};

/** Answers the n-th request with the n-th handler, and all further ones with the last. */
export async function scriptedServer(...script: Handler[]): Promise<ScriptedServer> {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    const entry: Got = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.alloc(0),
    };
    got.push(entry);
    const handler = script[Math.min(got.length, script.length) - 1];
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        return;
      }
      entry.body = Buffer.concat(chunks);
    }
    await handler?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => new URL(`http://127.0.0.1:${port}${path}`),
    got,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const status =
  (code: number): Handler =>
  (_request, response) => {
    response.writeHead(code).end();
  };

export const bytes =
  (body: Uint8Array): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': body.length }).end(body);
  };
