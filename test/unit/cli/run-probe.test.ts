import { expect, test } from '@jest/globals';
import { runProbe } from '../../../cli/doctor/run-probe.ts';
import type { KubeApi } from '../../../drivers/kubernetes/kube-api.ts';
import { profileSchema } from '../../../drivers/profile.ts';

/** An API server whose pod never starts; `onGet` is told of each look. */
function probe(stop: AbortSignal, onGet: () => void = () => {}) {
  const calls: string[] = [];
  const api = {
    call: async ({ method }: { method: string }) => {
      calls.push(method);
      if (method === 'GET') onGet();
      return {};
    },
  } as unknown as KubeApi;
  const settings = { namespace: 'files', instance: 'here', podImage: 'pod:1' };
  const profile: [string, ReturnType<typeof profileSchema.parse>] = [
    'default',
    profileSchema.parse({ image: 'engine:1' }),
  ];
  const link = { url: 'http://doctor.invalid/', reached: () => false };
  const run = runProbe({ api, settings, profile, link, startSeconds: 3_600, stop });
  return run.then((found) => ({ how: found.how, calls }));
}

test('a probe that is interrupted deletes its pod at once', async () => {
  const stop = new AbortController();
  const began = Date.now();
  expect(await probe(stop.signal, () => setImmediate(() => stop.abort()))).toEqual({
    how: 'interrupted',
    calls: ['POST', 'GET', 'DELETE'],
  });
  expect(Date.now() - began).toBeLessThan(400);
});

test('one that was interrupted before makes no pod', async () => {
  expect(await probe(AbortSignal.abort())).toEqual({ how: 'interrupted', calls: [] });
});
