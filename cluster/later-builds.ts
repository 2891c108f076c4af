import { join } from 'node:path';
import { buildLater } from './builds.ts';
import { installCoredns } from './coredns.ts';
import { linkTools, type Target } from './environment.ts';
import { ensureProjectImages } from './project-images.ts';
import type { Stack } from './stack.ts';
import { launch } from './supervise.ts';

/** Starts a process of the lowest priority that goes on building when `up` has returned. `down` ends it. */
export function launchLaterBuilds({ layout }: Pick<Stack, 'layout'>): Promise<void> {
  const node = join(layout.repo, 'node_modules/.bin/node');
  return launch(
    layout,
    {
      name: 'later-builds',
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

/** What that process does: builds CoreDNS, Helm and the images that a scan does not need, and installs them. */
export async function buildAndInstallLater(stack: Stack, target: Target): Promise<void> {
  await buildLater(stack);
  linkTools(stack);
  const images = await ensureProjectImages(stack, 'all');
  if (!target.local) return;
  await installCoredns(stack, { program: target.kubectl, kubeconfig: target.kubeconfig });
  await images.importInto(stack);
}
