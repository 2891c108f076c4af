import { createServer } from 'node:http';
export async function startHttp(o: {
  listen: { host: string; port: number };
  ready: Record<string, () => Promise<unknown>>;
  [k: string]: unknown;
}) {
  const server = createServer(async (q, r) => {
    const bad: string[] = [];
    for (const [n, c] of Object.entries(o.ready)) await c().catch((e) => bad.push(`${n}: ${e.message}`));
    r.statusCode = bad.length ? 503 : 200;
    r.end(bad.join('\n'));
  });
  await new Promise<void>((ok) => server.listen(o.listen.port, o.listen.host, ok));
  return {
    close: async () => {
      server.close();
    },
  };
}
