/** Keys, passwords and certificates that change while a scan is under way. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Redis } from 'ioredis';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { keyRingSchema } from '../../drivers/key-ring.ts';
import { UPLOAD_ENV } from '../../pod/protocol.ts';
import { dataConverterOf } from '../../workers/data-converter.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { loadBloom } from '../contract/redis-connection.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { expectAccounted, expectEngineRuns, expectWhole } from '../integration/oracle.ts';
import { startWorker, type WorkerProcess } from '../integration/worker-process.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene } from './scene.ts';
import { tlsFront } from './tls-front.ts';

const OLD = `old:${'an old secret of a test '.repeat(2)}`;
const NEW = `new:${'a new secret of a test '.repeat(2)}`;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 180_000);
afterAll(async () => {
  await scene?.close();
}, 180_000);

let written = 0;
async function put(place: Places, count: number, mode: string): Promise<void> {
  for (let n = 0; n < count; n++)
    await place.put(`${mode.replace(' ', '-')}-${n}`, `${mode}\n${++written}\n`);
}
const running = async (of: WorkerProcess) => (await scene.podsOf(of)).filter(inEngine);
/** The links that pods of this worker have in hand to put their rebuilt file to. */
const uploadLinks = async (of: WorkerProcess) =>
  (await scene.podsOf(of)).flatMap(({ spec }) =>
    (spec?.containers ?? [])
      .flatMap(({ env = [] }) => env)
      .flatMap(({ name, value }) => (name === UPLOAD_ENV.rebuilt && value !== undefined ? [value] : [])),
  );

describe('F44 keys of links', () => {
  test('F44 rotated mid-run: what is out is honoured, what is new is signed with the new key', async () => {
    const worker = await scene.worker({ PRISTINE_LINK_KEYS: OLD });
    const place = scene.inFolders(worker);
    // Long enough for a worker to be back: an upload is tried for some seconds only.
    await put(place, 4, 'slow 25');
    const scan = await scene.start(worker, place, { parallelFiles: 2, retries: 0 });
    await until(async () => (await running(worker)).length === 2);
    const before = await uploadLinks(worker);
    expect(before.map((link) => new URL(link).pathname.slice(0, 7))).toEqual(['/f/old.', '/f/old.']);
    await worker.restart({ PRISTINE_LINK_KEYS: `${NEW},${OLD}` });

    let after: string[] = [];
    await until(async () => {
      after = (await uploadLinks(worker)).filter((link) => !before.includes(link));
      return after.length === 2;
    });
    expect(after.every((link) => new URL(link).pathname.startsWith('/f/new.'))).toBe(true);
    // One pod each, with no attempt to spare: those of the old key got their upload through.
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt).toBe(4);

    // Their time is not over, and yet: whoever takes the key out has revoked them.
    const again = async () =>
      Promise.all(
        before.map(async (link) => {
          const headers = { 'if-none-match': '*' };
          return (await fetch(link, { method: 'PUT', body: 'late', headers })).status;
        }),
      );
    expect(await again()).toEqual([412, 412]);
    await worker.restart({ PRISTINE_LINK_KEYS: NEW });
    expect(await again()).toEqual([403, 403]);
  }, 400_000);
});

describe('F44 the password of Redis', () => {
  const servers: OwnRedis[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  test('F44 changed mid-run: not ready and said why, nothing is lost; with the new one the scan goes on', async () => {
    const server = await ownRedis([...(await loadBloom()), '--requirepass', 'first']);
    servers.push(server);
    await server.start();
    const urlWith = (password: string) => server.url.replace('://', `://:${password}@`);
    const worker = await scene.worker({ REDIS_URL: urlWith('first') });
    // Pods need no worker to be there for their uploads.
    const place = await scene.inBucket();
    await put(place, 4, 'slow 2');
    const scan = await scene.start(worker, place, { parallelFiles: 2 });
    await until(async () => (await running(worker)).length === 2);
    const operator = new Redis(urlWith('first'));
    await operator.config('SET', 'requirepass', 'second');
    // Who is connected stays so: until the next time.
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    operator.disconnect();

    await until(async () => (await worker.readiness()).status === 503);
    const { text } = await worker.readiness();
    expect(text).toMatch(/^index: Redis refuses the user or password/);
    expect(text).not.toContain('first');
    await until(() => worker.events('index.disconnected').length > 0);
    expect(JSON.stringify(worker.events('index.disconnected'))).not.toContain('first');
    expect((await scan.describe()).status.name).toBe('RUNNING');

    await worker.restart({ REDIS_URL: urlWith('second') });
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt).toBe(4);
  }, 400_000);
});

