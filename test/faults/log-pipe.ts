/** A pipe as a container's stdout is one, whose other end is in the test's hand: read, left alone, or closed. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// By its code: Node's own errors are of no class that a test's realm knows.
const wouldBlock = (error: unknown) =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'EAGAIN';

export function openLogPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'pristine-pipe-'));
  const path = join(folder, 'stdout');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  let open = true;
  return {
    /** For the process whose stdout it is. */
    writer,
    /** Puts in what it holds, so that the next byte has to wait. */
    fill(): void {
      const own = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        for (;;) writeSync(own, '\n'.repeat(4096));
      } catch (error) {
        if (!wouldBlock(error)) throw error;
      } finally {
        closeSync(own);
      }
    },
    /** All that is in it now. */
    read(): string {
      const chunk = Buffer.alloc(64 * 1024);
      let text = '';
      try {
        for (let length = 1; length > 0; text += chunk.toString('utf8', 0, length)) {
          length = readSync(reader, chunk);
        }
      } catch (error) {
        if (!wouldBlock(error)) throw error;
      }
      return text;
    },
    /** Nobody will ever read it. */
    breakOff(): void {
      if (open) closeSync(reader);
      open = false;
    },
    close(): void {
      if (open) closeSync(reader);
      closeSync(writer);
      rmSync(folder, { recursive: true });
    },
  };
}
