import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { readEnvFile } from '../cli/env-file.ts';
import { all, buildFirst, buildLater } from './builds.ts';
import { clean, down } from './down.ts';
import { targetFrom } from './environment.ts';
import { buildAndInstallLater, hurryLaterBuilds } from './later-builds.ts';
import { type Layout, layoutOf, makeFolders } from './layout.ts';
import { withLock } from './lock.ts';
import { OperatorError } from './operator-error.ts';
import { recordNames } from './pid-file.ts';
import { portsFrom } from './ports.ts';
import { createProgress, type Progress } from './progress.ts';
import { ensureProjectImages } from './project-images.ts';
import { ensureSecrets } from './secrets.ts';
import type { Stack } from './stack.ts';
import { status } from './status.ts';
import { isRunning } from './supervise.ts';
import { type UpOptions, up } from './up.ts';
import { readVersions } from './versions.ts';

const repo = join(import.meta.dirname, '..');
const layout = layoutOf(repo, process.env);
const versions = readVersions(repo);
const [verb = '', ...args] = process.argv.slice(2);

/** What a scan needs; everything; what the first tests need, which wait for the rest themselves. */
const SCAN: UpOptions = { wait: false, images: 'needed' };
const WHOLE: UpOptions = { wait: true, images: 'all' };
const TESTS: UpOptions = { wait: false, images: 'all' };

type Verb = (progress: Progress) => Promise<number>;

const verbs: Record<string, Verb> = {
  up: (progress) => startStack(progress, args.includes('--wait') || process.env.WAIT === '1' ? WHOLE : SCAN),
  down: async (progress) => {
    const ended = await locked(progress, () => down(layout, versions, progress.line));
    progress.line(
      ended ? 'Everything is stopped. Its data is kept; make clean deletes it.' : 'Nothing was running.',
    );
    return 0;
  },
  status: async (progress) => {
    const stack = stackOf(progress);
    return (await status(stack, targetFrom(process.env, stack), progress.line)) ? 0 : 1;
  },
  clean: async (progress) => {
    await locked(progress, () => down(layout, versions, progress.line));
    await clean(layout);
    progress.line(`All data of this copy is deleted. What was built stays in ${layout.cache}.`);
    return 0;
  },
  build: async (progress) => {
    const stack = stackOf(progress);
    const { local } = targetFrom(process.env, stack);
    await all([ensureProjectImages(stack, 'all'), buildFirst(stack, local).then(() => buildLater(stack))]);
    return 0;
  },
  later: async (progress) => {
    const stack = stackOf(progress);
    await buildAndInstallLater(stack, targetFrom(process.env, stack));
    return 0;
  },
  demo: async (progress) =>
    (await startStack(progress, SCAN)) || (await runScript(progress, 'cli/demo/main.ts')),
  bench: async (progress) =>
    (await startStack(progress, WHOLE)) || (await runScript(progress, 'bench/main.ts')),
  test: (progress) => runTests(progress, 'test/run.ts', TESTS),
  soak: (progress) => runTests(progress, 'test/soak.ts', WHOLE),
};

// Whoever read our output may have gone (`make status | head`): what was begun is still finished.
process.stdout.on('error', () => {});

process.exitCode = await main();

async function main(): Promise<number> {
  const progress = createProgress(process.stdout);
  try {
    const action = verbs[verb];
    if (action === undefined)
      throw new OperatorError(`There is no "${verb}": choose ${Object.keys(verbs).join(', ')}.`);
    if (process.getuid?.() !== 0)
      throw new OperatorError('Root is needed for containers and their network: run it with sudo.');
    makeFolders(layout);
    return await action(progress);
  } catch (error) {
    progress.end();
    console.error(`pristine: ${error instanceof OperatorError ? error.message : unexpected(error)}`);
    return 1;
  } finally {
    progress.end();
  }
}

/** A defect of ours: one sentence for the reader, the rest for who mends it. */
function unexpected(error: unknown): string {
  const log = join(layout.log, 'errors.log');
  mkdirSync(layout.log, { recursive: true });
  appendFileSync(log, `${new Date().toISOString()} ${verb}\n${inspect(error)}\n`);
  return `${verb} failed unexpectedly: ${error instanceof Error ? error.message : String(error)} (more in ${log}).`;
}

async function startStack(progress: Progress, options: UpOptions): Promise<number> {
  const stack = stackOf(progress);
  const target = targetFrom(process.env, stack);
  await locked(progress, () => up(stack, target, options));
  return 0;
}

/** Starts the stack for a script, and stops it again if it was not up before. */
async function runTests(progress: Progress, script: string, options: UpOptions): Promise<number> {
  const wasUp = recordNames(layout.run).some((name) => isRunning(layout, name));
  try {
    const failed = await startStack(progress, options);
    if (failed) return failed;
    // The first tests mostly wait, and the later ones need what is being built.
    if (isRunning(layout, 'later-builds')) await hurryLaterBuilds(layout, 5);
    return await runScript(progress, script);
  } finally {
    // Nothing is printed: the last line is the tests' own.
    if (!wasUp) await locked(progress, () => down(layout, versions, () => {}));
  }
}

function stackOf(progress: Progress): Stack {
  const audit = process.env.PRISTINE_AUDIT === '1';
  return { layout, versions, progress, audit, ports: portsFrom(process.env), secrets: ensureSecrets(layout) };
}

/** No two of `up`, `down` and `clean` at once in one copy of the repository. */
function locked<T>(progress: Progress, work: () => Promise<T>): Promise<T> {
  const wait = (holder: string): void =>
    progress.line(`Waiting for process ${holder}, which is starting or stopping things.`);
  return withLock(lockFile(layout), wait, work);
}

function lockFile({ run }: Layout): string {
  return join(run, 'lock');
}

/** Runs a script of the repository with the stack's variables, its output going where ours goes. */
function runScript(progress: Progress, script: string): Promise<number> {
  if (!existsSync(join(repo, script)))
    throw new OperatorError(`${script} is not there: this copy is not complete.`);
  progress.end();
  const env = {
    ...process.env,
    ...readEnvFile(layout.envFile),
    PATH: `${layout.bin}:${process.env.PATH ?? ''}`,
  };
  // An interrupt reaches the script too; it decides how to end, and we clean up after it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(repo, script), ...args], {
      cwd: repo,
      env,
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
