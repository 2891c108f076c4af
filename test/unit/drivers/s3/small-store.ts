/** An S3 store of a few objects in memory, which treats the condition of a PUT as it is told. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type FakeStore, failure, fakeStore } from './fake-store.ts';

export type SmallStore = FakeStore & {
  objects: Map<string, string>;
  /** Whether each PUT came with `If-None-Match`, in their order. */
  conditions: boolean[];
  behave(condition: StoreCondition): void;
};
export type StoreCondition = 'held' | 'ignored' | number;

/**
 * `held` is a good one; `ignored` replaces whatever is there; a number is the status with which it refuses a
 * request that has the header. With `blind` a HEAD sees nothing of what was written.
 */
export async function smallStore(atFirst: StoreCondition, blind = false): Promise<SmallStore> {
  let condition = atFirst;
  const objects = new Map<string, string>();
  const conditions: boolean[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const key = new URL(request.url ?? '/', 'http://store').pathname.replace('/bucket/', '');
    if (request.method === 'DELETE') {
      objects.delete(key);
      return response.writeHead(204).end();
    }
    if (request.method !== 'PUT') {
      const found = blind ? undefined : objects.get(key);
      if (found !== undefined) return response.writeHead(200, { 'content-length': found.length }).end(found);
      return request.method === 'HEAD'
        ? response.writeHead(404).end()
        : failure(404, 'NoSuchKey')(request, response);
    }
    const body = (await buffer(request)).toString();
    const conditional = request.headers['if-none-match'] === '*';
    conditions.push(conditional);
    if (conditional && typeof condition === 'number') {
      return failure(condition, 'NotImplemented')(request, response);
    }
    if (conditional && condition === 'held' && objects.has(key)) {
      return failure(412, 'PreconditionFailed')(request, response);
    }
    objects.set(key, body);
    return response.writeHead(200, { etag: '"e"' }).end();
  };
  const store = await fakeStore((request, response) => void answer(request, response));
  return {
    ...store,
    objects,
    conditions,
    behave(now) {
      condition = now;
    },
  };
}
