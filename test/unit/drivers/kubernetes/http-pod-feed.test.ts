import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { httpPodFeed, watchEvents } from '../../../../drivers/kubernetes/http-pod-feed.ts';
import { KubeApi } from '../../../../drivers/kubernetes/kube-api.ts';
import type { PodEvent } from '../../../../drivers/kubernetes/pod-feed.ts';
import { podJson } from './pod-json.ts';
import { failure, scriptedApiServer } from './scripted-api-server.ts';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function collect(events: AsyncIterable<PodEvent>): Promise<PodEvent[]> {
  const all: PodEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const added = line('ADDED', podJson({ name: 'ä漢', resourceVersion: 7 }));

describe('a stream of events', () => {
  const read = (...chunks: (string | Uint8Array)[]) =>
    collect(watchEvents(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))));

  test('is read whatever the chunks are', async () => {
    const bytes = Buffer.from(`${added}\n${line('DELETED', podJson({ resourceVersion: 8 }))}`);
    for (const size of [1, 7, bytes.length]) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(await read(...chunks)).toMatchObject([
        { type: 'present', pod: { name: 'ä漢', resourceVersion: '7' } },
        { type: 'deleted', pod: { name: 'pod-1', resourceVersion: '8' } },
      ]);
    }
  });

  test('has bookmarks; what is unknown is left out', async () => {
    const bookmark = { kind: 'Pod', metadata: { resourceVersion: '9', creationTimestamp: null } };
    expect(await read(line('BOOKMARK', bookmark), line('NEWS', {}))).toEqual([
      { type: 'bookmark', resourceVersion: '9' },
    ]);
  });

  test.each([
    ['410 Expired', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }],
    ['410 Gone', { kind: 'Status', code: 410, reason: 'Gone' }],
  ])('expires with an ERROR event of %s', async (_, status) => {
    await expect(read(added, line('ERROR', status))).rejects.toMatchObject({ name: 'FeedExpired' });
  });

  test.each([
    ['another ERROR event', line('ERROR', { kind: 'Status', code: 500, message: 'etcdserver: no leader' })],
    ['an event that is cut', added.slice(0, 40)],
    ['an event that is cut and goes on', `${added.slice(0, 40)}\n${added}`],
    ['an event without a pod', line('MODIFIED', { metadata: {} })],
    ['what is no event', '[]\n'],
  ])('fails, and drops nothing in silence, with %s', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ name: 'KubeError' });
  });
});

describe('the feed over HTTP', () => {
  async function feedOn(answer: Parameters<typeof scriptedApiServer>[0], requestTimeoutMs = 5_000) {
    const server = await scriptedApiServer(answer);
    const api = new KubeApi(server.kubeConfig, { requestTimeoutMs, maxAnswerBytes: 2 ** 24 });
    const where = { namespace: 'files', selector: 'a=b,c=d', pageSize: 2, watchSeconds: 30 };
    closing.push(server.close, () => api.close());
    return { feed: httpPodFeed(api, where), server, api };
  }
  const signal = () => new AbortController().signal;

  test('lists a page at a time, from the newest state', async () => {
    const { feed, server } = await feedOn(({ query }) => ({
      json: {
        metadata: { resourceVersion: '5', ...(query.has('continue') ? {} : { continue: 'token' }) },
        items: [podJson({ name: query.get('continue') ?? 'first' })],
      },
    }));
    const first = await feed.list(undefined, signal());
    expect(first).toMatchObject({ resourceVersion: '5', next: 'token', pods: [{ name: 'first' }] });
    const second = await feed.list('token', signal());
    expect(second).toMatchObject({ next: undefined, pods: [{ name: 'token' }] });
    const [asked] = server.requests;
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({ labelSelector: 'a=b,c=d', limit: '2' });
  });

  test('watches with bookmarks and an end', async () => {
    const { feed, server } = await feedOn(() => ({ text: added }));
    expect(await collect(feed.watch('5', signal()))).toHaveLength(1);
    expect(Object.fromEntries(server.requests[0]?.query ?? [])).toEqual({
      labelSelector: 'a=b,c=d',
      watch: 'true',
      resourceVersion: '5',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '30',
    });
  });

  test('expires with a 410 status, listing and watching', async () => {
    const { feed } = await feedOn(() => failure(410, 'Expired', 'too old'));
    await expect(feed.list('token', signal())).rejects.toMatchObject({ name: 'FeedExpired' });
    await expect(collect(feed.watch('5', signal()))).rejects.toMatchObject({ name: 'FeedExpired' });
  });

  test('a watch may be silent for longer than a request may take', async () => {
    const { feed } = await feedOn(
      () => (response) => {
        response.writeHead(200).flushHeaders();
        setTimeout(() => response.end(added), 300);
      },
      100,
    );
    expect(await collect(feed.watch('5', signal()))).toHaveLength(1);
  });

  test('a watch whose head does not come is given up', async () => {
    const { feed } = await feedOn(() => () => undefined, 100);
    await expect(collect(feed.watch('5', signal()))).rejects.toMatchObject({ name: 'KubeError' });
  });

  test('a watch that is cut in the middle fails', async () => {
    const { feed } = await feedOn(() => (response) => {
      response.write(added);
      setTimeout(() => response.destroy(), 20);
    });
    await expect(collect(feed.watch('5', signal()))).rejects.toThrow();
  });

  test('a thousand watches, given up in the middle, leave no connection', async () => {
    const { feed, server, api } = await feedOn(() => (response) => {
      response.write(added);
    });
    for (let round = 0; round < 1_000; round++) {
      const abort = new AbortController();
      for await (const event of feed.watch('5', abort.signal)) {
        expect(event.type).toBe('present');
        if (round % 2 === 0) break;
        abort.abort();
        break;
      }
    }
    api.close();
    while (server.openSockets > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.openSockets).toBe(0);
    expect(server.connections).toBe(1_000);
  }, 30_000);

  test('a thousand watches that the server ends share one connection', async () => {
    const { feed, server } = await feedOn(() => ({ text: added }));
    for (let round = 0; round < 1_000; round++) await collect(feed.watch('5', signal()));
    expect(server.connections).toBeLessThanOrEqual(2);
  }, 30_000);

  test('after a silence no kept connection is used again', async () => {
    const { feed, server } = await feedOn(() => ({ text: added }));
    await collect(feed.watch('5', signal()));
    feed.reconnect?.();
    await collect(feed.watch('5', signal()));
    expect(server.connections).toBe(2);
  });
});
