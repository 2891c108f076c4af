import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { endProcess, identify, isAlive, parseProcessStat } from '../../../cluster/process-identity.ts';

const fields = 'S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200';

describe('the identity of a process', () => {
  test('is read from behind a name that holds brackets and spaces', () => {
    expect(parseProcessStat(`4242 (a) S 9 (b) ${fields}\n`)).toEqual({ state: 'S', startTime: '987654' });
    expect(parseProcessStat(`4242 (sh) ${fields}`)).toEqual({ state: 'S', startTime: '987654' });
  });

  test('is not read from a text that is cut off', () => {
    expect(parseProcessStat('4242 (sh) S 1 2')).toBeUndefined();
    expect(parseProcessStat('')).toBeUndefined();
  });

  test('is that of this process', () => {
    const own = identify(process.pid);
    expect(own?.pid).toBe(process.pid);
    expect(own !== undefined && isAlive(own)).toBe(true);
  });

  test('is not shared by a later process of the same number', () => {
    const own = identify(process.pid);
    if (own === undefined) throw new Error('this process has no identity');
    expect(isAlive({ ...own, startTime: '1' })).toBe(false);
    expect(isAlive({ ...own, bootId: 'another boot' })).toBe(false);
  });

  test('a process that ignores SIGTERM is gone when ending it returns', async () => {
    const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    await once(child.stdout, 'data');
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('the child did not start');
    const exited = once(child, 'exit');
    await endProcess(identity, 100, 'group');
    expect(isAlive(identity)).toBe(false);
    expect((await exited)[1]).toBe('SIGKILL');
  });

  test('a process of another start is never signalled', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('the child did not start');
    await endProcess({ ...identity, startTime: '1' }, 100);
    expect(isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
