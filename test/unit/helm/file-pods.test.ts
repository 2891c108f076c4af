import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { LOG_ACCESS, NEEDED_ACCESS } from '../../../drivers/kubernetes/access.ts';
import { profileSchema } from '../../../drivers/profile.ts';
import { podSpecSchema, podTemplates } from './pod-templates.ts';
import { type KubeObject, named, renderChart, rendered } from './render-chart.ts';

const minimal = { temporal: { address: 't:1' } };
const roots = [{ name: 'a', mountPath: '/a', volume: { emptyDir: {} } }];
const FILES = 'ns-files';

const inNamespace = (objects: KubeObject[], kind: string) =>
  objects.filter((one) => one.kind === kind && one.metadata.namespace === FILES);

test('the namespace enforces Pod Security "restricted", and no value says otherwise', () => {
  const labels = named(rendered(minimal), 'Namespace', FILES).metadata.labels;
  expect(labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/enforce-version': 'latest',
  });
  for (const label of ['pod-security.kubernetes.io/enforce', 'pod-security.kubernetes.io/enforce-version']) {
    const { problem } = renderChart({ ...minimal, filePods: { namespace: { labels: { [label]: 'x' } } } });
    expect(problem).toContain("at '/filePods/namespace/labels/pod-security");
  }
});

