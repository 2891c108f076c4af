/**
 * All checks and tests, in one run: `make test` ends in this. The last line is `N passed, N failed`; the exit
 * code is 0 only if nothing failed. Arguments narrow it to test folders: `unit contract workflow …`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readEnvFile } from '../cli/env-file.ts';

const root = new URL('..', import.meta.url).pathname;
const node = process.execPath;
const kinds = process.argv.slice(2);
const state = `${root}.pristine/test`;
const report = `${state}/jest.json`;

const checks: { name: string; args: string[] }[] = [
  { name: 'format and lint', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  {
    name: 'import directions',
    args: [
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      ...['--config', '.dependency-cruiser.cjs'],
      ...['workflows', 'activities', 'drivers', 'fileserver', 'pod', 'workers', 'cli', 'cluster', 'bench'],
    ],
  },
];

function stackEnvironment(): NodeJS.ProcessEnv {
  const file = `${root}.pristine/env`;
  if (!existsSync(file)) {
    console.error('There is no .pristine/env: run `make up` first, or `make test`, which does it for you.');
    process.exit(1);
  }
  return { ...process.env, ...readEnvFile(file), PATH: `${root}.pristine/bin:${process.env.PATH ?? ''}` };
}

const began = Number(process.env.PRISTINE_BEGAN ?? 0) * 1000 || Date.now();
let passed = 0;
let failed = 0;

function count(name: string, ok: boolean): void {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
}

const environment = stackEnvironment();
if (kinds.length === 0) {
  for (const check of checks) {
    const run = spawnSync(node, check.args, { cwd: root, env: environment, encoding: 'utf8' });
    if (run.status !== 0) console.log(`${run.stdout}${run.stderr}`);
    count(check.name, run.status === 0);
  }
}

type Group = {
  kinds: string[];
  workers: number;
  minutes: number;
  /** Patterns on a file's path. */
  only?: string;
  not?: string;
  /** They use what the stack can start without: kwok, rclone, Helm. */
  whole?: boolean;
};

/** They kill a part of the stack that everybody uses. */
const DISTURBING = 'faults/(api-server|pods)\\.test';
/** Their nodes and pods are played by kwok, which is built late. */
const SIMULATED = '(?:kwok|long-run|race)\\.test';
/** Five workers at a time by itself. */
const SCHEDULE = 'faults/crash-schedule\\.test';

/**
 * What disturbs others, or wants the machine for itself, runs alone and last. Faults mostly wait: three at once, and
 * first, while the rest of the stack is still being built.
 */
const groups: Group[] = [
  { kinds: ['faults'], workers: 3, minutes: 45, not: `${DISTURBING}|${SCHEDULE}|faults/${SIMULATED}` },
  {
    kinds: ['unit', 'contract', 'workflow', 'replay', 'integration', 'faults'],
    workers: 3,
    minutes: 45,
    not: `test/faults/(?!${SIMULATED})`,
    whole: true,
  },
  { kinds: ['faults'], workers: 1, minutes: 30, only: DISTURBING },
  { kinds: ['faults'], workers: 1, minutes: 75, only: SCHEDULE, whole: true },
];

/** Minutes that all of it should take at most, from the first command on: after them come no more seeds than must. */
const WHOLE_MINUTES = 65;
const SEED_MINUTES = 15;

function seedMinutes(): number {
  const left = WHOLE_MINUTES - (Date.now() - began) / 60_000;
  return Math.round(Math.max(0, Math.min(SEED_MINUTES, left)));
}

/** How many of a group's files are named with the time they took. */
const SLOWEST = 5;

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: {
    name: string;
    startTime: number;
    endTime: number;
    status: string;
    message: string;
    assertionResults: {
      fullName: string;
      status: string;
      failureMessages: string[];
      /** More than one: it failed first (see once-more.ts). */
      invocations?: number;
      retryReasons?: string[];
    }[];
  }[];
};

/** Said once more before the last line: whoever reads only the end is to know what failed. */
const failures: string[] = [];
const retried: string[] = [];
const MESSAGE_LINES = 12;
const briefly = (text: string) => stripVTControlCharacters(text).split('\n', MESSAGE_LINES).join('\n    ');

function retriedOf({ name, assertionResults }: Report['testResults'][number]): string[] {
  return assertionResults
    .filter((test) => test.status === 'passed' && (test.invocations ?? 1) > 1)
    .map((test) => `${relative(root, name)}: ${test.fullName}\n    ${briefly(test.retryReasons?.[0] ?? '')}`);
}

function failuresOf({ name, status, message, assertionResults }: Report['testResults'][number]): string[] {
  if (status !== 'failed') return [];
  const tests = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${test.fullName}\n    ${briefly(test.failureMessages.join('\n'))}`);
  // A file that could not even be loaded has no tests.
  return (tests.length === 0 ? [briefly(message)] : tests).map((one) => `${relative(root, name)}: ${one}`);
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;

function runJest(projects: string[], { workers, minutes, only, not }: Group): void {
  rmSync(report, { force: true });
  const start = Date.now();
  const jest = spawnSync(
    node,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...['--json', '--outputFile', report, '--testTimeout', '120000', '--forceExit'],
      ...['--maxWorkers', String(workers)],
      ...(only === undefined ? [] : ['--testPathPatterns', only]),
      ...(not === undefined ? [] : ['--testPathIgnorePatterns', '/node_modules/', not]),
      ...['--selectProjects', ...projects],
    ],
    {
      cwd: root,
      env: { PRISTINE_SEED_MINUTES: String(seedMinutes()), ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: minutes * 60_000,
    },
  );
  if (!existsSync(report)) {
    console.log(`FAIL jest did not write its report (exit ${jest.status ?? jest.signal})`);
    failed += 1;
    return;
  }
  const result: Report = JSON.parse(readFileSync(report, 'utf8'));
  const slowest = result.testResults
    .map(({ name, startTime, endTime }) => ({ name: relative(root, name), took: endTime - startTime }))
    .sort((a, b) => b.took - a.took)
    .slice(0, SLOWEST)
    .map(({ name, took }) => `${name} ${seconds(took)}`);
  console.log(`${projects.join(', ')}: ${seconds(Date.now() - start)}; longest: ${slowest.join(', ')}`);
  failures.push(...result.testResults.flatMap(failuresOf));
  retried.push(...result.testResults.flatMap(retriedOf));
  passed += result.numPassedTests;
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (result.numPassedTests === 0) failed += 1;
}

/** Waits for the rest of the stack; a failure is counted. */
function isWhole(): boolean {
  const up = spawnSync(node, ['cluster/main.ts', 'up', '--wait'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (up.status !== 0) count('the whole stack', false);
  return up.status === 0;
}

mkdirSync(state, { recursive: true });
for (const group of groups) {
  const projects = group.kinds.filter((kind) => kinds.length === 0 || kinds.includes(kind));
  if (projects.length === 0 || (group.whole && !isWhole())) continue;
  runJest(projects, group);
}
for (const test of retried) console.log(`passed at its second try: ${test}`);
for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
