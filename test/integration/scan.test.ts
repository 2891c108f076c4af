/** The whole way on real parts: Temporal, Kubernetes, Redis with Bloom, S3, the worker as a process. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import type { Outcome, Progress, ScanSummary } from '../../workflows/contract.ts';
import { QUERY, UPDATE } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { putDemoDocuments } from './demo-files.ts';
import { expectAccounted, expectNothingLeft, filesBelow, readManifest } from './oracle.ts';
import type { WorkerProcess } from './worker-process.ts';
import { startWorker } from './worker-process.ts';

let worker: WorkerProcess;
let connection: Connection;
let client: Client;
let scans = 0;

beforeAll(async () => {
  connection = await Connection.connect({ address: stackVariable('TEMPORAL_ADDRESS') });
  client = new Client({ connection });
  worker = await startWorker();
  await worker.ready();
}, 120_000);
afterAll(async () => {
  await worker?.stop();
  await connection?.close();
});

/** A source and a destination folder of their own. */
function places(): { source: string; destination: string } {
  const base = join(worker.folder, `place-${++scans}`);
  const [source, destination] = [join(base, 'in'), join(base, 'out')];
  mkdirSync(source, { recursive: true });
  return { source, destination };
}
const start = (source: string, destination: string, more: Record<string, unknown> = {}) =>
  client.workflow.start('scan', {
    taskQueue: worker.taskQueue,
    workflowId: `${worker.instance}-${++scans}`,
    args: [{ source: `file://${source}`, destination: `file://${destination}`, profile: 'faulty', ...more }],
  });
async function run(source: string, destination: string, more: Record<string, unknown> = {}) {
  const handle = await start(source, destination, more);
  return { scan: handle.workflowId, summary: (await handle.result()) as ScanSummary };
}
const outcomesOf = (destination: string, scan: string): Record<string, Outcome> =>
  Object.fromEntries(readManifest(destination, scan).map((line) => [line.path, line.outcome]));
const podsMade = () => worker.events('pod.created').length;
const podsUnserved = () => worker.events('pod.ended').filter((event) => event.class === 'transfer').length;

describe('a folder of documents, rebuilt by mat2', () => {
  test('every file has one outcome; a second scan delivers the same without a pod', async () => {
    const { source, destination } = places();
    await putDemoDocuments(async (name, body) => {
      mkdirSync(join(source, name, '..'), { recursive: true });
      writeFileSync(join(source, name), body);
    });
    const first = await run(source, destination, { profile: 'default' });
    expectAccounted(source, destination, first.scan, first.summary);
    expect(first.summary.outcomes.rebuilt).toBeGreaterThan(10);
    expect(first.summary.outcomes.refused).toBeGreaterThan(2);
    expect(first.summary.outcomes).toMatchObject({ quarantined: 0, changed: 0, gone: 0 });

    const outcomes = outcomesOf(destination, first.scan);
    for (const file of filesBelow(source)) {
      const clean = join(destination, 'tree', file);
      const isClean = outcomes[file] === 'rebuilt' || outcomes[file] === 'delivered';
      expect([file, existsSync(clean)]).toEqual([file, isClean]);
    }
    await expectNothingLeft(worker);

    const before = podsMade();
    const second = await run(source, destination, { profile: 'default' });
    expectAccounted(source, destination, second.scan, second.summary);
    expect(podsMade()).toBe(before);
    expect(second.summary.outcomes).toMatchObject({
      rebuilt: 0,
      delivered: first.summary.outcomes.rebuilt + first.summary.outcomes.delivered,
      refused: first.summary.outcomes.refused,
    });
  }, 300_000);
});

