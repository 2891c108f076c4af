import { describe, expect, test } from '@jest/globals';
import { type FilePodSettings, filePodManifest } from '../../../../drivers/kubernetes/file-pod.ts';
import { mebibytes, quantityBytes } from '../../../../drivers/kubernetes/quantity.ts';
import { type Profile, profileSchema } from '../../../../drivers/profile.ts';
import { filePodRequest } from './pod-request.ts';

const settings: FilePodSettings = { namespace: 'files', instance: 'here', podImage: 'pristine/pod:1' };
const profile = (more: Partial<Profile> = {}) => profileSchema.parse({ image: 'engine:1', ...more });

function containersOf(...args: Parameters<typeof filePodManifest>) {
  const { spec } = filePodManifest(...args);
  const [fetch, engine] = spec?.initContainers ?? [];
  const [upload] = spec?.containers ?? [];
  if (!fetch || !engine || !upload) throw new Error('a container is missing');
  return { fetch, engine, upload };
}

describe('the file pod', () => {
  const request = filePodRequest();
  const manifest = filePodManifest(request, profile(), settings);
  const { fetch, engine, upload } = containersOf(request, profile(), settings);

  test('runs fetch, engine and upload one after the other, once', () => {
    expect(manifest.spec?.initContainers?.map(({ name }) => name)).toEqual(['fetch', 'engine']);
    expect(manifest.spec?.containers.map(({ name }) => name)).toEqual(['upload']);
    expect(manifest.spec?.restartPolicy).toBe('Never');
    expect([fetch.args, upload.args]).toEqual([['fetch'], ['upload']]);
    expect([fetch.image, engine.image, upload.image]).toEqual([
      'pristine/pod:1',
      'engine:1',
      'pristine/pod:1',
    ]);
    for (const container of [fetch, engine, upload]) expect(container.imagePullPolicy).toBe('IfNotPresent');
  });

  test('shows each container only the folders it needs', () => {
    expect(fetch.volumeMounts).toEqual([{ name: 'in', mountPath: '/pristine/in' }]);
    expect(engine.volumeMounts).toEqual([
      { name: 'in', mountPath: '/pristine/in', readOnly: true },
      { name: 'out', mountPath: '/pristine/out' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(upload.volumeMounts).toEqual([{ name: 'out', mountPath: '/pristine/out', readOnly: true }]);
  });

  test('gives the engine no environment but its own', () => {
    expect(engine.env).toEqual([
      { name: 'HOME', value: '/tmp' },
      { name: 'TMPDIR', value: '/tmp' },
    ]);
    const own = containersOf(request, profile({ env: { POLICY: 'strict', HOME: '/home' } }), settings).engine;
    expect(own.env).toEqual([
      { name: 'HOME', value: '/home' },
      { name: 'TMPDIR', value: '/tmp' },
      { name: 'POLICY', value: 'strict' },
    ]);
    expect(JSON.stringify([engine, manifest.metadata])).not.toContain('http');
  });

  test('hands the links to fetch and upload as they are, dollar signs included', () => {
    const links = containersOf(filePodRequest({ getUrl: 'http://h/$(HOME)/$$x' }), profile(), settings).fetch;
    // Kubernetes makes $ of $$.
    expect(links.env).toEqual([
      { name: 'PRISTINE_GET_URL', value: 'http://h/$$(HOME)/$$$$x' },
      { name: 'PRISTINE_SHA256', value: request.sha256 },
      { name: 'PRISTINE_SIZE', value: '6' },
    ]);
    expect(upload.env).toEqual([
      { name: 'PRISTINE_PUT_REBUILT', value: request.putUrls.rebuilt },
      { name: 'PRISTINE_PUT_REPORT_XML', value: request.putUrls['report.xml'] },
      { name: 'PRISTINE_PUT_REPORT_JSON', value: request.putUrls['report.json'] },
      { name: 'PRISTINE_MAX_REBUILT_BYTES', value: String(512 * 2 ** 20) },
      { name: 'PRISTINE_MAX_REPORT_BYTES', value: String(16 * 2 ** 20) },
    ]);
  });

  test('is hardened as Pod Security "restricted" wants it, and more', () => {
    expect(manifest.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    for (const container of [fetch, engine, upload])
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
      expect(manifest.spec).not.toHaveProperty(field);
  });

  test('limits and requests cpu, memory and ephemeral storage of every container', () => {
    for (const { resources } of [fetch, engine, upload]) {
      expect(Object.keys(resources?.limits ?? {})).toEqual(['cpu', 'memory', 'ephemeral-storage']);
      expect(Object.keys(resources?.requests ?? {})).toEqual(['cpu', 'memory', 'ephemeral-storage']);
    }
  });

  test('has an end: a deadline and little grace', () => {
    expect(manifest.spec).toMatchObject({ activeDeadlineSeconds: 300, terminationGracePeriodSeconds: 2 });
  });

  test('says whose it is, and its file by digest only', () => {
    expect(manifest.metadata).toEqual({
      name: request.name,
      namespace: 'files',
      labels: {
        'app.kubernetes.io/name': 'pristine',
        'pristine.dev/instance': 'here',
        'pristine.dev/role': 'file',
        'pristine.dev/sha256': 'lci3lnjc2xpqq3ip6cyrb66z2in3j7drmoxtjuecq2roqrxwxybq',
        'pristine.dev/scan': 'scan-finance',
        'pristine.dev/profile': '0123abcd',
      },
      annotations: {
        'pristine.dev/sha256': request.sha256,
        'pristine.dev/scan-id': 'scan-finance',
        'pristine.dev/workflow-id': 'file-1',
        'pristine.dev/run-id': 'run-1',
        'pristine.dev/slot': 'a1-nonce',
        'pristine.dev/attempt': '1',
        'pristine.dev/tier': '0',
        'pristine.dev/profile': 'default',
        'pristine.dev/profile-fingerprint': '0123abcd',
        'pristine.dev/start-deadline-seconds': '300',
      },
    });
  });

  test('says where its links lead, by digest only', () => {
    const { metadata } = filePodManifest(filePodRequest({ places: '0123456789abcdef' }), profile(), settings);
    expect(metadata?.annotations).toMatchObject({ 'pristine.dev/places': '0123456789abcdef' });
  });
});

describe('sizes', () => {
  const sizesOf = (tier: number, more: Partial<Profile> = {}) => {
    const request = filePodRequest({ tier, size: 10 * 2 ** 20 });
    const { spec } = filePodManifest(request, profile(more), settings);
    const volumes = Object.fromEntries(spec?.volumes?.map(({ name, emptyDir }) => [name, emptyDir]) ?? []);
    const { fetch, engine, upload } = containersOf(request, profile(more), settings);
    return { volumes, fetch, engine, upload };
  };

  test('volumes are in memory and bounded', () => {
    expect(sizesOf(0).volumes).toEqual({
      in: { medium: 'Memory', sizeLimit: '11Mi' },
      out: { medium: 'Memory', sizeLimit: '529Mi' },
      tmp: { medium: 'Memory', sizeLimit: '256Mi' },
    });
  });

  test('each tier doubles the memory and scratch of the engine', () => {
    const memory = [0, 1, 2].map((tier) => sizesOf(tier).engine.resources?.limits?.memory);
    const requested = [0, 1, 2].map((tier) => sizesOf(tier).engine.resources?.requests?.memory);
    const scratch = [0, 1, 2].map((tier) => sizesOf(tier).volumes.tmp?.sizeLimit);
    expect(memory).toEqual(['512Mi', '1024Mi', '2048Mi']);
    expect(requested).toEqual(['64Mi', '128Mi', '256Mi']);
    expect(scratch).toEqual(['256Mi', '512Mi', '1024Mi']);
  });

  test('what lies in memory counts for those who come after', () => {
    const { fetch, upload } = sizesOf(0);
    expect(fetch.resources?.limits?.memory).toBe('139Mi');
    expect(upload.resources?.limits?.memory).toBe('651Mi');
  });

  test('on disk, memory is for programs and the volumes are storage', () => {
    const { volumes, fetch, upload } = sizesOf(0, { memoryBacked: false });
    expect(volumes.in).toEqual({ sizeLimit: '11Mi' });
    expect(fetch.resources?.limits).toEqual({ cpu: '1', memory: '128Mi', 'ephemeral-storage': '860Mi' });
    expect(upload.resources?.limits?.memory).toBe('128Mi');
  });

  test.each([
    ['1', 1],
    ['1k', 1000],
    ['1.5Ki', 1536],
    ['256Mi', 256 * 2 ** 20],
    ['2G', 2e9],
    ['1500m', 2],
  ])('quantity %s is %d bytes', (quantity, bytes) => {
    expect(quantityBytes(quantity)).toBe(bytes);
  });

  test('a quantity that is none is not taken, and bytes are rounded up', () => {
    expect(() => quantityBytes('1Ti')).toThrow(RangeError);
    expect(mebibytes(2 ** 20 + 1)).toBe('2Mi');
  });
});

test('what the installation and the profile set goes into the pod, and nothing when they set nothing', () => {
  const optional = [
    'runtimeClassName',
    'hostUsers',
    'imagePullSecrets',
    'tolerations',
    'nodeSelector',
    'priorityClassName',
  ];
  const plain = filePodManifest(filePodRequest(), profile(), settings).spec;
  for (const field of optional) expect(plain).not.toHaveProperty(field);
  const { spec } = filePodManifest(
    filePodRequest(),
    profile({ runtimeClassName: 'gvisor', hostUsers: false, command: ['/engine'], args: ['-x'] }),
    {
      ...settings,
      imagePullSecrets: ['registry'],
      tolerations: [{ key: 'cdr', operator: 'Exists' }],
      nodeSelector: { pool: 'cdr' },
      priorityClassName: 'low',
    },
  );
  expect(spec).toMatchObject({
    runtimeClassName: 'gvisor',
    hostUsers: false,
    imagePullSecrets: [{ name: 'registry' }],
    tolerations: [{ key: 'cdr', operator: 'Exists' }],
    nodeSelector: { pool: 'cdr' },
    priorityClassName: 'low',
  });
  expect(spec?.initContainers?.[1]).toMatchObject({ command: ['/engine'], args: ['-x'] });
});
