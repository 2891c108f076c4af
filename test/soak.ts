/**
 * `make soak`: the fault suite with its longer variants, and a thousand seeds of the crash schedule. Takes hours.
 * Arguments narrow it to test files whose path contains one of them. The last line is jest's own count.
 */
import { spawnSync } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
const [, , ...patterns] = process.argv;

const jest = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    ...['--testTimeout', '120000', '--forceExit', '--maxWorkers', '1', '--selectProjects', 'faults'],
    ...['--testPathPatterns', patterns.length > 0 ? patterns.join('|') : 'test/faults'],
  ],
  { cwd: root, env: { ...process.env, PRISTINE_SOAK: '1' }, stdio: 'inherit' },
);
process.exit(jest.status ?? 1);