describe('engines that fail', () => {
  test('verdicts are kept, crashes are retried and then quarantined, by record also the next time', async () => {
    const { source, destination } = places();
    const modes = ['rebuild', 'refuse', 'refuse-by-exit', 'exit 1', 'exit 0', 'crash'];
    for (const mode of modes) writeFileSync(join(source, mode), `${mode}\n${worker.instance} ${scans}\n`);
    const before = podsMade();
    const { scan, summary } = await run(source, destination, { retries: 1 });
    expectAccounted(source, destination, scan, summary);
    expect(outcomesOf(destination, scan)).toEqual({
      rebuild: 'rebuilt',
      refuse: 'refused',
      'refuse-by-exit': 'refused',
      'exit 1': 'quarantined',
      'exit 0': 'quarantined',
      crash: 'quarantined',
    });
    // One pod each for what was decided at once, two for what had one retry.
    expect(podsMade() - before).toBe(3 + 2 * 3);
    expect(filesBelow(join(destination, 'tree'))).toEqual(['rebuild']);
    for (const line of readManifest(destination, scan)) {
      if (line.outcome !== 'rebuilt') expect(line.reason).toMatch(/\w{3}/);
    }
    await expectNothingLeft(worker);

    const again = await run(source, destination, { retries: 1 });
    expect(podsMade() - before).toBe(9);
    expect(again.summary.outcomes).toMatchObject({ delivered: 1, refused: 2, quarantined: 3 });
  }, 300_000);

  test('what is refused now leaves nothing of an older content of its name on the clean side', async () => {
    const { source, destination } = places();
    writeFileSync(join(source, 'report'), `rebuild\n${worker.instance} ${scans} first\n`);
    await run(source, destination);
    expect(filesBelow(join(destination, 'tree'))).toEqual(['report']);
    writeFileSync(join(source, 'report'), `refuse\n${worker.instance} ${scans} second\n`);
    const { summary } = await run(source, destination);
    expect(summary.outcomes.refused).toBe(1);
    expect(existsSync(join(destination, 'tree/report'))).toBe(false);
  }, 120_000);
});

describe('crashes and losses', () => {
  test('the worker is killed in the middle: nothing lost, nothing done twice', async () => {
    const { source, destination } = places();
    for (let n = 0; n < 8; n++)
      writeFileSync(join(source, `file-${n}`), `slow 3\n${worker.instance} ${scans} ${n}\n`);
    const handle = await start(source, destination, { parallelFiles: 4 });
    const before = podsMade();
    const earlier = podsUnserved();
    await until(() => podsMade() - before >= 4);
    await worker.restart();
    const summary = (await handle.result()) as ScanSummary;
    expectAccounted(source, destination, handle.workflowId, summary);
    expect(summary.outcomes.rebuilt).toBe(8);
    // The file server dies with the worker: only a pod that asked it in vain for too long is made once more.
    expect(podsMade() - before).toBe(8 + podsUnserved() - earlier);
    await expectNothingLeft(worker);
  }, 300_000);

  test('a scan that is cancelled takes its pods and locks with it', async () => {
    const { source, destination } = places();
    for (let n = 0; n < 3; n++) {
      writeFileSync(join(source, `file-${n}`), `slow 30\n${worker.instance} ${scans} ${n}\n`);
    }
    const before = podsMade();
    const handle = await start(source, destination);
    await until(() => podsMade() - before >= 3);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(/cancelled/i);
    await expectNothingLeft(worker);
    expect(existsSync(join(destination, 'tree'))).toBe(false);
  }, 120_000);

  test('a scan that is terminated lets the files in work finish, and the next one delivers them', async () => {
    const { source, destination } = places();
    for (let n = 0; n < 3; n++) {
      writeFileSync(join(source, `file-${n}`), `slow 3\n${worker.instance} ${scans} ${n}\n`);
    }
    const before = podsMade();
    const handle = await start(source, destination);
    await until(() => podsMade() - before >= 3);
    await handle.terminate('by hand');
    await expectNothingLeft(worker);
    const { scan, summary } = await run(source, destination);
    expectAccounted(source, destination, scan, summary);
    expect(podsMade() - before).toBe(3);
    expect(summary.outcomes.delivered).toBe(3);
  }, 120_000);

  test('content that went missing behind its record is rebuilt, not lost', async () => {
    const { source, destination } = places();
    writeFileSync(join(source, 'one'), `rebuild\n${worker.instance} ${scans}\n`);
    await run(source, destination);
    rmSync(destination, { recursive: true });
    const { scan, summary } = await run(source, destination);
    expectAccounted(source, destination, scan, summary);
    expect(summary.outcomes.rebuilt).toBe(1);
    expect(existsSync(join(destination, 'tree/one'))).toBe(true);
  }, 120_000);

  test('the same content in another destination is brought over without an engine run', async () => {
    const { source, destination } = places();
    writeFileSync(join(source, 'one'), `rebuild\n${worker.instance} ${scans}\n`);
    await run(source, destination);
    const before = podsMade();
    const other = places().destination;
    const { scan, summary } = await run(source, other);
    expectAccounted(source, other, scan, summary);
    expect(summary.outcomes.delivered).toBe(1);
    expect(podsMade()).toBe(before);
  }, 120_000);
});

