/**
 * What `make bench` runs once the stack is up: prints figures, both sides of every ratio from this very run.
 * BENCH_FILES (100), BENCH_PARALLEL (20), BENCH_LARGE (0 = leave out; else a scan of so many files for memory).
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BatchV1Api, CoreV1Api } from '@kubernetes/client-node';
import { z } from 'zod';
import { connectScanClient, type ScanClient } from '../cli/scan-client.ts';
import { layoutOf } from '../cluster/layout.ts';
import { OperatorError } from '../cluster/operator-error.ts';
import { workerVariables } from '../cluster/worker-process.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { readConfig } from '../workers/config.ts';
import { auditMark, requestsSince } from './api-requests.ts';
import { barePods, jobOf } from './comparison.ts';
import { benchDocuments } from './documents.ts';
import { BAR, bytesText, type Measured, speedLines } from './figures.ts';
import { startLinkServer } from './link-server.ts';
import { type MemorySamples, watchMemory } from './memory.ts';
import { imageSizes, podProgramStart } from './pod-program.ts';
import { runBarePods, runJob } from './pod-runs.ts';

const repo = join(import.meta.dirname, '..');
const count = z.coerce.number().int().min(0);
const settings = z
  .object({
    BENCH_FILES: count.min(1).default(100),
    BENCH_PARALLEL: count.min(1).default(20),
    BENCH_LARGE: count.default(0),
    PRISTINE_HOST_ADDRESS: z.string(),
  })
  .parse(process.env);
const layout = layoutOf(repo, process.env);
const config = readConfig(workerVariables(layout));
const run = Date.now().toString(36);
const folder = join(layout.state, 'demo', `bench-${run}`);
const auditLog = join(layout.log, 'audit.log');
const say = (...lines: string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));

try {
  await measure();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(`pristine: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const scans = await connectScanClient(config).catch((error: Error) => {
    throw new OperatorError(`${error.message} Run make up.`);
  });
  try {
    const { measured, memory, requests } = await compareSpeed(scans);
    reportSpeed(measured);
    const large = settings.BENCH_LARGE > 0 ? await scanOnce(scans, 'large', settings.BENCH_LARGE) : undefined;
    reportMemory(memory, large?.memory);
    await reportPodProgram();
    reportRequests(requests);
  } finally {
    await scans.close();
  }
}

/** Pristine, then the Job, then bare pods; a few of each before, so that nobody pays for a cold start. */
async function compareSpeed(client: ScanClient) {
  const { BENCH_FILES: files, BENCH_PARALLEL: parallel, PRISTINE_HOST_ADDRESS: host } = settings;
  const kube = loadKubeConfig(process.env.KUBECONFIG);
  const cluster = {
    config: kube,
    core: kube.makeApiClient(CoreV1Api),
    batch: kube.makeApiClient(BatchV1Api),
    namespace: config.kubernetes.namespace,
  };
  const documents = await benchDocuments(join(folder, 'plain'), `${run} plain`, files);
  const server = await startLinkServer(
    host,
    join(folder, 'out'),
    documents.map(({ path }) => path),
  );
  const maker = { config, run, server: server.url };
  try {
    say(`BENCH_FILES=${files} BENCH_PARALLEL=${parallel} BENCH_LARGE=${settings.BENCH_LARGE} make bench`, '');
    const few = Math.min(parallel, files);
    say(`Warming up with ${few} pods and a scan of ${few} files…`);
    await runBarePods(cluster, barePods(maker, 'w', documents.slice(0, few)), parallel);
    await scanOnce(client, 'warm', few);
    say(
      `Pristine: temporal workflow start --type scan --input '{…, "parallelFiles": ${parallel}}' on ${files} files…`,
    );
    const scanned = await scanOnce(client, 'scan', files);
    say(
      `Indexed Job: kubectl create, completions: ${files}, parallelism: ${parallel}, the same three containers…`,
    );
    const job = await runJob(cluster, jobOf(maker, documents, parallel));
    say(`Bare pods: kubectl create, ${files} of the same pods, ${parallel} at a time…`);
    const bare = await runBarePods(cluster, barePods(maker, 'b', documents), parallel);
    const measured: Measured[] = [
      { what: 'Pristine', files, seconds: scanned.seconds },
      { what: 'Indexed Job of the same pods', files, seconds: job },
      { what: 'bare pods', files, seconds: bare },
    ];
    return { measured, memory: scanned.memory, requests: scanned.requests };
  } finally {
    await server.close();
  }
}

