import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { type Ending, earlyEnd } from '../../../cli/early-end.ts';

function program() {
  const stdout = new EventEmitter();
  const state = { ended: false };
  const process = Object.assign(new EventEmitter(), {
    stdout,
    exitCode: undefined as number | undefined,
    exit: () => {
      state.ended = true;
    },
  });
  return { process, stdout, state, ...earlyEnd(process as unknown as Ending) };
}

test('a reader that has gone ends the program as SIGPIPE would', () => {
  const { process, stdout, state } = program();
  stdout.emit('error', Object.assign(new Error('write'), { code: 'EPIPE' }));
  expect({ ...state, code: process.exitCode }).toEqual({ ended: true, code: 141 });
});

test('any other trouble with stdout is no quiet end', () => {
  const { stdout } = program();
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
  expect(() => stdout.emit('error', full)).toThrow(full);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s tells who has to tidy up, once, and is the exit code', (signal, code) => {
  const { process, state, untilStopped } = program();
  const stop = untilStopped();
  expect(stop.aborted).toBe(false);
  process.emit(signal);
  expect({ ...state, stopped: stop.aborted, code: process.exitCode }).toEqual({
    ended: false,
    stopped: true,
    code,
  });
  // Nobody listens any more: the next one ends the program at once.
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([0, 0]);
});

test('a reader that has gone waits for who has to tidy up', () => {
  const { process, stdout, state, untilStopped } = program();
  const stop = untilStopped();
  stdout.emit('error', Object.assign(new Error('write'), { code: 'EPIPE' }));
  expect({ ...state, stopped: stop.aborted, code: process.exitCode }).toEqual({
    ended: false,
    stopped: true,
    code: 141,
  });
});

describe('the command line itself', () => {
  test('says nothing when nobody reads what it has to say', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pristine-'));
    const profiles = join(folder, 'profiles.json');
    writeFileSync(profiles, JSON.stringify({ default: { image: 'engine:1' } }));
    const env = {
      TEMPORAL_ADDRESS: 'temporal.invalid:7233',
      REDIS_URL: 'redis://redis.invalid',
      PRISTINE_POD_IMAGE: 'pod:1',
      PRISTINE_PROFILES_FILE: profiles,
    };
    const main = join(import.meta.dirname, '../../../cli/main.ts');
    const run = spawn(process.execPath, [main, 'quarantine', 'list', `file://${folder}/`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    run.stdout.destroy();
    const [said, [code]] = await Promise.all([text(run.stderr), once(run, 'exit')]);
    rmSync(folder, { recursive: true });
    expect({ said, code }).toEqual({ said: '', code: 141 });
  }, 60_000);
});