describe('from bucket to bucket', () => {
  test('presigned links in and out; names with newline, quotes and direction marks', async () => {
    const { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand } = await import(
      '@aws-sdk/client-s3'
    );
    const { createS3Client } = await import('../../drivers/s3/client.ts');
    const s3 = createS3Client({
      endpoint: stackVariable('AWS_ENDPOINT_URL_S3'),
      region: stackVariable('AWS_REGION'),
      forcePathStyle: true,
      credentials: {
        accessKeyId: stackVariable('AWS_ACCESS_KEY_ID'),
        secretAccessKey: stackVariable('AWS_SECRET_ACCESS_KEY'),
      },
    });
    const bucket = worker.instance;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const names = ['plain', 'a b/c "d"', 'new\nline', 'rtl\u202Egpj.exe'];
    for (const name of names) {
      const Body = `rebuild\n${bucket} ${name}\n`;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `in/${name}`, Body }));
    }
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'in/no', Body: `refuse\n${bucket}\n` }));
    const handle = await client.workflow.start('scan', {
      taskQueue: worker.taskQueue,
      workflowId: `${worker.instance}-s3`,
      args: [{ source: `s3://${bucket}/in/`, destination: `s3://${bucket}/out/`, profile: 'faulty' }],
    });
    const summary = (await handle.result()) as ScanSummary;
    expect(summary).toMatchObject({
      listed: names.length + 1,
      outcomes: { rebuilt: names.length, refused: 1 },
    });
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: 'out/tree/' }),
    );
    const delivered = Contents.map(({ Key = '' }) => Key);
    expect(delivered.sort()).toEqual(names.map((name) => `out/tree/${name}`).sort());
    await expectNothingLeft(worker);
    s3.destroy();
  }, 180_000);
});

describe('watch', () => {
  test('goes on listing, holds no pod while there is nothing new, ends on drain with its books balanced', async () => {
    const { source, destination } = places();
    writeFileSync(join(source, 'first'), `rebuild\n${worker.instance} ${scans} first\n`);
    const handle = await start(source, destination, { watch: 1 });
    const progress = () => handle.query<Progress>(QUERY.progress).catch(() => undefined);
    await until(async () => (await progress())?.done.rebuilt === 1);
    await until(async () => ((await progress())?.pass ?? 0) > 2);
    expect((await progress())?.listed).toBe(1);
    await expectNothingLeft(worker);
    writeFileSync(join(source, 'second'), `rebuild\n${worker.instance} ${scans} second\n`);
    await until(async () => (await progress())?.done.rebuilt === 2);
    await handle.executeUpdate(UPDATE.drain);
    const summary = (await handle.result()) as ScanSummary;
    expectAccounted(source, destination, handle.workflowId, summary);
  }, 180_000);
});

describe('wrong input fails within seconds, with the reason', () => {
  const reasonOf = async (input: Record<string, unknown>) => {
    const { source, destination } = places();
    const started = Date.now();
    const failure = await run(source, destination, input).catch((error: unknown) => error);
    if (!(failure instanceof WorkflowFailedError)) throw failure;
    expect(Date.now() - started).toBeLessThan(30_000);
    let cause: Error | undefined = failure.cause;
    while (cause?.cause instanceof Error) cause = cause.cause;
    return cause?.message;
  };

  test.each([
    ['a wrong field', { sauce: 1 }, /unknown field "sauce": allowed are source, destination/],
    ['no files at a time', { parallelFiles: 0 }, /"parallelFiles": given 0, expected at least 1/],
    ['negative retries', { retries: -1 }, /"retries": given -1, expected at least 0/],
    ['a profile nobody knows', { profile: 'nope' }, /"profile": given "nope".*default, faulty/],
    ['a source outside the roots', { source: 'file:///etc' }, /FILE_ROOTS/],
    ['a scheme nobody knows', { source: 'ftp://host/' }, /file|s3/],
    ['a bucket that is not there', { source: 's3://no-such-bucket-here/' }, /no-such-bucket-here/],
  ])('%s', async (_, input, reason) => {
    expect(await reasonOf(input)).toMatch(reason);
  });

  test('a missing source', async () => {
    expect(await reasonOf({ source: `file://${worker.folder}/nowhere` })).toMatch(/nowhere/);
  });

  test('a destination that overlaps the source', async () => {
    const source = join(worker.folder, 'overlap');
    mkdirSync(source, { recursive: true });
    expect(await reasonOf({ source: `file://${source}`, destination: `file://${source}/out` })).toMatch(
      /overlaps/,
    );
  });

  test('a destination that can not be written', async () => {
    const file = join(worker.folder, 'a-file');
    writeFileSync(file, 'in the way');
    expect(await reasonOf({ destination: `file://${file}/out` })).toMatch(/a-file/);
  });
});

test('SIGTERM drains and ends with 0', async () => {
  const other = await startWorker();
  await other.ready();
  expect(await other.stop()).toBe(0);
}, 60_000);
