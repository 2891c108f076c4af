/** What an operator types: the command line, with the settings of one worker's installation. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorkerProcess } from '../integration/worker-process.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** `pristine …`: the lines that it wrote, and its exit code. */
export async function pristine(worker: WorkerProcess, ...words: string[]) {
  const env = {
    ...process.env,
    REDIS_URL: worker.redisUrl,
    PRISTINE_TASK_QUEUE: worker.taskQueue,
    PRISTINE_KEY_PREFIX: worker.keyPrefix,
    PRISTINE_INSTANCE: worker.instance,
    PRISTINE_PROFILES_FILE: join(worker.folder, 'profiles.json'),
    PRISTINE_FILE_ROOTS: worker.folder,
  };
  const node = join(root, 'node_modules/.bin/node');
  const ended = await run(node, [join(root, 'cli/main.ts'), ...words], { env }).catch(
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  const code = 'code' in ended ? ended.code : 0;
  return { code, lines: `${ended.stdout}${ended.stderr}`.split('\n').filter((line) => line !== '') };
}
