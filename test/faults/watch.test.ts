/** A watch that misbehaves, between the driver and the real API server: no end of a pod is lost, nothing leaks. */
import { readdirSync, readlinkSync } from 'node:fs';
import { Transform } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { secondApiServer } from '../../cluster/own-servers/second-api-server.ts';
import { httpPodFeed } from '../../drivers/kubernetes/http-pod-feed.ts';
import { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import { NAMESPACE } from '../contract/cluster-pods.ts';
import { until } from '../contract/until.ts';
import { type Bay, inPhase, openBay } from './drivers.ts';
import type { ProxiedRequest } from './http-fault-proxy.ts';

let bay: Bay;
beforeAll(async () => {
  bay = await openBay();
}, 600_000);
afterAll(() => bay?.close(), 120_000);

const isWatch = ({ query }: ProxiedRequest) => query.get('watch') === 'true';
const WELL = { kind: 'uploaded', exitCodes: { fetch: 0, engine: 0, upload: 0 } };

test.each(['stalled', 'half-open'] as const)(
  'F16 a watch that is %s, with its socket open, is noticed and loses no end of a pod',
  async (weather) => {
    // One watch for the whole test: it is open when an event has come through it.
    const { proxy, pods, logger } = await bay.behindWeather({ watch: { watchSeconds: 60 } });
    const ref = await pods.create(bay.request('rebuild'));
    const { outcome } = await inPhase(pods, ref, 'engine');
    proxy.turn(weather);
    expect(await outcome).toMatchObject(WELL);
    expect(logger.events).toContain('watch.stalled');
  },
);

test('F16 410 as the status of a watch: a new list, and no end is lost', async () => {
  const { proxy, pods, logger } = await bay.behindFaults();
  let refused = 0;
  proxy.meet((request) =>
    isWatch(request) && refused++ < 3
      ? { status: 410, body: JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired' }) }
      : undefined,
  );
  expect(await pods.await(await pods.create(bay.request('rebuild')))).toMatchObject(WELL);
  expect(logger.events.filter((event) => event === 'watch.expired').length).toBeGreaterThanOrEqual(3);
});

test('F16 410 as an event of a watch: a new list, and no end is lost', async () => {
  const { proxy, pods, logger } = await bay.behindFaults();
  const gone = { type: 'ERROR', object: { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' } };
  let expired = 0;
  proxy.meet((request) =>
    isWatch(request) && expired++ < 3 ? { status: 200, body: `${JSON.stringify(gone)}\n` } : undefined,
  );
  expect(await pods.await(await pods.create(bay.request('rebuild')))).toMatchObject(WELL);
  expect(logger.events.filter((event) => event === 'watch.expired').length).toBeGreaterThanOrEqual(3);
});

test('F16 a resource version of long ago, on an API server that is too young to know it', async () => {
  const server = await secondApiServer(bay.options.kubeConfig);
  const api = new KubeApi(server.kubeConfig);
  try {
    const selector = filePodSelector(bay.instance);
    const feed = httpPodFeed(api, { namespace: NAMESPACE, selector, pageSize: 1, watchSeconds: 5 });
    const read = async () => {
      for await (const _ of feed.watch('1', new AbortController().signal));
    };
    await expect(read()).rejects.toMatchObject({ name: 'FeedExpired' });
  } finally {
    api.close();
    await server.close();
  }
});

/** Hands the lines on as `act` says; the last of a stream may have no end. */
function byLine(act: (line: string, push: (text: string) => void) => void): () => Transform {
  return () => {
    let rest = '';
    return new Transform({
      transform(chunk: Buffer, _, done) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) act(line, (text) => this.push(text));
        done();
      },
    });
  };
}

test.each<[string, () => () => Transform, number?]>([
  ['repeated', () => byLine((line, push) => push(`${line}\n${line}\n`))],
  [
    'reordered and repeated late',
    () => {
      const seen: string[] = [];
      return byLine((line, push) => {
        seen.push(line);
        // The newest first, then all that there were, the oldest last.
        for (const one of seen.toReversed()) push(`${one}\n`);
      });
    },
  ],
  [
    'truncated, all that show an end',
    () => byLine((line, push) => push(`${line.includes('"terminated"') ? line.slice(0, 500) : line}\n`)),
  ],
  [
    'lost, all that show an end',
    () => byLine((line, push) => !line.includes('"terminated"') && push(`${line}\n`)),
    // Only a new list can tell.
    3_000,
  ],
])('F16 events that are %s: each pod ends once, as it did', async (_, make, relistMs = 300_000) => {
  const { proxy, pods } = await bay.behindFaults({ watch: { relistMs } });
  const through = make();
  proxy.meet((request) => (isWatch(request) ? { through } : undefined));
  const refs = [];
  for (const behaviour of ['rebuild', 'crash', 'refuse'] as const)
    refs.push(await pods.create(bay.request(behaviour)));
  const outcomes = await Promise.all(refs.map((ref) => pods.await(ref)));
  expect(outcomes.map((one) => (one.kind === 'uploaded' ? one.report.verdict : one.kind))).toEqual([
    'rebuilt',
    'failed',
    'refused',
  ]);
});

test('F16 a thousand reconnects leave no socket behind, and the watch still works', async () => {
  const { proxy, pods } = await bay.behindFaults({ watch: { backoffMs: [1, 2] } });
  const ways = [
    'cut',
    { status: 500 },
    { status: 200, body: '{"type":"ADDED","object":{"cut' },
    { status: 410, body: '{"code":410}' },
  ] as const;
  const nothing = { status: 200, body: JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }) };
  let watches = 0;
  proxy.meet((request) => {
    if (request.method !== 'GET' || watches >= 1_000) return undefined;
    // The API server has better to do than to list a thousand times.
    return isWatch(request) ? ways[watches++ % ways.length] : nothing;
  });
  const before = sockets();
  await pods.create(bay.request('hang'));
  await until(() => watches === 1_000);
  // A connection or two of ours, each with both its ends here, and the proxy's own to the API server.
  expect(sockets() - before).toBeLessThanOrEqual(12);
  expect(await pods.await(await pods.create(bay.request('rebuild')))).toMatchObject(WELL);
  await pods.close();
  await proxy.close();
  await until(() => sockets() <= before);
}, 600_000);

/** Sockets of this process that are open now. */
function sockets(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // It was that of the folder itself.
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}
