/** What lies between a pod and its file: disks that are full, downloads that break, stores that fail. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { S3Destination } from '../../drivers/destination/s3.ts';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import { createS3Client } from '../../drivers/s3/client.ts';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { keysOf } from '../contract/collect.ts';
import { openTestStore, testStoreSettings } from '../contract/s3-store.ts';
import { until } from '../contract/until.ts';
import { expectWhole, filesBelow, readManifest } from '../integration/oracle.ts';
import { type HttpFault, httpFaultProxy, type ProxiedRequest } from './http-fault-proxy.ts';
import { openScene, type Scene, sha256Of } from './scene.ts';
import {
  expectEngineSawOnlyItsContent,
  fileOf,
  filesBehindProxy,
  storeBehindProxy,
} from './transfer-places.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

const body = (who: string, kilobytes: number) => `rebuild\n${who}\n${'x'.repeat(kilobytes * 1024)}`;
const s3Failure = (status: number, code: string): HttpFault => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`,
});

/** Counted as the oracle does, by the content's part of their names. */
function podsFor(made: Record<string, unknown>[], sha256: string): number {
  const stem = podName(sha256, '00000000', 0).slice(0, -'00000000-a0'.length);
  return made.filter(({ pod }) => String(pod).startsWith(stem)).length;
}

