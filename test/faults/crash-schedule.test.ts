/**
 * Seeded random crash schedules against the oracle. PRISTINE_SEED=17 (or 17,20) runs those alone; PRISTINE_SEEDS is
 * how many at the least (50; a soak's 1,000), PRISTINE_SEED_MINUTES how long it goes on beyond them (15; 0),
 * PRISTINE_SEED_BASE the first (1), PRISTINE_SEED_LANES how many at a time (5).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { bundleWorkflows } from '../../workers/roles.ts';
import { stackVariable } from '../contract/stack.ts';
import { startKwokPods } from './kwok-pods.ts';
import { runSeed } from './run-seed.ts';
import { faultsInWords, type SeedPlan, seedPlan } from './seed-plan.ts';
import type { Stage } from './seed-world.ts';

// A seed that fails has failed.
jest.retryTimes(0);

const number = (name: string, otherwise: number) => Number(process.env[name] || otherwise);
const chosen = (process.env.PRISTINE_SEED ?? '').split(',').filter(Boolean).map(Number);
const picky = chosen.length > 0;
const soak = process.env.PRISTINE_SOAK === '1';
const least = picky ? chosen.length : number('PRISTINE_SEEDS', soak ? 1_000 : 50);
const minutes = picky || soak ? 0 : number('PRISTINE_SEED_MINUTES', 15);
const base = chosen[0] ?? number('PRISTINE_SEED_BASE', 1);
const lanes = number('PRISTINE_SEED_LANES', 5);
/** After it too few seeds are a failure; chosen ones and a soak's take what they need. */
const limitMs = picky || soak ? 7 * 24 * 3_600_000 : 45 * 60_000;

const say = (line: string) => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'pristine-seeds-'));
let stage: Stage;

beforeAll(async () => {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(stackVariable('KUBECONFIG'));
  const quiet = { warn() {}, error() {} };
  const { code } = await bundleWorkflows(quiet);
  const workflowBundle = join(folder, 'workflows.js');
  writeFileSync(workflowBundle, code);
  stage = { kubeConfig, workflowBundle, kwok: await startKwokPods(kubeConfig) };
}, 180_000);
afterAll(async () => {
  await stage?.kwok.close();
  rmSync(folder, { recursive: true, force: true });
}, 600_000);

test(
  'whatever dies, and when: the books balance, nothing is lost, nothing is done twice',
  async () => {
    const began = Date.now();
    const goesOn = () => Date.now() - began < minutes * 60_000;
    const failed: string[] = [];
    let taken = 0;
    let held = 0;
    const lane = async () => {
      while (taken < least || goesOn()) {
        const plan = seedPlan(chosen[taken] ?? base + taken);
        taken += 1;
        const failure = await told(plan);
        if (failure === undefined) held += 1;
        else failed.push(failure);
        if (Date.now() - began > limitMs) return;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const time = Math.round((Date.now() - began) / 1000);
    say(`${held + failed.length} seeds from ${base} in ${time} s: ${held} held, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(held).toBeGreaterThanOrEqual(least);
  },
  limitMs + 20 * 60_000,
);

/** Runs it and says how it went; what failed, if something did. */
async function told(plan: SeedPlan): Promise<string | undefined> {
  const began = Date.now();
  const { seed, files, destinations, workers, place, realPods } = plan;
  const what = [
    `seed ${seed}: ${files.length} files in ${place}`,
    ...(realPods ? ['real pods'] : []),
    ...(destinations.length > 1 ? [`2 scans to ${new Set(destinations).size} places`] : []),
    ...(workers.length > 1 ? ['2 workers'] : []),
    faultsInWords(plan),
  ].join(', ');
  const time = () => `${Math.round((Date.now() - began) / 1000)} s`;
  try {
    const { deaths, extras } = await runSeed(plan, stage);
    const more = extras.map(({ content, runs, why }) => `${content.slice(0, 8)} ran ${runs} times: ${why}`);
    say(`${what}: ok (${[time(), `${deaths} deaths`, ...more].join(', ')})`);
    return undefined;
  } catch (error) {
    const failure = [`${what}: FAILED (${time()})`, ...reasons(error)].join('\n');
    say(failure);
    say(`its schedule: ${JSON.stringify({ ...plan, files: undefined })}`);
    say(`again: PRISTINE_SEED=${seed} cluster/bootstrap.sh soak crash-schedule`);
    return failure;
  }
}

/** Of an error and of each that caused it. */
function reasons(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  return [error.message, ...(error.cause === undefined ? [] : reasons(error.cause))];
}
