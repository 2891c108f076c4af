import { createServer } from 'node:http';
import type { Registry } from 'prom-client';

export type HttpOptions = {
  listen: { host: string; port: number };
  live: () => boolean;
  /** Each must resolve for the worker to be ready; its name goes into the answer when it does not. */
  ready: Readonly<Record<string, () => Promise<unknown>>>;
  registry: Registry;
};

const CHECK_MS = 5_000;

/** `/livez`, `/readyz` and `/metrics`. A check that fails or takes longer than 5 s makes it 503 with its name. */
export async function startHttp(options: HttpOptions): Promise<{ close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: string, type = 'text/plain') =>
      response.writeHead(status, { 'content-type': type }).end(body);
    try {
      if (request.url === '/livez') return answer(options.live() ? 200 : 503, '');
      if (request.url === '/metrics') {
        return answer(200, await options.registry.metrics(), options.registry.contentType);
      }
      if (request.url !== '/readyz') return answer(404, '');
      const failing = await failingChecks(options.ready);
      return answer(failing.length === 0 ? 200 : 503, failing.map((line) => `${line}\n`).join(''));
    } catch {
      return answer(500, '');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function failingChecks(checks: HttpOptions['ready']): Promise<string[]> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
      });
      try {
        await Promise.race([check(), late]);
        return undefined;
      } catch (error) {
        return `${name}: ${error instanceof Error ? error.message : error}`;
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return results.filter((line) => line !== undefined);
}
