import { afterEach, describe, expect, test } from '@jest/globals';
import type { DriverError } from '../../../../drivers/errors.ts';
import { createPods } from '../../../../drivers/kubernetes/pods.ts';
import { podJson, SHA256, succeeded, terminated } from './pod-json.ts';
import { filePodRequest } from './pod-request.ts';
import { recordingLog } from './recording-log.ts';
import { type Answer, failure, type SeenRequest, scriptedApiServer } from './scripted-api-server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const POD_PATH = '/api/v1/namespaces/files/pods';
const listOf = (items: unknown[]): Answer => ({ json: { metadata: { resourceVersion: '1' }, items } });

/** Pods whose server answers lists by itself and everything else as told. */
async function podsOn(
  answer: (request: SeenRequest) => Answer,
  items: unknown[] = [],
  requestTimeoutMs = 5_000,
) {
  const server = await scriptedApiServer((request) => {
    if (request.method !== 'GET' || request.path !== POD_PATH) return answer(request);
    return request.query.has('watch') ? () => undefined : listOf(items);
  });
  const logger = recordingLog();
  const pods = createPods({
    kubeConfig: server.kubeConfig,
    settings: { namespace: 'files', instance: 'here' },
    manifest: ({ name }) => ({ metadata: { name }, spec: { containers: [] } }),
    logger,
    api: { requestTimeoutMs },
  });
  closing.push(server.close, () => pods.close());
  return { pods, server, logger };
}

const request = filePodRequest();
const ours = {
  'pristine.dev/sha256': SHA256,
  'pristine.dev/profile-fingerprint': request.profile.fingerprint,
  'pristine.dev/workflow-id': request.workflowId,
  'pristine.dev/run-id': request.runId,
  'pristine.dev/slot': 'a1-first',
};
const byOther = { 'pristine.dev/run-id': 'other' };
const HERE = '0123456789abcdef';
const THERE = 'fedcba9876543210';
const existing = (more: Parameters<typeof podJson>[0] = {}) =>
  podJson({ name: request.name, annotations: ours, ...more });

async function errorOf(promise: Promise<unknown>): Promise<DriverError> {
  return promise.then(
    () => {
      throw new Error('it went well');
    },
    (error) => error,
  );
}

