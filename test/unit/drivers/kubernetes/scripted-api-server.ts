import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export type SeenRequest = { method: string; path: string; query: URLSearchParams; body: unknown };
export type Answer =
  | { status?: number; json?: unknown; text?: string; headers?: Record<string, string> }
  | ((response: ServerResponse, request: IncomingMessage) => void);

/** An API server that answers what a test says, on a loopback port, and remembers what it was asked. */
export async function scriptedApiServer(answer: (request: SeenRequest) => Answer) {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://server');
      const text = Buffer.concat(chunks).toString();
      const seen = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        body: text === '' ? undefined : JSON.parse(text),
      };
      requests.push(seen);
      const given = answer(seen);
      if (typeof given === 'function') return given(response, request);
      response.writeHead(given.status ?? 200, { 'content-type': 'application/json', ...given.headers });
      response.end(given.text ?? JSON.stringify(given.json ?? {}));
    });
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'scripted', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'tester', token: 'secret-token' },
  );
  return {
    kubeConfig,
    requests,
    get connections() {
      return connections;
    },
    get openSockets() {
      return sockets.size;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A metav1.Status. */
export function failure(
  code: number,
  reason: string,
  message: string,
  details: Record<string, unknown> = {},
): Answer {
  return { status: code, json: { kind: 'Status', status: 'Failure', code, reason, message, details } };
}
