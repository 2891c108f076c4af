import { describe, expect, test } from '@jest/globals';
import { loadYaml } from '@kubernetes/client-node';
import { podTemplates } from './pod-templates.ts';
import { efk, efkCiFiles, efkText, NAMESPACE, renderChart } from './render-chart.ts';

const renderEfk = (values: string | object) => renderChart(values, NAMESPACE, efk);
const kinds = (values: string | object) =>
  renderEfk(values)
    .objects.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[0-9a-f]{10}$/, '')}`)
    .sort();
const OWN = { output: { host: 'search.example.com' } };

describe.each(efkCiFiles)('$name', ({ file }) => {
  const { objects, problem } = renderEfk(file);
  const pods = podTemplates(objects);

  test('renders', () => {
    expect(problem).toBe('');
    expect(pods.map(({ kind }) => kind)).toContain('DaemonSet');
  });

  test('every container is bounded, without capabilities, and can gain none', () => {
    for (const { pod } of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({ seccompProfile: { type: 'RuntimeDefault' } });
      for (const { resources, securityContext } of pod.containers) {
        expect(resources.limits).toHaveProperty('memory');
        expect(securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  test('only Fluent Bit is root, and reads of the node no more than containers\u2019 logs', () => {
    const root = pods.filter(({ pod }) => pod.securityContext.runAsNonRoot !== true);
    expect(root.map(({ kind }) => kind)).toEqual(['DaemonSet']);
    for (const { kind, pod } of pods) {
      const paths = pod.volumes.flatMap(({ hostPath }) => hostPath ?? []);
      expect(paths).toHaveLength(kind === 'DaemonSet' ? 3 : 0);
      for (const { volumeMounts } of pod.containers)
        for (const { mountPath, readOnly } of volumeMounts) {
          const written = mountPath === '/buffers' || mountPath.endsWith('/data');
          expect([mountPath, readOnly === true]).toEqual([mountPath, !written]);
        }
    }
  });

  test('every variable of Fluent Bit\u2019s configuration is set, and no other', () => {
    const [fluentBit] = pods.filter(({ kind }) => kind === 'DaemonSet');
    const set = fluentBit?.pod.containers[0]?.env.map(({ name }) => name);
    const used = efkText('files/fluent-bit.yaml').matchAll(/\$\{([A-Z_]+)\}/g);
    expect(set?.sort()).toEqual([...new Set([...used].map(([, name]) => name))].sort());
  });

  test('every variable of the Job is one that its script reads', () => {
    const [job] = pods.filter(({ kind }) => kind === 'Job');
    const forNode = ['NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED'];
    for (const { name } of job?.pod.containers[0]?.env ?? [])
      if (!forNode.includes(name)) expect(efkText('files/provision.mjs')).toContain(name);
  });
});

describe('what is installed', () => {
  test('by default everything', () => {
    expect(kinds({})).toEqual([
      'ConfigMap r-fluent-bit',
      'ConfigMap r-provision',
      'DaemonSet r-fluent-bit',
      'Deployment r-kibana',
      'Job r-provision',
      'NetworkPolicy r-elasticsearch',
      'Secret r-elasticsearch',
      'Service r-elasticsearch',
      'Service r-kibana',
      'StatefulSet r-elasticsearch',
    ]);
  });

  test('with a search cluster of one\u2019s own neither Elasticsearch nor Kibana', () => {
    expect(kinds(OWN)).toEqual([
      'ConfigMap r-fluent-bit',
      'ConfigMap r-provision',
      'DaemonSet r-fluent-bit',
      'Job r-provision',
    ]);
  });

  test('another Job for other values, the same for the same', () => {
    const job = (values: object) =>
      renderEfk(values).objects.find(({ kind }) => kind === 'Job')?.metadata.name;
    expect(job(OWN)).toBe(job(OWN));
    expect(job({ ...OWN, retention: { eventsDays: 3 } })).not.toBe(job(OWN));
  });
});

describe('a long release name', () => {
  const long = (last: string) => `${'a'.repeat(40)}-${'b'.repeat(11)}${last}`;
  const job = (release: string) =>
    renderChart(OWN, NAMESPACE, efk, release).objects.find(({ kind }) => kind === 'Job')?.metadata.name ?? '';

  test('is cut for the Job, whose name has 63 characters at most, and no two releases have one Job', () => {
    expect(long('x')).toHaveLength(53);
    expect(job(long('x')).length).toBeLessThanOrEqual(63);
    expect(job(long('x'))).toMatch(/^a{40}-b-provision-[0-9a-f]{10}$/);
    expect(job(long('y'))).not.toBe(job(long('x')));
    expect(job(`${'a'.repeat(41)}-b`)).toMatch(/^a{41}-provision-/);
  });

  test('is refused with the chart\u2019s own Elasticsearch, whose StatefulSet names pods and labels after it', () => {
    const { problem, objects } = renderChart({}, NAMESPACE, efk, 'a'.repeat(39));
    expect(problem).toContain('release name: at most 38 characters');
    expect(objects).toEqual([]);
    const longest = renderChart({}, NAMESPACE, efk, 'a'.repeat(38)).objects;
    const names = longest.filter(({ kind }) => kind !== 'ConfigMap').map(({ metadata }) => metadata.name);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(63);
    const [statefulSet] = longest.filter(({ kind }) => kind === 'StatefulSet');
    expect(statefulSet?.metadata.name.length).toBeLessThanOrEqual(52);
  });
});

test('the chart\u2019s own Elasticsearch without the Job, which alone makes its users, is refused', () => {
  expect(renderEfk({ provision: { enabled: false } }).problem).toMatch(/provision\.enabled: .*the Job alone/);
  expect(renderEfk({ ...OWN, provision: { enabled: false } }).problem).toBe('');
});

describe('images', () => {
  const images = (values: object) =>
    podTemplates(renderEfk(values).objects).flatMap(({ pod }) => pod.containers.map(({ image }) => image));

  test('are those of images.txt, each with its version', () => {
    expect([...new Set(images({}))].sort()).toEqual(efkText('images.txt').trim().split('\n').sort());
    for (const image of images({})) expect(image).toMatch(/:\d+\.\d+\.\d+$/);
  });

  test('all come from the one registry, when there is one', () => {
    const mirrored = images({ global: { imageRegistry: 'mirror.example.com:5000/p/' } });
    expect(mirrored).toHaveLength(4);
    for (const image of mirrored) expect(image).toMatch(/^mirror\.example\.com:5000\/p\/[a-z]/);
    expect(mirrored).toContain('mirror.example.com:5000/p/fluent/fluent-bit:5.1.1');
  });

  test('with a digest go by it', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const image = { repository: 'fluent/fluent-bit', tag: '5.1.1', digest };
    expect(images({ fluentBit: { image } })).toContain(`fluent/fluent-bit:5.1.1@${digest}`);
  });
});

test('no value holds a secret', () => {
  const hold = (value: unknown, path: string): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, one]) => hold(one, `${path}.${name}`))
      : /password|apikey|token|secret/i.test(path) && value !== ''
        ? [path]
        : [];
  expect(hold(loadYaml(efkText('values.yaml')), '')).toEqual([]);
});

describe('values that are near a miss are refused, with their path', () => {
  test.each([
    [{ output: { hots: 'x' } }, '/output'],
    [{ output: { host: 'https://search.example.com' } }, '/output/host'],
    [{ output: { port: 0 } }, '/output/port'],
    [{ output: { port: '9200' } }, '/output/port'],
    [{ output: { kind: 'Elasticsearch' } }, '/output/kind'],
    [{ output: { tls: true } }, '/output/tls'],
    [{ output: { tls: { verfy: true } } }, '/output/tls'],
    [{ output: { existingSecret: 'Not_A_Name' } }, '/output/existingSecret'],
    [{ output: { kibanaUrl: 'http://user:word@kibana' } }, '/output/kibanaUrl'],
    [{ output: { kibanaUrl: 'https://kibana/?space=a' } }, '/output/kibanaUrl'],
    [{ retention: { eventsDays: 0 } }, '/retention/eventsDays'],
    [{ retention: { engineDays: '7d' } }, '/retention/engineDays'],
    [{ stream: 'West' }, '/stream'],
    [{ namespaces: { workers: 'a_b' } }, '/namespaces/workers'],
    [{ fluentBit: { buffer: { events: '1Gi' } } }, '/fluentBit/buffer/events'],
    [{ fluentBit: { buffer: { hostPath: 'var' } } }, '/fluentBit/buffer/hostPath'],
    [{ fluentBit: { retries: 'forever' } }, '/fluentBit/retries'],
    [{ fluentBit: { image: { tag: '' } } }, '/fluentBit/image/tag'],
    [{ fluentBit: { image: { digest: 'sha256:ab' } } }, '/fluentBit/image/digest'],
    [{ elasticsearch: { heap: '50%' } }, '/elasticsearch/heap'],
    [{ elasticsearch: { persistence: { size: '20GB' } } }, '/elasticsearch/persistence/size'],
    [{ elasticsearch: { password: 'x' } }, '/elasticsearch'],
    [{ kibana: { replicas: 2 } }, '/kibana'],
    [{ global: { imagePullSecrets: ['mirror'] } }, '/global/imagePullSecrets/0'],
    [{ provision: { enabled: 'yes' } }, '/provision/enabled'],
    [{ opensearch: {} }, "''"],
  ])('%j', (values, path) => {
    const { problem } = renderEfk(values);
    expect(problem).toContain(`at '${path.replaceAll("'", '')}'`);
  });
});
