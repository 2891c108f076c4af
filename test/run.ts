/**
 * All checks and tests, in one run: `make test` ends in this. The last line is `N passed, N failed`; the exit
 * code is 0 only if nothing failed. Arguments narrow it to test folders: `unit contract workflow …`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { parseEnv } from 'node:util';

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
      ...['workflows', 'activities', 'drivers', 'fileserver', 'pod', 'workers', 'cli'],
    ],
  },
];

function stackEnvironment(): NodeJS.ProcessEnv {
  const file = `${root}.pristine/env`;
  if (!existsSync(file)) {
    console.error('There is no .pristine/env: run `make up` first, or `make test`, which does it for you.');
    process.exit(1);
  }
  // The file is for a shell: `export NAME=value` lines, and PATH goes in front of the caller's.
  const lines = readFileSync(file, 'utf8').replaceAll(/^export /gm, '');
  const named = parseEnv(lines);
  const path = named.PATH?.replace(/\$\{?PATH\}?/, process.env.PATH ?? '');
  return { ...process.env, ...named, ...(path === undefined ? {} : { PATH: path }) };
}

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

mkdirSync(state, { recursive: true });
rmSync(report, { force: true });
const jest = spawnSync(
  node,
  [
    ...[
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ],
    ...['--json', '--outputFile', report, '--testTimeout', '120000', '--maxWorkers', '2', '--forceExit'],
    ...(kinds.length > 0 ? ['--selectProjects', ...kinds] : []),
  ],
  { cwd: root, env: environment, stdio: ['ignore', 'ignore', 'inherit'], timeout: 50 * 60_000 },
);
if (!existsSync(report)) {
  console.log(`FAIL jest did not write its report (exit ${jest.status ?? jest.signal})`);
  failed += 1;
} else {
  const result: { numPassedTests: number; numFailedTests: number; numRuntimeErrorTestSuites: number } =
    JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (result.numPassedTests === 0) failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
