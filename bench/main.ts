/**
 * What `make bench` runs once the stack is up: prints figures, both sides of every ratio from this very run.
 * BENCH_FILES (100), BENCH_PARALLEL (20), BENCH_KNOWN (10000; 0 = leave out) known files for memory,
 * BENCH_LARGE (0 = leave out) new files for memory; BENCH_WATCH_PODS and BENCH_QUIET_SECONDS: see watch-latency.ts.
 * BENCH_INSTALLED (50; 0 = leave out) files a scan for the workers that the chart installs; BENCH_IDLE_SECONDS (60; 0 =
 * leave out) in which nothing is scanned. BENCH_ONLY=installed measures these alone.
 * Scans run on a worker, a Redis and an API server of the bench's own, which hear of nothing else.
 */
import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchV1Api, CoreV1Api } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { connectScanClient } from '../cli/scan-client.ts';
import { tool } from '../cluster/cluster-tools.ts';
import { layoutOf } from '../cluster/layout.ts';
import { OperatorError } from '../cluster/operator-error.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { filePodSelector } from '../drivers/kubernetes/pod-labels.ts';
import { dataConverterOf } from '../workers/data-converter.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import { barePods, jobOf } from './comparison.ts';
import { knownFileLines, memoryLines, newFileLines } from './cost-lines.ts';
import { type BenchDocument, benchDocuments } from './documents.ts';
import { BAR, bytesText, type Measured, speedLines } from './figures.ts';
import { measureInstalled } from './installed.ts';
import { watchInterrupts } from './interrupts.ts';
import { openKnown } from './known-scan.ts';
import { startLinkServer } from './link-server.ts';
import { type Bench, type MeasuredScan, measuredScan } from './measured-scan.ts';
import { newFileCosts } from './new-files.ts';
import { startOwnWorker } from './own-worker.ts';
import { imageSizes, podProgramStart } from './pod-program.ts';
import { runBarePods, runJob } from './pod-runs.ts';
import { scriptNames, watchCommands } from './redis-commands.ts';
import { watchLatency } from './watch-latency.ts';

const KNOWN_COMPARED = 1000;

const repo = join(import.meta.dirname, '..');
const count = z.coerce.number().int().min(0);
const settings = z
  .object({
    BENCH_FILES: count.min(1).default(100),
    BENCH_PARALLEL: count.min(1).default(20),
    BENCH_KNOWN: count.default(10_000),
    BENCH_LARGE: count.default(0),
    BENCH_INSTALLED: count.default(50),
    BENCH_IDLE_SECONDS: count.default(60),
    BENCH_ONLY: z.enum(['installed']).optional(),
    PRISTINE_HOST_ADDRESS: z.string(),
  })
  .parse(process.env);
const layout = layoutOf(repo, process.env);
const run = Date.now().toString(36);
// PRISTINE_FILE_ROOTS are resolved: a link may lead there.
const folder = join(realpathSync(join(layout.state, 'demo')), `bench-${run}`);
const say = (...lines: string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));

const interrupts = watchInterrupts();
interrupts.undo(() => rm(folder, { recursive: true, force: true }));