describe('create', () => {
  test('sends the manifest, so that a field the server does not know is an error', async () => {
    const { pods, server, logger } = await podsOn(() => ({ json: existing({ uid: 'new' }) }));
    expect(await pods.create(request)).toEqual({
      name: request.name,
      uid: 'new',
      slot: 'a1-nonce',
      adopted: false,
    });
    const post = server.requests.find(({ method }) => method === 'POST');
    expect(post?.path).toBe(POD_PATH);
    expect(post?.query.get('fieldValidation')).toBe('Strict');
    expect(post?.body).toEqual({ metadata: { name: request.name }, spec: { containers: [] } });
    expect(logger.events).toContain('pod.created');
  });

  const exists = failure(409, 'AlreadyExists', `pods "${request.name}" already exists`);
  const onConflict = (found: Answer) =>
    podsOn(({ method }) => (method === 'POST' ? exists : method === 'GET' ? found : { json: {} }));

  test.each<[string, Parameters<typeof podJson>[0]]>([
    ['that runs', {}],
    ['that has succeeded', succeeded({ annotations: ours })],
    ['that has failed, of the same run', { fetch: terminated(13), status: { phase: 'Failed' } }],
    ['of another run', { annotations: { ...ours, ...byOther, 'pristine.dev/places': HERE } }],
    ['of another run and an older release', { annotations: { ...ours, ...byOther } }],
    ['of the same run, wherever its links lead', { annotations: { ...ours, 'pristine.dev/places': THERE } }],
  ])('adopts a pod %s', async (_, sketch) => {
    const { pods, logger } = await onConflict({ json: existing(sketch) });
    expect(await pods.create({ ...request, places: HERE })).toEqual({
      name: request.name,
      uid: 'uid-1',
      slot: 'a1-first',
      adopted: true,
    });
    expect(logger.events).toContain('pod.adopted');
  });

  test.each<[string, Parameters<typeof podJson>[0]]>([
    ['another content', { annotations: { ...ours, 'pristine.dev/sha256': '0'.repeat(64) } }],
    ['another profile', { annotations: { ...ours, 'pristine.dev/profile-fingerprint': '00000000' } }],
    ['no annotations', { annotations: {} }],
    ['a slot that is a path', { annotations: { ...ours, 'pristine.dev/slot': 'a1-../../tree' } }],
    ['another installation', { metadata: { labels: { 'pristine.dev/instance': 'there' } } }],
  ])('keeps off a pod of %s', async (_, sketch) => {
    const { pods, server } = await onConflict({ json: existing(sketch) });
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.conflict',
      retryable: false,
    });
    expect(server.requests.some(({ method }) => method === 'DELETE')).toBe(false);
  });

  test('waits for a pod that is being deleted', async () => {
    const { pods } = await onConflict({
      json: existing({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    });
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.conflict',
      retryable: true,
      retryAfterMs: 1_000,
    });
  });

  test.each<[string, Parameters<typeof podJson>[0]]>([
    [
      'failed pod',
      { annotations: { ...ours, ...byOther }, fetch: terminated(13), status: { phase: 'Failed' } },
    ],
    [
      'pod whose links lead elsewhere',
      { annotations: { ...ours, ...byOther, 'pristine.dev/places': THERE } },
    ],
    [
      'pod that has uploaded elsewhere',
      succeeded({ annotations: { ...ours, ...byOther, 'pristine.dev/places': THERE } }),
    ],
  ])('removes another run’s %s, that one only, and is tried again', async (_, sketch) => {
    const { pods, server } = await onConflict({ json: existing(sketch) });
    expect(await errorOf(pods.create({ ...request, places: HERE }))).toMatchObject({
      code: 'kubernetes.conflict',
      retryable: true,
    });
    const deleted = server.requests.filter(({ method }) => method === 'DELETE');
    expect(deleted).toMatchObject([{ body: { preconditions: { uid: 'uid-1' } } }]);
  });

  test('is tried again when the pod has gone between two requests', async () => {
    const { pods } = await onConflict(failure(404, 'NotFound', 'not found'));
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.conflict',
      retryable: true,
    });
  });

  test('takes a quota in contention (409 Conflict) for no pod of that name', async () => {
    const { pods, server } = await podsOn(() =>
      failure(409, 'Conflict', 'Operation cannot be fulfilled on resourcequotas "q"'),
    );
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.conflict',
      retryable: true,
    });
    expect(server.requests.some(({ path }) => path.includes(request.name))).toBe(false);
  });

  test('runs no pod whose user namespace the cluster has dropped', async () => {
    const server = await scriptedApiServer(({ method, path, query }) => {
      if (method === 'GET' && path === POD_PATH) return query.has('watch') ? () => undefined : listOf([]);
      return { json: existing({ uid: 'weaker' }) };
    });
    const pods = createPods({
      kubeConfig: server.kubeConfig,
      settings: { namespace: 'files', instance: 'here' },
      manifest: ({ name }) => ({ metadata: { name }, spec: { containers: [], hostUsers: false } }),
      logger: recordingLog(),
    });
    closing.push(server.close, () => pods.close());
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.invalid',
      retryable: false,
    });
    expect(server.requests.find(({ method }) => method === 'DELETE')?.body).toMatchObject({
      preconditions: { uid: 'weaker' },
    });
  });
});