test('a role may do what the driver does, in the file pods’ namespace, and nothing else anywhere', () => {
  const objects = rendered(minimal);
  const rules = z.array(
    z.strictObject({
      apiGroups: z.tuple([z.literal('')]),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
    }),
  );
  const allowed = (role: string) =>
    rules
      .parse(named(objects, 'Role', `-${role}`).rules)
      .flatMap(({ resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
      )
      .sort();
  const needed = (list: typeof NEEDED_ACCESS) =>
    list
      .map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`)
      .sort();
  expect(allowed('pods')).toEqual(needed(NEEDED_ACCESS));
  expect(allowed('files')).toEqual(needed(LOG_ACCESS));
  expect(objects.filter(({ kind }) => /^ClusterRole/.test(kind))).toEqual([]);
  const roles = objects.filter(({ kind }) => /^Role/.test(kind));
  expect(new Set(roles.map(({ metadata }) => metadata.namespace))).toEqual(new Set([FILES]));
});

const egressSchema = z.strictObject({
  podSelector: z.looseObject({}),
  policyTypes: z.array(z.string()),
  egress: z.array(z.object({ ports: z.array(z.looseObject({})), to: z.array(z.unknown()) })).default([]),
});
const holes = (values: object) =>
  Object.fromEntries(
    inNamespace(rendered({ ...minimal, ...values }), 'NetworkPolicy').map(({ metadata, spec }) => {
      const { egress } = egressSchema.parse(spec);
      return [metadata.name.replace('r-pristine-', ''), egress];
    }),
  );

describe('file pods connect to nothing but', () => {
  const dns = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }];

  test('names and the store, at no link-local address, where there are no folders', () => {
    expect(holes({ s3: { endpoint: 'http://store:9000' } })).toEqual({
      'default-deny': [],
      dns: [
        {
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
          to: dns,
        },
      ],
      s3: [
        {
          ports: [{ protocol: 'TCP', port: 9000 }],
          to: [
            { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
            { ipBlock: { cidr: '::/0', except: ['fe80::/10', 'fd00:ec2::/32'] } },
          ],
        },
      ],
    });
  });

  test('the chart’s own file server, by its pods', () => {
    const closed = { networkPolicy: { dns: [], s3: { enabled: false } } };
    expect(holes({ files: { roots }, filePods: closed })).toEqual({
      'default-deny': [],
      'file-server': [
        {
          ports: [{ protocol: 'TCP', port: 8480 }],
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ns' } },
              podSelector: {
                matchLabels: {
                  'app.kubernetes.io/name': 'pristine',
                  'app.kubernetes.io/instance': 'r',
                  'app.kubernetes.io/component': 'files',
                },
              },
            },
          ],
        },
      ],
    });
  });

  test('addresses that the values name', () => {
    const block = (cidr: string) => [{ ipBlock: { cidr } }];
    const networkPolicy = {
      dns: [],
      s3: { to: block('192.0.2.1/32') },
      fileServer: { to: block('192.0.2.2/32') },
    };
    const found = holes({
      files: { roots, server: { url: 'https://f.example.com' } },
      filePods: { networkPolicy },
    });
    expect(found.s3).toEqual([{ ports: [{ protocol: 'TCP', port: 443 }], to: block('192.0.2.1/32') }]);
    expect(found['file-server']).toEqual([
      { ports: [{ protocol: 'TCP', port: 443 }], to: block('192.0.2.2/32') },
    ]);
  });

  test('and the default is of every pod there, both ways', () => {
    const deny = inNamespace(rendered(minimal), 'NetworkPolicy').find(({ metadata }) =>
      metadata.name.endsWith('default-deny'),
    );
    expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });
});

test('bounds: pods at a time, size of one, priority below all that is usual and pushing nothing aside', () => {
  const objects = rendered({ ...minimal, filePods: { quota: { pods: 7, hard: { 'limits.cpu': 5 } } } });
  expect(inNamespace(objects, 'ResourceQuota').map(({ spec }) => spec)).toEqual([
    {
      hard: {
        pods: '7',
        'limits.cpu': '5',
        services: '0',
        persistentvolumeclaims: '0',
        replicationcontrollers: '0',
      },
    },
  ]);
  expect(inNamespace(objects, 'LimitRange').map(({ spec }) => spec)).toEqual([
    { limits: [{ type: 'Pod', max: { cpu: '8', memory: '16Gi', 'ephemeral-storage': '32Gi' } }] },
  ]);
  const [priority] = objects.filter(({ kind }) => kind === 'PriorityClass');
  expect(priority).toMatchObject({ value: -10, preemptionPolicy: 'Never' });
  // The one that workers give to pods.
  expect(JSON.stringify(named(objects, 'Deployment', '-pods'))).toContain(
    JSON.stringify({ name: 'PRISTINE_PRIORITY_CLASS', value: priority?.metadata.name }),
  );
});

test('the policy fails closed, denies, and is of this namespace and of pods only', () => {
  const objects = rendered(minimal);
  const policy = named(objects, 'ValidatingAdmissionPolicy', '');
  expect(policy.spec).toMatchObject({
    failurePolicy: 'Fail',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': FILES } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
  });
  expect(named(objects, 'ValidatingAdmissionPolicyBinding', '').spec).toEqual({
    policyName: policy.metadata.name,
    validationActions: ['Deny'],
  });
});

test('a profile’s pods can’t run longer than the policy admits', () => {
  const { runDeadlineSeconds } = profileSchema.parse({ image: 'a' });
  const rendering = (maxRunSeconds: number) => renderChart({ ...minimal, filePods: { maxRunSeconds } });
  expect(rendering(runDeadlineSeconds).problem).toBe('');
  expect(rendering(runDeadlineSeconds - 1).problem).toContain('profiles.default.runDeadlineSeconds');
});

describe('helm test', () => {
  const pods = (values: object) =>
    rendered({ ...minimal, ...values }).filter(
      ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test',
    );
  const specs = (values: object) => pods(values).map(({ spec }) => podSpecSchema.parse(spec));

  test('is the doctor with the token of the workers that make pods, and a scan once a source is named', () => {
    const [doctor, ...others] = specs({});
    expect(others).toEqual([]);
    expect(doctor).toMatchObject({
      serviceAccountName: 'r-pristine-pods',
      automountServiceAccountToken: true,
    });
    expect(doctor?.containers[0]?.args).toEqual(['doctor', '--listen', '$(POD_IP)']);

    const tests = { source: 's3://in/', destination: 's3://out/', strict: true };
    const [strict, scan] = specs({ tests });
    expect(strict?.containers[0]?.args).toEqual(
      expect.arrayContaining(['--destination', 's3://out/', '--strict']),
    );
    expect(scan).toMatchObject({ automountServiceAccountToken: false });
    expect(scan?.containers[0]?.args).toEqual(
      expect.arrayContaining(['--wait', '--source', 's3://in/', '--destination', 's3://out/']),
    );
    expect(renderChart({ ...minimal, tests: { source: 's3://in/' } }).problem).toContain('tests.destination');
  });

  test('the doctor tries a folder as those who write there: user and groups', () => {
    const groups = { runAsUser: 1000, runAsGroup: 1001, supplementalGroups: [2000], fsGroup: 3000 };
    const values = { ...minimal, files: { roots, ...groups }, tests: { destination: 'file:///a/out' } };
    const workers = podTemplates(rendered(values)).find(
      ({ owner }) => owner === 'Deployment r-pristine-files',
    );
    const security = workers?.pod.securityContext;
    expect(specs(values)[0]?.securityContext).toEqual(security);
    expect(security).toMatchObject(groups);
  });

  test('its pods pass Pod Security "restricted"', () => {
    for (const spec of specs({ tests: { source: 's3://in/', destination: 's3://out/' } })) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        });
    }
  });
});
