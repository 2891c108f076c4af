import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildLater } from './builds.ts';
import { runChecked } from './command.ts';
import { installCoredns } from './coredns.ts';
import { linkTools, type Target } from './environment.ts';
import type { Layout } from './layout.ts';
import { readRecord } from './pid-file.ts';
import { ensureProjectImages } from './project-images.ts';
import type { Stack } from './stack.ts';
import { isRunning, launch } from './supervise.ts';

const NAME = 'later-builds';

/** Starts a process of the lowest priority that goes on building when `up` has returned. `down` ends it. */
export function launchLaterBuilds({ layout }: Pick<Stack, 'layout'>): Promise<void> {
  const node = join(layout.repo, 'node_modules/.bin/node');
  return launch(
    layout,
    {
      name: NAME,
      command: 'nice',
      args: ['-n', '19', node, join(layout.repo, 'cluster/main.ts'), 'later'],
      listens: [],
      readyWithinMs: 0,
      stopWithinMs: 5000,
      reach: 'group',
    },
    '',
  );
}

/** Resolves when no such process runs, whether it built everything or failed. Gives it its share of the machine. */
export async function waitForLaterBuilds({ layout, progress }: Stack): Promise<void> {
  if (!isRunning(layout, NAME)) return;
  const task = progress.task('what is built in the background');
  await hurryLaterBuilds(layout, 0);
  while (isRunning(layout, NAME)) await sleep(500);
  task.done();
}

/** Gives it more of the machine, from 19 (what is left over) to 0 (as much as anybody). */
export async function hurryLaterBuilds({ run }: Pick<Layout, 'run'>, niceness: number): Promise<void> {
  const record = readRecord(run, NAME);
  if (record === undefined) return;
  // It may have ended a moment ago.
  await runChecked('renice', ['--priority', String(niceness), '--pgrp', String(record.pid)]).catch(() => {});
}

/** What that process does: builds CoreDNS, Helm and the images that a scan does not need, and installs them. */
export async function buildAndInstallLater(stack: Stack, target: Target): Promise<void> {
  await buildLater(stack);
  linkTools(stack);
  const images = await ensureProjectImages(stack, 'all');
  if (!target.local) return;
  await installCoredns(stack, { program: target.kubectl, kubeconfig: target.kubeconfig });
  await images.importInto(stack);
}
