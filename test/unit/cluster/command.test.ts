import { expect, test } from '@jest/globals';
import { run } from '../../../cluster/command.ts';

test('a command is ended by its signal and waited for', async () => {
  const ending = new AbortController();
  const script = "trap 'echo ended; exit 3' TERM; echo began; while :; do sleep 0.05; done";
  const result = await run('sh', ['-c', script], { signal: ending.signal, onLine: () => ending.abort() });
  expect(result).toMatchObject({ code: 3, stdout: 'began\nended\n' });
});

test('a signal that was given before ends it at once', async () => {
  expect((await run('sleep', ['20'], { signal: AbortSignal.abort() })).code).not.toBe(0);
});
