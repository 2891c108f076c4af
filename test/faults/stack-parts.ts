/** Parts of the stack that a test ends with SIGKILL and brings back as `make up` does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiServer } from '../../cluster/control-plane.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { kubelet } from '../../cluster/node.ts';
import type { Part } from '../../cluster/part.ts';
import { readRecord } from '../../cluster/pid-file.ts';
import { portsFrom } from '../../cluster/ports.ts';
import { isAlive } from '../../cluster/process-identity.ts';
import { createProgress } from '../../cluster/progress.ts';
import { ensureSecrets } from '../../cluster/secrets.ts';
import type { Stack } from '../../cluster/stack.ts';
import { ensureRunning } from '../../cluster/supervise.ts';
import { readVersions } from '../../cluster/versions.ts';

const repo = join(import.meta.dirname, '../..');
const parts = { 'kube-apiserver': apiServer, kubelet } satisfies Record<string, (stack: Stack) => Part>;

/** `kill` resolves when the process is gone, `restore` when the part is healthy again. Both may be called again. */
export function stackPart(name: keyof typeof parts) {
  const layout = layoutOf(repo, process.env);
  const record = readRecord(layout.run, name);
  if (record === undefined || !isAlive(record))
    throw new Error(`${name} does not run: run \`make up\` first`);
  const stack: Stack = {
    layout,
    ports: portsFrom(process.env),
    versions: readVersions(repo),
    secrets: ensureSecrets(layout),
    progress: createProgress(process.stderr),
    // As it was started.
    audit: readFileSync(`/proc/${record.pid}/cmdline`, 'utf8').includes('--audit-log-path'),
  };
  return {
    async kill(): Promise<void> {
      if (isAlive(record)) process.kill(record.pid, 'SIGKILL');
      while (isAlive(record)) await sleep(20);
    },
    async restore(): Promise<void> {
      await ensureRunning(layout, stack.ports, parts[name](stack));
    },
  };
}