describe('F44 a certificate is over', () => {
  const opened: { close(): Promise<void> }[] = [];
  afterAll(() => Promise.all(opened.map((one) => one.close())));
  const frontOf = async (url: string) => {
    const { hostname, port } = new URL(url);
    const front = await tlsFront({ host: hostname, port: Number(port) });
    opened.push(front);
    return front;
  };

  test("F44 Redis's, mid-run: not ready and said why; when it is renewed the scan goes on by itself", async () => {
    const server = await ownRedis(await loadBloom());
    opened.push(server);
    await server.start();
    const front = await frontOf(server.url);
    const worker = await scene.worker({
      REDIS_URL: `rediss://127.0.0.1:${front.port}`,
      REDIS_TLS_CA_FILE: front.ca,
    });
    const place = scene.inFolders(worker);
    await put(place, 4, 'slow 2');
    const scan = await scene.start(worker, place, { parallelFiles: 2 });
    await until(async () => (await running(worker)).length === 2);
    front.expire();
    await until(async () => /its certificate has expired: renew it/.test((await worker.readiness()).text));
    expect((await worker.readiness()).status).toBe(503);
    expect((await scan.describe()).status.name).toBe('RUNNING');
    front.renew();
    await until(async () => (await worker.readiness()).status === 200);

    const summary: ScanSummary = await scan.result();
    expect(summary.outcomes.rebuilt).toBe(4);
    const seen = await place.see();
    // The oracle itself asks Redis without TLS.
    const workers = scene.team(worker).map((one) => ({ ...one, redisUrl: server.url }));
    await expectWhole({ ...seen, workers, scan: scan.workflowId, summary });
    await worker.stop();
  }, 400_000);

  test("F44 the store's: the scan says so at its start", async () => {
    const front = await frontOf(stackVariable('AWS_ENDPOINT_URL_S3'));
    const worker = await scene.worker({
      AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${front.port}`,
      NODE_EXTRA_CA_CERTS: front.ca,
    });
    const place = await scene.inBucket();
    await put(place, 1, 'rebuild');
    front.expire();
    const scan = await scene.start(worker, place);
    const failure: Error = await scan.result().catch((error: Error) => error);
    const messages: string[] = [];
    for (let at: unknown = failure; at instanceof Error; at = at.cause) messages.push(at.message);
    expect(messages.at(-1)).toMatch(/store can't be used: its certificate has expired: renew it there/);
  }, 180_000);

  test("F44 Temporal's: the worker and the command line end, and say so", async () => {
    const front = await frontOf(`http://${stackVariable('TEMPORAL_ADDRESS')}`);
    const through = {
      TEMPORAL_ADDRESS: `127.0.0.1:${front.port}`,
      TEMPORAL_TLS_CA_FILE: front.ca,
    };
    const worker = await scene.worker(through);
    front.expire();
    // What is connected has lost it.
    await until(async () =>
      /^temporal: .* its certificate has expired/m.test((await worker.readiness()).text),
    );
    const late = await startWorker(through);
    await late.ended();
    await expect(late.ready()).rejects.toThrow(
      new RegExp(`Temporal at 127.0.0.1:${front.port} can't be used: its certificate has expired: renew it`),
    );
    front.renew();
    await until(async () => (await worker.readiness()).status === 200);
    const place = scene.inFolders(worker);
    await put(place, 1, 'rebuild');
    const { outcomes } = await scene.expectSound(worker, place, await scene.start(worker, place));
    expect(outcomes.rebuilt).toBe(1);
  }, 400_000);
});

describe('F44 keys of payloads', () => {
  const codecKeys = (keys: string) => ({
    PRISTINE_CODEC_KEYS: keys,
    // Not the bundle that scenes share: failures are sealed too, by the workflows' own code.
    TEST_WORKFLOW_BUNDLE: '',
  });
  const clientWith = (keys: string) => {
    const settings = { codec: { keys: keyRingSchema.parse(keys) }, temporal: { namespace: 'default' } };
    return new Client({ connection: scene.connection, ...dataConverterOf(settings) });
  };
  const { History } = proto.temporal.api.history.v1;
  /** As Temporal keeps it, of the scan and its files. */
  async function historiesOf(worker: WorkerProcess, scan: string): Promise<string> {
    const ids = [scan, ...(await scene.childrenOf(worker)).map(({ workflowId }) => workflowId)];
    const histories = await Promise.all(ids.map((id) => scene.client.workflow.getHandle(id).fetchHistory()));
    return histories
      .map((history) => Buffer.from(History.encode(history).finish()).toString('latin1'))
      .join();
  }

  test('F44 rotated mid-scan: what was sealed before opens; one taken out too early is named, put back all goes on', async () => {
    const worker = await scene.worker(codecKeys(OLD));
    // Pods need no worker to be there for their uploads.
    const place = await scene.inBucket();
    await put(place, 3, 'slow 8');
    await put(place, 1, 'exit 7');
    // Sealed, as the pristine command sends it.
    const scan = await clientWith(OLD).workflow.start('scan', {
      taskQueue: worker.taskQueue,
      workflowId: `${worker.instance}-sealed`,
      args: [
        {
          source: place.source,
          destination: place.destination,
          profile: 'faulty',
          parallelFiles: 2,
          retries: 0,
        },
      ],
    });
    await until(async () => (await running(worker)).length > 0);

    await worker.restart(codecKeys(NEW));
    await until(() =>
      worker
        .events('sdk.logged')
        .some(({ reason }) => /key "old", which is not in PRISTINE_CODEC_KEYS/.test(String(reason))),
    );
    expect((await scan.describe()).status.name).toBe('RUNNING');
    await worker.restart(codecKeys(`${NEW},${OLD}`));

    const handle = clientWith(`${NEW},${OLD}`).workflow.getHandle(scan.workflowId);
    const summary: ScanSummary = await handle.result();
    expect(summary.outcomes).toMatchObject({ rebuilt: 3, quarantined: 1 });
    const seen = { ...(await place.see()), workers: scene.team(worker), scan: scan.workflowId, summary };
    expectAccounted(seen.source, seen.destination, scan.workflowId, summary);
    expectEngineRuns(seen);

    const histories = await historiesOf(worker, scan.workflowId);
    for (const plain of [place.source, worker.folder, 'slow-8-0', 'exited with', 'quarantined:'])
      expect(histories).not.toContain(plain);
    expect(histories).toContain('pristine-1-aes-256-gcm');
    await expect(clientWith(OLD).workflow.getHandle(scan.workflowId).result()).rejects.toThrow(/key "new"/);
  }, 400_000);

  test('F44 a scan that was started without keys goes on with them, and one in plain text is still taken', async () => {
    const worker = await scene.worker({ TEST_WORKFLOW_BUNDLE: '' });
    const place = await scene.inBucket();
    await put(place, 2, 'slow 6');
    const scan = await scene.start(worker, place, { parallelFiles: 1 });
    await until(async () => (await running(worker)).length > 0);
    await worker.restart(codecKeys(NEW));
    const summary: ScanSummary = await clientWith(NEW).workflow.getHandle(scan.workflowId).result();
    expect(summary.outcomes.rebuilt).toBe(2);
    await expectWhole({
      ...(await place.see()),
      workers: scene.team(worker),
      scan: scan.workflowId,
      summary,
    });
  }, 400_000);
});