test('F26 the destination is full: no truncated file, and the scan goes on once there is room', async () => {
  const base = mkdtempSync(join(tmpdir(), 'pristine-full-'));
  const [source, small] = [join(base, 'in'), join(base, 'small')];
  for (const folder of [source, small]) mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', small]);
  try {
    const worker = await scene.worker({ PRISTINE_FILE_ROOTS: `${source}:${small}` });
    const destination = join(small, 'out');
    for (const name of ['a', 'b']) writeFileSync(join(source, name), body(`${worker.instance} ${name}`, 700));
    const handle = await scene.client.workflow.start('scan', {
      taskQueue: worker.taskQueue,
      workflowId: `${worker.instance}-full`,
      args: [
        { source: `file://${source}`, destination: `file://${destination}`, profile: 'faulty', retries: 5 },
      ],
    });
    // One fits in its slot, not twice, and the other not at all.
    await until(() => worker.events('pod.ended').some(({ kind }) => kind !== 'uploaded'));
    for (const file of filesBelow(destination).filter((each) => /rebuilt$|tree\//.test(each))) {
      expect([file, readFileSync(join(destination, file)).length > 700 * 1024]).toEqual([file, true]);
    }
    execFileSync('mount', ['-o', 'remount,size=64m', small]);
    const summary: ScanSummary = await handle.result();
    expect(summary.outcomes).toMatchObject({ rebuilt: 2, quarantined: 0 });
    const pods = Object.fromEntries(
      readManifest(destination, handle.workflowId).map((line) => [
        line.sha256,
        podsFor(worker.events('pod.created'), line.sha256 ?? ''),
      ]),
    );
    await expectWhole({ workers: [worker], source, destination, scan: handle.workflowId, summary, pods });
    expectEngineSawOnlyItsContent(destination);
    expect(readdirSync(join(small, '.pristine-tmp'))).toEqual([]);
  } finally {
    execFileSync('umount', ['--lazy', small]);
    rmSync(base, { recursive: true });
  }
}, 600_000);

test('F26 the scratch of a pod is full: the attempt fails, nothing is delivered', async () => {
  const worker = await scene.worker();
  const place = scene.inFolders(worker);
  await place.put('fills', `disk out\n${worker.instance}\n`);
  await place.put('good', `rebuild\n${worker.instance}\n`);
  const scan = await scene.start(worker, place, { retries: 0 });
  const summary = await scene.expectSound(worker, place, scan);
  expect(summary.outcomes).toMatchObject({ rebuilt: 1, quarantined: 1 });
  const { destination } = await place.see();
  expect(filesBelow(join(destination, 'tree'))).toEqual(['good']);
}, 400_000);

test('F27 downloads cut off, corrupted or stalled: the engine never sees them, and all are rebuilt in the end', async () => {
  const { proxy, worker } = await filesBehindProxy(scene);
  const place = scene.inFolders(worker);
  const faults: Record<string, (nth: number) => HttpFault | undefined> = {
    fair: () => undefined,
    // Within one pod.
    truncated: (nth) => (nth < 2 ? { cutBodyAfter: 1000 } : undefined),
    flipped: (nth) => (nth < 2 ? { flipBit: 2000 + nth } : undefined),
    refusing: (nth) => (nth < 2 ? { status: 503 } : undefined),
    // Longer than one pod has patience.
    'always-cut': (nth) => (nth < 5 ? { cutBodyAfter: 1000 + nth } : undefined),
    stalled: (nth) => (nth < 1 ? { stallBodyAfter: 1000 } : undefined),
  };
  const texts = Object.fromEntries(
    Object.keys(faults).map((name) => [name, body(`${worker.instance} ${name}`, 200)]),
  );
  for (const [name, text] of Object.entries(texts)) await place.put(name, text);
  const seen: Record<string, number> = {};
  proxy.meet((request) => {
    if (request.method !== 'GET') return undefined;
    const name = fileOf(request);
    const nth = seen[name] ?? 0;
    seen[name] = nth + 1;
    return faults[name]?.(nth);
  });
  try {
    const scan = await scene.start(worker, place);
    const twice = Object.fromEntries(
      ['always-cut', 'stalled'].map((name) => [sha256Of(texts[name] ?? ''), 2]),
    );
    const summary = await scene.expectSound(worker, place, scan, twice);
    expect(summary.outcomes.rebuilt).toBe(Object.keys(faults).length);
    expect(seen).toMatchObject({
      fair: 1,
      truncated: 3,
      flipped: 3,
      refusing: 3,
      'always-cut': 6,
    });
    // Once stalled, once whole; the pod that met the stall may have begun another before its deadline.
    expect(seen.stalled).toBeGreaterThanOrEqual(2);
    expectEngineSawOnlyItsContent((await place.see()).destination);
  } finally {
    await proxy.close();
  }
}, 600_000);

test('F28 a store that fails, slows down, conflicts and loses its answers: no page skipped, one result', async () => {
  const { proxy, worker } = await storeBehindProxy(scene);
  const place = await scene.inBucket();
  const names = Array.from({ length: 8 }, (_, at) => `file-${at}`);
  for (const name of names) await place.put(name, `rebuild\n${worker.instance} ${name}\n`);
  const met: Record<string, number> = {};
  const nth = (what: string) => {
    met[what] = (met[what] ?? 0) + 1;
    return met[what];
  };
  const fault = ({ method, path, query }: ProxiedRequest): HttpFault | undefined => {
    // More in a row than the SDK tries.
    if (query.has('list-type') && nth('list') <= 4) return s3Failure(503, 'SlowDown');
    if (method === 'GET' && path.includes('/in/file-') && nth('get') <= 4)
      return s3Failure(500, 'InternalError');
    if (method === 'PUT' && path.endsWith('/receipt.json')) {
      const at = nth('receipt');
      if (at === 1) return s3Failure(409, 'ConditionalRequestConflict');
      // It stands, and its writer meets it as somebody's: 412.
      if (at === 2 || at === 3) return 'lose-answer';
      if (at <= 7) return s3Failure(503, 'SlowDown');
    }
    if (method === 'PUT' && path.endsWith('/rebuilt')) {
      const at = nth('upload');
      if (at <= 2) return 'lose-answer';
      if (at <= 4) return s3Failure(500, 'InternalError');
    }
    if (method === 'PUT' && path.includes('/tree/') && nth('tree') <= 4) return s3Failure(503, 'SlowDown');
    return undefined;
  };
  proxy.meet(fault);
  try {
    const scan = await scene.start(worker, place, { parallelFiles: 4 });
    const summary = await scene.expectSound(worker, place, scan);
    expect(summary.outcomes.rebuilt).toBe(names.length);
    for (const what of ['list', 'get', 'upload', 'tree'])
      expect([what, met[what]]).not.toEqual([what, undefined]);
    expect(met.receipt).toBeGreaterThan(names.length);
    const { destination } = await place.see();
    expectEngineSawOnlyItsContent(destination);
    expect(filesBelow(join(destination, 'tree'))).toEqual(names);
  } finally {
    await proxy.close();
  }
}, 600_000);

test('F28 a multipart upload whose completion says 200 and means an error: nothing appears, nothing stays', async () => {
  const store = await openTestStore();
  const proxy = await httpFaultProxy(testStoreSettings().endpoint);
  const client = createS3Client({ ...testStoreSettings(), endpoint: proxy.url });
  try {
    const destination = new S3Destination(client, parseS3Url(`s3://${store.bucket}/out/`, 'destination'));
    const large = () => Readable.from([Buffer.alloc(12 * 1024 ** 2, 'm')]);
    const said = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>sorry</Message></Error>';
    let completions = 0;
    proxy.meet(({ method, query }) => {
      if (method !== 'POST' || !query.has('uploadId')) return undefined;
      completions += 1;
      return { status: 200, headers: { 'content-type': 'application/xml' }, body: said };
    });
    await expect(destination.write('content/large', large())).rejects.toMatchObject({
      code: 'destination.unavailable',
      retryable: true,
    });
    expect(completions).toBeGreaterThan(0);
    expect(await keysOf(destination, 'content/')).toEqual([]);
    const { Uploads = [] } = await store.client.send(
      new ListMultipartUploadsCommand({ Bucket: store.bucket }),
    );
    expect(Uploads).toEqual([]);
    proxy.meet();
    expect((await destination.write('content/large', large())).size).toBe(12 * 1024 ** 2);
  } finally {
    client.destroy();
    await proxy.close();
    await store.close();
  }
}, 600_000);