/** Seconds from the start of a scan of new files until its result, and what it cost meanwhile. */
async function scanOnce(client: ScanClient, name: string, files: number) {
  await benchDocuments(join(folder, name), `${run} ${name}`, files);
  const id = `bench-${run}-${name}`;
  const input = {
    source: pathToFileURL(join(folder, name)).href,
    destination: pathToFileURL(join(folder, `${name}-clean`)).href,
    parallelFiles: settings.BENCH_PARALLEL,
  };
  const worker = Number(await readFile(join(layout.run, 'worker.pid'), 'utf8'));
  const mark = await auditMark(auditLog);
  const [seconds, memory] = await watchMemory(worker, async () => {
    const began = performance.now();
    await client.start({ id, input });
    const { outcomes } = z
      .object({ outcomes: z.object({ rebuilt: z.number() }) })
      .parse(await client.result(id));
    if (outcomes.rebuilt !== files)
      throw new Error(`Only ${outcomes.rebuilt} of ${files} files were rebuilt.`);
    return (performance.now() - began) / 1000;
  });
  const requests = mark === null ? null : await requestsSince(auditLog, mark);
  return { files, seconds, memory: { files, ...memory }, requests: requests && { files, counts: requests } };
}

function reportSpeed(measured: readonly Measured[]): void {
  say('', 'Speed: from the first request until the last result; every side in this run', '');
  say(...speedLines(measured, 'Indexed Job of the same pods'));
  say('', `  The bar for Pristine is ${BAR}. It also lists, hashes, signs, verifies, commits, delivers`);
  say('  and deletes; of the others only the pods themselves are counted, not their deletion.');
}

function reportMemory(...scanned: (({ files: number } & MemorySamples) | undefined)[]): void {
  say('', 'Memory of the worker (VmRSS, twice a second while a scan ran)', '');
  for (const memory of scanned) {
    if (memory === undefined) continue;
    const { files, atStart, largest, atEnd, samples } = memory;
    say(
      `  ${`${files} files`.padEnd(14)} before ${bytesText(atStart)}, largest ${bytesText(largest)}, ` +
        `after ${bytesText(atEnd)}  (${samples} samples)`,
    );
  }
  if (scanned[1] === undefined) say('  BENCH_LARGE=1000 make bench also measures a scan of 1,000 files.');
}

async function reportPodProgram(): Promise<void> {
  const { bundleBytes, milliseconds } = await podProgramStart(repo);
  say('', 'The program in the pod, and the images', '');
  say(`  ${'start until it wants its orders'.padEnd(34)}${`${milliseconds.toFixed(0)} ms`.padStart(9)}`);
  say(`  ${'bundle'.padEnd(34)}${bytesText(bundleBytes).padStart(9)}`, ...(await imageSizes(layout)));
}

function reportRequests(requests: { files: number; counts: Map<string, number> } | null): void {
  if (requests === null) {
    say('', 'Requests to the Kubernetes API are counted with PRISTINE_AUDIT=1 make bench.');
    return;
  }
  const { files, counts } = requests;
  say('', `Requests to the Kubernetes API during Pristine's scan, a file`, '');
  for (const [what, number] of [...counts].sort(([, a], [, b]) => b - a).slice(0, 20)) {
    say(`  ${what.padEnd(64)}${(number / files).toFixed(2).padStart(8)}`);
  }
}