try {
  await withBench(settings.BENCH_ONLY === undefined ? measure : installed);
} catch (error) {
  // What was removed under its feet, failed: the interrupt ends the process.
  if (interrupts.happened()) await new Promise(() => {});
  if (!(error instanceof OperatorError)) throw error;
  console.error(`pristine: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(bench: Bench): Promise<void> {
  const { BENCH_FILES: files, BENCH_PARALLEL: parallel, BENCH_KNOWN: many, BENCH_LARGE: large } = settings;
  say(
    `BENCH_FILES=${files} BENCH_PARALLEL=${parallel} BENCH_KNOWN=${many} BENCH_LARGE=${large} make bench`,
    'Other work on this machine moves every second printed here; the ratios and the counts hold.',
    '',
  );
  const { measured, scan, documents, warm } = await compareSpeed(bench);
  reportSpeed(measured);

  say('', `What a new file costs: ${files} files by a worker, a Redis and an API server of their own`, '');
  say(...newFileLines(await newFileCosts(bench, scan, documents)));
  const memory = [memoryLines(`${files} new files`, files, scan.seconds, scan.memory)];
  if (large > 0) {
    const { scan: more } = await scanNew(bench, 'large', large);
    memory.push(memoryLines(`${large} new files`, large, more.seconds, more.memory));
  }

  const known = await openKnown(bench, warm.destination, warm.document);
  try {
    say('', `What a known file costs: scans of ${KNOWN_COMPARED} files whose contents are done`, '');
    const compared = await known.compare(KNOWN_COMPARED);
    const { scan: unchanged, first, second, empty, least } = compared;
    const others = { first: first.seconds, second: second.seconds, empty: empty.seconds };
    say(...knownFileLines({ ...unchanged, others, least }));
    if (many > 0) {
      const scanned = await known.many(many);
      memory.push(memoryLines(`${many} known files`, many, scanned.seconds, scanned.memory));
    }
  } finally {
    await known.close();
  }
  say(
    '',
    'Memory of the worker (VmRSS, twice a second while a scan ran): it is to be flat',
    '',
    ...memory.flat(),
  );
  say('  10,000 new files on pods without containers: make soak.');
  await installed(bench);
  await reportPodProgram();
  say('');
  await watchLatency(layout, say);
}

async function installed(bench: Bench): Promise<void> {
  const {
    BENCH_INSTALLED: files,
    BENCH_IDLE_SECONDS: idleSeconds,
    BENCH_PARALLEL: parallel,
    PRISTINE_HOST_ADDRESS: host,
  } = settings;
  if (files === 0) return;
  say('', `BENCH_INSTALLED=${files} BENCH_IDLE_SECONDS=${idleSeconds} BENCH_PARALLEL=${parallel}`);
  await measureInstalled(layout, bench, { files, parallel, idleSeconds, host }, interrupts, say);
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const name = `bench-${run}`;
  const worker = await startOwnWorker(layout, { name, host: settings.PRISTINE_HOST_ADDRESS, folder });
  const { instance, namespace } = worker.config.kubernetes;
  const pods = ['-n', namespace, 'delete', 'pods', '-l', filePodSelector(instance), '--wait=false'];
  const done = interrupts.undo(async () => {
    await worker.abandon();
    await tool(layout, 'kubectl', pods);
  });
  try {
    const scans = await connectScanClient(worker.config).catch((error: Error) => {
      throw new OperatorError(`${error.message} Run make up.`);
    });
    const connection = await Connection.connect(await temporalOptions(worker.config));
    const scripts = scriptNames(join(repo, 'drivers/redis/scripts'));
    const commands = await watchCommands(worker.redisUrl, scripts);
    try {
      const client = new Client({
        connection,
        namespace: worker.config.temporal.namespace,
        ...dataConverterOf(worker.config),
      });
      await work({
        run,
        folder,
        worker,
        scans,
        client,
        commands,
        scripts,
        parallel: settings.BENCH_PARALLEL,
      });
    } finally {
      commands.close();
      await connection.close();
      await scans.close();
    }
  } finally {
    await worker.stop();
    done();
  }
}

/** Pristine, then the Job, then bare pods; a few of each before, so that nobody pays for a cold start. */
async function compareSpeed(bench: Bench) {
  const { BENCH_FILES: files, BENCH_PARALLEL: parallel, PRISTINE_HOST_ADDRESS: host } = settings;
  const { config } = bench.worker;
  const kube = loadKubeConfig(process.env.KUBECONFIG);
  const cluster = {
    config: kube,
    core: kube.makeApiClient(CoreV1Api),
    batch: kube.makeApiClient(BatchV1Api),
    namespace: config.kubernetes.namespace,
    run,
  };
  const plain = await benchDocuments(join(folder, 'plain'), `${run} plain`, files);
  const server = await startLinkServer(
    host,
    join(folder, 'out'),
    plain.map(({ path }) => path),
  );
  const maker = { config, run, server: server.url };
  try {
    const few = Math.min(parallel, files);
    say(`Warming up with ${few} pods and a scan of ${few} files…`);
    await runBarePods(cluster, barePods(maker, 'w', plain.slice(0, few)), parallel);
    const warm = await scanNew(bench, 'warm', few);
    say(
      `Pristine: temporal workflow start --type scan --input '{…, "parallelFiles": ${parallel}}' on ${files} files…`,
    );
    const { scan, documents } = await scanNew(bench, 'scan', files);
    say(
      `Indexed Job: kubectl create, completions: ${files}, parallelism: ${parallel}, the same three containers…`,
    );
    const job = await runJob(cluster, jobOf(maker, plain, parallel));
    say(`Bare pods: kubectl create, ${files} of the same pods, ${parallel} at a time…`);
    const bare = await runBarePods(cluster, barePods(maker, 'b', plain), parallel);
    const measured: Measured[] = [
      { what: 'Pristine', files, seconds: scan.seconds },
      { what: 'Indexed Job of the same pods', files, seconds: job },
      { what: 'bare pods', files, seconds: bare },
    ];
    const [document] = warm.documents;
    if (document === undefined) throw new Error('nothing was scanned to warm up');
    return { measured, scan, documents, warm: { destination: warm.destination, document } };
  } finally {
    await server.close();
  }
}

type NewScan = { scan: MeasuredScan; documents: BenchDocument[]; destination: string };

/** A scan of files whose contents nobody has seen. */
async function scanNew(bench: Bench, name: string, files: number): Promise<NewScan> {
  const source = join(folder, name);
  const documents = await benchDocuments(source, `${run} ${name}`, files);
  const destination = `${source}-clean`;
  const scan = await measuredScan(bench, { name, source, destination, files, expected: 'rebuilt' });
  return { scan, documents, destination };
}

function reportSpeed(measured: readonly Measured[]): void {
  say('', 'Speed: from the first request until the last result; every side in this run', '');
  say(...speedLines(measured, 'Indexed Job of the same pods'));
  say('', `  The bar for Pristine is ${BAR}. It also lists, hashes, signs, verifies, commits, delivers`);
  say('  and deletes; of the others only the pods themselves are counted, not their deletion.');
}

async function reportPodProgram(): Promise<void> {
  const { bundleBytes, milliseconds } = await podProgramStart(repo);
  say('', 'The program in the pod, and the images', '');
  say(`  ${'start until it wants its orders'.padEnd(34)}${`${milliseconds.toFixed(0)} ms`.padStart(9)}`);
  say(`  ${'bundle'.padEnd(34)}${bytesText(bundleBytes).padStart(9)}`, ...(await imageSizes(layout)));
}
