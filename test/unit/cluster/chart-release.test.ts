import { expect, test } from '@jest/globals';
import { merged } from '../../../cluster/chart-release.ts';

test('values are changed section by section, lists as a whole, and the original stays', () => {
  const values = { workers: { pods: { replicas: 1 }, logLevel: 'info' }, extraEnv: [{ name: 'a' }] };
  const changes = { workers: { pods: { replicas: 2 } }, extraEnv: [], redis: { enabled: false } };
  expect(merged(values, changes)).toEqual({
    workers: { pods: { replicas: 2 }, logLevel: 'info' },
    extraEnv: [],
    redis: { enabled: false },
  });
  expect(values.workers.pods.replicas).toBe(1);
});
