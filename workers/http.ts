import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export type HttpOptions = {
  listen: { host: string; port: number };
  live: () => boolean;
  /** Each must resolve for the worker to be ready; its name goes into the answer when it does not. */
  ready: Readonly<Record<string, () => Promise<unknown>>>;
  registry: Registry;
  /** host:port where the Temporal SDK serves its own metrics; they are put after ours. */
  sdkMetrics?: string;
  /** Milliseconds after which a check that has not answered counts as failing. Default 5,000. */
  checkMs?: number;
};

type Answer = { status: number; body: string; type?: string };
const ok: Answer = { status: 200, body: 'ok\n' };

const CHECK_MS = 5_000;
const SDK_METRICS_MS = 2_000;

/** `/livez`, `/readyz` and `/metrics`. A check that fails or takes longer than 5 s makes it 503 with its name. */
export async function startHttp(options: HttpOptions): Promise<{ port: number; close: () => Promise<void> }> {
  const routes = new Map<string, () => Promise<Answer>>([
    ['/livez', async () => (options.live() ? ok : { status: 503, body: 'dead\n' })],
    [
      '/readyz',
      async () => {
        const failing = await failingChecks(options.ready, options.checkMs);
        return failing.length === 0 ? ok : { status: 503, body: failing.map((line) => `${line}\n`).join('') };
      },
    ],
    [
      '/metrics',
      async () => ({
        status: 200,
        body: `${await options.registry.metrics()}${await sdkMetrics(options.sdkMetrics)}`,
        type: options.registry.contentType,
      }),
    ],
  ]);
  const server = createServer(async (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const route = routes.get(path) ?? (async (): Promise<Answer> => ({ status: 404, body: 'not found\n' }));
    const answer = await route().catch((): Answer => ({ status: 500, body: 'error\n' }));
    response
      .writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain; charset=utf-8' })
      .end(answer.body);
  });
  server.listen(options.listen.port, options.listen.host);
  await once(server, 'listening');
  return {
    // With port 0 the system chose one.
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The check, not made again for so long after it has passed: readiness is asked for every few seconds. */
export function passedWithin(
  ms: number,
  check: () => Promise<unknown>,
  now: () => number = Date.now,
): () => Promise<void> {
  let passedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - passedAt < ms) return;
    const askedAt = now();
    await check();
    passedAt = askedAt;
  };
}

/** `name: reason` of each check that fails, in their order. */
export async function failingChecks(checks: HttpOptions['ready'], checkMs = CHECK_MS): Promise<string[]> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer in time')), checkMs);
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

/** Ours are worth having without the SDK's, so that its absence is a comment, not an error. */
async function sdkMetrics(address: string | undefined): Promise<string> {
  if (address === undefined) return '';
  try {
    const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(SDK_METRICS_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return await answer.text();
  } catch {
    return "# The Temporal SDK's own metrics could not be read.\n";
  }
}