describe('errors', () => {
  const quota = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9';
  const account =
    'pods "x" is forbidden: error looking up service account: serviceaccount "default" not found';
  test.each<[string, Answer, Partial<DriverError>]>([
    ['401', failure(401, 'Unauthorized', 'Unauthorized'), { code: 'kubernetes.forbidden', retryable: false }],
    [
      '403',
      failure(403, 'Forbidden', 'pods is forbidden'),
      { code: 'kubernetes.forbidden', retryable: false },
    ],
    [
      '403 of Pod Security',
      failure(403, 'Forbidden', 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
      { code: 'kubernetes.forbidden', message: expect.stringContaining('violates PodSecurity') as never },
    ],
    [
      '403 of a full quota',
      failure(403, 'Forbidden', quota),
      {
        code: 'kubernetes.quota',
        retryable: true,
        retryAfterMs: 5_000,
        message: expect.stringContaining('used: pods=9') as never,
      },
    ],
    [
      '403 of a new namespace',
      failure(403, 'Forbidden', account),
      { code: 'kubernetes.unavailable', retryable: true, retryAfterMs: 1_000 },
    ],
    [
      '404',
      failure(404, 'NotFound', 'namespaces "files" not found'),
      { code: 'kubernetes.invalid', retryable: false },
    ],
    ['400', failure(400, 'BadRequest', 'bad'), { code: 'kubernetes.invalid', retryable: false }],
    [
      '422',
      failure(422, 'Invalid', 'Invalid value: "http://files/get?sig=1"', {
        causes: [{ reason: 'FieldValueInvalid', field: 'spec.volumes[0].name' }],
      }),
      { code: 'kubernetes.invalid', message: expect.stringContaining('spec.volumes[0].name') as never },
    ],
    [
      '422 of an admission policy, which names no field',
      failure(
        422,
        'Invalid',
        "pods is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: not here",
        { causes: [{ message: 'not here' }] },
      ),
      {
        code: 'kubernetes.forbidden',
        retryable: false,
        message: expect.stringContaining('denied request: not here') as never,
      },
    ],
    [
      '429',
      { status: 429, headers: { 'retry-after': '7' } },
      { code: 'kubernetes.unavailable', retryable: true, retryAfterMs: 7_000 },
    ],
    [
      '500 with a time',
      failure(500, 'ServerTimeout', 'try again', { retryAfterSeconds: 2 }),
      { code: 'kubernetes.unavailable', retryable: true, retryAfterMs: 2_000 },
    ],
    [
      '502 that is no JSON',
      { status: 502, text: '<html>' },
      { code: 'kubernetes.unavailable', retryable: true },
    ],
    [
      '503',
      failure(503, 'ServiceUnavailable', 'shutting down'),
      { code: 'kubernetes.unavailable', retryable: true },
    ],
    ['200 that is no JSON', { text: '<html>' }, { code: 'kubernetes.unavailable', retryable: true }],
    ['200 that is no pod', { json: {} }, { code: 'kubernetes.unavailable', retryable: true }],
    [
      'a connection that is cut',
      (response) => response.destroy(),
      {
        code: 'kubernetes.unavailable',
        retryable: true,
        message: expect.stringContaining('ECONNRESET') as never,
      },
    ],
  ])('%s', async (_, answer, expected) => {
    const { pods } = await podsOn(() => answer);
    const error = await errorOf(pods.create(request));
    expect(error).toMatchObject({ name: 'DriverError', ...expected });
    expect(error.message).toMatch(/^Could not create pod /);
  });

  test.each<[string, Answer, object[]]>([
    ['a full quota', failure(403, 'Forbidden', quota), [{ class: 'capacity', code: 'kubernetes.quota' }]],
    [
      'a policy',
      failure(422, 'Invalid', 'denied request: profile: no'),
      [{ class: 'configuration', code: 'kubernetes.forbidden' }],
    ],
    [
      'a pod that is invalid',
      failure(422, 'Invalid', 'no', { causes: [{ reason: 'FieldValueInvalid', field: 'spec.a' }] }),
      [{ class: 'configuration', code: 'kubernetes.invalid' }],
    ],
    ['a server that is shutting down', failure(503, 'ServiceUnavailable', 'no'), []],
  ])('%s: what was refused never ends, so it is told at once', async (_, answer, told) => {
    const { pods, logger } = await podsOn(() => answer);
    const { message } = await errorOf(pods.create(request));
    const about = { event: 'pod.refused', sha256: SHA256, pod: request.name, reason: message };
    expect(logger.lines.filter(({ event }) => event === 'pod.refused')).toEqual(
      told.map((one) => expect.objectContaining({ ...about, ...one })),
    );
  });

  test('a server that does not answer is given up', async () => {
    const { pods } = await podsOn(() => () => undefined, [], 100);
    expect(await errorOf(pods.create(request))).toMatchObject({
      code: 'kubernetes.unavailable',
      retryable: true,
      message: expect.stringContaining('No answer within 100 ms'),
    });
  });

  test('a server that stops in the middle of an answer is given up', async () => {
    const { pods } = await podsOn(
      () => (response) => void response.writeHead(201, { 'content-length': 1_000 }).write('{'),
      [],
      100,
    );
    expect(await errorOf(pods.create(request))).toMatchObject({ code: 'kubernetes.unavailable' });
  });

  test('tell nothing of links, tokens, bodies and headers', async () => {
    const { pods } = await podsOn(() => ({
      ...failure(403, 'Forbidden', 'denied: env "http://files/get?sig=1" is not allowed'),
      headers: { 'x-secret': 'header-secret' },
    }));
    const error = await errorOf(pods.create(request));
    const all = `${error.message} ${JSON.stringify(error)} ${error.stack} ${JSON.stringify(error.cause)}`;
    expect(all).toContain('<link>');
    for (const secret of ['sig=1', 'secret-token', 'header-secret', '"kind"'])
      expect(all).not.toContain(secret);
  });
});

describe('remove', () => {
  test('names the UID, and asks for little grace', async () => {
    const { pods, server } = await podsOn(() => ({ json: {} }));
    await pods.remove({ name: 'p', uid: 'u' });
    // Node sends a DELETE without the length of its body unless told, and the precondition would be lost.
    expect(server.requests).toMatchObject([
      {
        method: 'DELETE',
        path: `${POD_PATH}/p`,
        body: { preconditions: { uid: 'u' }, gracePeriodSeconds: 1 },
      },
    ]);
  });

  test.each([
    ['is gone', failure(404, 'NotFound', 'not found')],
    ['is another by now', failure(409, 'Conflict', 'the UID in the precondition does not match')],
  ])('is done when the pod %s', async (_, answer) => {
    const { pods, logger } = await podsOn(() => answer);
    await expect(pods.remove({ name: 'p', uid: 'u' })).resolves.toBeUndefined();
    expect(logger.events).not.toContain('pod.deleted');
  });

  test('waits for credentials that are renewed', async () => {
    const { pods } = await podsOn(() => failure(401, 'Unauthorized', 'Unauthorized'));
    expect(await errorOf(pods.remove({ name: 'p', uid: 'u' }))).toMatchObject({
      code: 'kubernetes.forbidden',
      retryable: true,
    });
  });

  test('is not done when the server says no', async () => {
    const { pods } = await podsOn(() => failure(500, 'InternalError', 'no'));
    expect(await errorOf(pods.remove({ name: 'p', uid: 'u' }))).toMatchObject({
      code: 'kubernetes.unavailable',
    });
  });
});

describe('log', () => {
  const ref = { name: 'p', uid: 'u', slot: 'a1-x' };

  test('is the end of a long one, in bounded memory', async () => {
    const { pods, server } = await podsOn(() => (response) => {
      for (let line = 0; line < 20_000; line++) response.write(`line ${line} ${'x'.repeat(100)}\n`);
      response.end('the end\n');
    });
    const log = await pods.log(ref, 'engine', 300);
    expect(log).toHaveLength(300);
    expect(log).toMatch(/the end\n$/);
    expect(server.requests.at(-1)?.query.get('container')).toBe('engine');
    expect(server.requests.at(-1)?.query.get('tailLines')).toBe('5000');
  });

  test.each([
    ['has not started', failure(400, 'BadRequest', 'container "upload" is waiting to start')],
    ['is gone', failure(404, 'NotFound', 'not found')],
    ['was forgotten by its node', { text: 'unable to retrieve container logs for containerd://abc123' }],
  ])('is null when the container %s', async (_, answer) => {
    const { pods } = await podsOn(() => answer);
    expect(await pods.log(ref, 'upload', 100)).toBeNull();
  });

  const kubelet = 'Get "https://10.0.0.9:10250/containerLogs/files/p/engine": dial tcp: i/o timeout';
  test.each<[string, Answer]>([
    ['its node does not answer', failure(500, 'InternalError', kubelet)],
    ['a proxy can not reach its node', { status: 502, text: '<html>' }],
    ['its node answers too late for the API server', failure(504, 'Timeout', 'timed out')],
    ['nothing comes in our own time', () => undefined],
    ['we may not read it', failure(403, 'Forbidden', 'pods/log is forbidden')],
    ['our credentials are not taken', failure(401, 'Unauthorized', 'Unauthorized')],
  ])('is given up with a warning when %s: no result waits for it', async (_, answer) => {
    const { pods, logger } = await podsOn(() => answer, [], 100);
    expect(await pods.log(ref, 'engine', 100)).toBeNull();
    expect(logger.events).toEqual(['container.log_lost']);
  });

  test.each<[string, Answer]>([
    ['the API server is away', (response) => response.destroy()],
    ['the API server has too much to do', { status: 429, headers: { 'retry-after': '1' } }],
  ])('is asked for again when %s', async (_, answer) => {
    const { pods, logger } = await podsOn(() => answer);
    expect(await errorOf(pods.log(ref, 'engine', 100))).toMatchObject({
      code: 'kubernetes.unavailable',
      retryable: true,
    });
    expect(logger.events).toEqual([]);
  });

  test('is null when another pod has the name', async () => {
    const { pods, server } = await podsOn(
      () => ({ text: 'not yours' }),
      [podJson({ name: 'p', uid: 'another' })],
    );
    expect((await pods.await(ref)).kind).toBe('gone');
    expect(await pods.log(ref, 'engine', 100)).toBeNull();
    expect(server.requests.some(({ path }) => path.endsWith('/log'))).toBe(false);
  });
});

describe('check', () => {
  const reviews = (
    denied: (spec: { resourceAttributes: Record<string, string> }) => boolean,
    namespace: Answer,
  ) =>
    podsOn(({ path, body }) => {
      if (path.startsWith('/api/v1/namespaces/')) return namespace;
      // The driver's own request.
      const { spec } = body as { spec: { resourceAttributes: Record<string, string> } };
      return { status: 201, json: { status: { allowed: !denied(spec) } } };
    });

  test('passes where all is allowed, also when the namespace itself may not be read', async () => {
    for (const namespace of [{ json: {} }, failure(403, 'Forbidden', 'no')]) {
      const { pods } = await reviews(() => false, namespace);
      await expect(pods.check()).resolves.toBeUndefined();
    }
  });

  test('names a namespace that is not there', async () => {
    const { pods } = await reviews(() => false, failure(404, 'NotFound', 'not found'));
    expect(await errorOf(pods.check())).toMatchObject({
      code: 'kubernetes.invalid',
      message: 'Namespace files does not exist: create it, or name another for the file pods.',
    });
  });

  test('names everything that is not allowed', async () => {
    const { pods } = await reviews(
      ({ resourceAttributes: { verb, subresource } }) => verb === 'watch' || subresource === 'log',
      { json: {} },
    );
    expect(await errorOf(pods.check())).toMatchObject({
      code: 'kubernetes.forbidden',
      retryable: false,
      message: 'Not allowed in namespace files: watch pods, get pods/log. Bind a role that allows it.',
    });
  });

  test('says when nobody answers', async () => {
    const { pods, server } = await podsOn(() => ({ json: {} }));
    await server.close();
    expect(await errorOf(pods.check())).toMatchObject({
      code: 'kubernetes.unavailable',
      message: 'Could not reach Kubernetes: No connection to the API server (ECONNREFUSED).',
    });
  });
});

test('an instance name that is no label value is refused at once', async () => {
  const server = await scriptedApiServer(() => ({}));
  closing.push(server.close);
  expect(() =>
    createPods({
      kubeConfig: server.kubeConfig,
      settings: { namespace: 'files', instance: 'two words' },
      manifest: () => ({}),
      logger: recordingLog(),
    }),
  ).toThrow(expect.objectContaining({ code: 'config.invalid' }));
});

test('calls share connections, and closing leaves none', async () => {
  const { pods, server } = await podsOn(() => ({ json: {} }));
  for (let call = 0; call < 50; call++) await pods.remove({ name: 'p', uid: 'u' });
  expect(server.connections).toBe(1);
  await pods.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(server.openSockets).toBe(0);
});
