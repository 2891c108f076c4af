/** Most networks judge a connection by the port of the pod that a Service leads to: both ports have to be let through. */
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { podTemplates } from './pod-templates.ts';
import { ciFiles, type KubeObject, named, rendered } from './render-chart.ts';

const egressSchema = z.looseObject({
  egress: z
    .array(z.object({ ports: z.array(z.object({ protocol: z.string(), port: z.number() })) }))
    .default([]),
});
const ports = Object.fromEntries(
  rendered(ciFiles.find(({ name }) => name === 'ports')?.file ?? '')
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ metadata, spec }) => [
      `${String(metadata.namespace ?? 'ns')} ${metadata.name.replace('r-pristine-', '')}`,
      egressSchema
        .parse(spec)
        .egress.map((hole) => hole.ports.map(({ protocol, port }) => `${protocol} ${port}`)),
    ]),
);
const dns = [['UDP 53', 'TCP 53', 'UDP 5353', 'TCP 5353']];

test.each([
  ['ns dns', dns],
  ['ns temporal', [['TCP 7233', 'TCP 17233']]],
  ['ns kubernetes', [['TCP 443', 'TCP 6443']]],
  ['ns search-attributes', [...dns, ['TCP 7233', 'TCP 17233']]],
  ['ns s3', [['TCP 80', 'TCP 9000']]],
  ['ns index', [['TCP 6379', 'TCP 16379']]],
  ['ns codec-server', [['TCP 443', 'TCP 8443']]],
  [
    'ns doctor',
    [
      ['TCP 443', 'TCP 6443'],
      ['TCP 80', 'TCP 9000'],
    ],
  ],
  ['ns test-scan', [['TCP 7233', 'TCP 17233']]],
  ['ns-files dns', dns],
  ['ns-files s3', [['TCP 80', 'TCP 9000']]],
  ['ns-files file-server', [['TCP 8080', 'TCP 8480']]],
])('%s', (policy, expected) => {
  expect(ports[policy]).toEqual(expected);
});

test('the Job before an upgrade is let through by a policy of its own: the others are still those of the release before', () => {
  const objects = rendered({ temporal: { address: 't:1' } });
  const policy = named(objects, 'NetworkPolicy', '-search-attributes');
  const job = named(objects, 'Job', '-search-attributes');
  const weight = (one: KubeObject) => Number(one.metadata.annotations?.['helm.sh/hook-weight'] ?? 0);
  expect(policy.metadata.annotations?.['helm.sh/hook']).toBe(job.metadata.annotations?.['helm.sh/hook']);
  expect(weight(policy)).toBeLessThan(weight(job));
  const [pod] = podTemplates([job]);
  const { podSelector } = policy.spec as { podSelector: { matchLabels: object } };
  expect(pod?.labels).toMatchObject(podSelector.matchLabels);
  const without = rendered({ temporal: { address: 't:1' }, networkPolicy: { enabled: false } });
  expect(
    without.filter(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.namespace === undefined),
  ).toEqual([]);
});
