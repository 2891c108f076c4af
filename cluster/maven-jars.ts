import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publish } from './cache.ts';
import { run } from './command.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';

/**
 * Puts the jars that `cluster/build/<name>/pom.xml` asks for, and those that they need, into `folder`: those of its
 * SHA256SUMS, each with its hash, and no other.
 */
export async function installJars(layout: Layout, name: string, folder: string): Promise<void> {
  const project = join(layout.repo, 'cluster/build', name);
  const temporary = mkdtempSync(join(layout.cache, '.installing-'));
  try {
    const result = await run('mvn', [
      ...['--batch-mode', '--quiet', '--file', join(project, 'pom.xml')],
      ...['dependency:copy-dependencies', `-DoutputDirectory=${temporary}`],
    ]);
    if (result.code !== 0) {
      const said =
        `${result.stdout}${result.stderr}`.split('\n').find((line) => line.includes('ERROR')) ?? '';
      throw new OperatorError(
        `Maven can't fetch the jars of ${name}: ${said.trim()} Run it again once that works.`,
      );
    }
    const wanted = readFileSync(join(project, 'SHA256SUMS'), 'utf8');
    const found = sumsOf(temporary);
    if (found !== wanted) {
      throw new OperatorError(`Maven fetched other jars of ${name} than ${project}/SHA256SUMS lists.`);
    }
    publish(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** As sha256sum prints them, by name. */
function sumsOf(folder: string): string {
  const sums = readdirSync(folder)
    .sort()
    .map(
      (file) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex')}  ${file}\n`,
    );
  return sums.join('');
}
