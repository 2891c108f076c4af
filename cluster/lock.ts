import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Runs `work` while holding an exclusive lock on `file`, waiting for whoever holds it. The kernel gives the lock up
 * when this process ends in any way: a child holds it (flock(1)) and ends with our end of its input pipe.
 */
export async function withLock<T>(
  file: string,
  onWait: (holder: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const holder = spawn('flock', ['--no-fork', file, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = once(holder, 'exit').then(([code]) => {
    throw new Error(`the lock ${file} can't be taken (flock ended with ${String(code)})`);
  });
  failed.catch(() => {});
  try {
    // cat answers only once flock has the lock.
    holder.stdin.write('locked\n');
    const locked = once(holder.stdout, 'data');
    const waiting = setTimeout(() => onWait(readHolder(file)), 500);
    await Promise.race([locked, failed]).finally(() => clearTimeout(waiting));
    writeFileSync(file, `${process.pid}\n`);
    return await work();
  } finally {
    holder.stdin.end();
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
