import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { makeOnce } from '../../../cluster/cache.ts';
import { withLock } from '../../../cluster/lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a lock', () => {
  test('lets one in at a time, and tells who waits who holds it', async () => {
    const file = join(folder, 'lock');
    const order: string[] = [];
    let waited = '';
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = withLock(
      file,
      () => {},
      async () => {
        order.push('first in');
        await held;
        order.push('first out');
      },
    );
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (order.length === 0) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    const tell = (holder: string): void => {
      waited = holder;
      release();
    };
    const second = withLock(file, tell, async () => order.push('second in'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first in', 'first out', 'second in']);
    expect(waited).toBe(String(process.pid));
  });

  test('is given up when the work throws', async () => {
    const file = join(folder, 'thrown');
    await expect(
      withLock(
        file,
        () => {},
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    await expect(
      withLock(
        file,
        () => {},
        async () => 'in',
      ),
    ).resolves.toBe('in');
  });
});

describe('making a folder of the cache', () => {
  test('happens once, whoever asks', async () => {
    const made = join(folder, 'made');
    let times = 0;
    const make = async (): Promise<void> => {
      times += 1;
      mkdirSync(made);
      writeFileSync(join(made, 'file'), '');
    };
    const results = await Promise.all([1, 2, 3].map(() => makeOnce(made, () => {}, make)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(times).toBe(1);
    expect(existsSync(join(made, 'file'))).toBe(true);
  });
});
