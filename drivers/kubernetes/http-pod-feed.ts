import { z } from 'zod';
import type { KubeApi } from './kube-api.ts';
import { KubeError, statusSchema } from './kube-error.ts';
import { FeedExpired, type PodEvent, type PodFeed, type PodPage } from './pod-feed.ts';
import { type SlimPod, slimPod } from './slim-pod.ts';

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/** etcd takes objects of 1.5 MB; a longer line is not an event. */
const MAX_LINE_BYTES = 8 * 2 ** 20;

/** Pods of one namespace that a label selector picks. The server ends each watch after `watchSeconds`. */
export function httpPodFeed(
  api: KubeApi,
  where: { namespace: string; selector: string; pageSize: number; watchSeconds: number },
): PodFeed {
  const path = `/api/v1/namespaces/${encodeURIComponent(where.namespace)}/pods`;

  async function list(next: string | undefined, signal: AbortSignal): Promise<PodPage> {
    // No resourceVersion: what comes is no older than this request, so what is not in it does not exist.
    const query = { labelSelector: where.selector, limit: where.pageSize, continue: next };
    const answer = await api.call({ method: 'GET', path, query, signal }).catch(expiredOr);
    const { metadata, items } = listSchema.parse(answer);
    return {
      pods: (items ?? []).map(slimPod).filter((pod): pod is SlimPod => pod !== null),
      resourceVersion: metadata.resourceVersion,
      next: metadata.continue || undefined,
    };
  }

  async function* watch(resourceVersion: string, signal: AbortSignal): AsyncGenerator<PodEvent> {
    const query = {
      labelSelector: where.selector,
      watch: true,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: where.watchSeconds,
    };
    // Whoever leaves the loop early, by whatever way, closes the connection: an IncomingMessage is iterated.
    yield* watchEvents(await api.open({ method: 'GET', path, query, signal }).catch(expiredOr));
  }

  return { list, watch, reconnect: () => api.dropIdleConnections() };
}

function expiredOr(error: unknown): never {
  throw error instanceof KubeError && error.status === 410 ? new FeedExpired() : error;
}

/**
 * The events of a watch's byte stream, one JSON object a line. Throws FeedExpired on an ERROR event of code 410,
 * KubeError on any other, and on a line that is cut or no event: what is dropped in silence is a pod that hangs.
 */
export async function* watchEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<PodEvent> {
  for await (const line of lines(chunks)) {
    const event = podEvent(line);
    if (event) yield event;
  }
}

function podEvent(line: string): PodEvent | null {
  const { type, object } = parseEvent(line);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const pod = slimPod(object);
      if (!pod) throw new KubeError({ message: 'A watch event without a pod.' });
      return { type: type === 'DELETED' ? 'deleted' : 'present', pod };
    }
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion: bookmarkSchema.parse(object).metadata.resourceVersion };
    case 'ERROR': {
      const status = statusSchema.safeParse(object).data;
      if (status?.code === 410 || status?.reason === 'Expired' || status?.reason === 'Gone')
        throw new FeedExpired();
      throw new KubeError({ status: status?.code, body: status, message: 'The watch ended with an error.' });
    }
    default:
      return null;
  }
}

function parseEvent(line: string): z.infer<typeof eventSchema> {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    throw new KubeError({ message: 'A watch event that can not be read.' });
  }
}

async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      const line = rest.toString('utf8', from, end).trim();
      from = end + 1;
      if (line !== '') yield line;
    }
    rest = rest.subarray(from);
    if (rest.length > MAX_LINE_BYTES) throw new KubeError({ message: 'A watch event longer than any pod.' });
  }
  if (rest.toString().trim() !== '') throw new KubeError({ message: 'A watch event was cut off.' });
}
