import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { EVENT } from '../../../drivers/events.ts';
import { createMetrics } from '../../../workers/metrics.ts';
import { OUTCOMES } from '../../../workflows/contract.ts';
import { chart, ciFiles, named, renderChart, rendered } from './render-chart.ts';

const objects = rendered(ciFiles.find(({ name }) => name === 'metrics')?.file ?? '');
const rules = JSON.stringify(named(objects, 'PrometheusRule', '')).replaceAll('\\"', '"');
const dashboard = readFileSync(join(chart, 'dashboards/pristine.json'), 'utf8');
const queries = dashboard.replaceAll('\\"', '"');

/** What stands after `label=` in all queries. */
const used = (text: string, label: string) => [
  ...new Set(
    [...text.matchAll(new RegExp(`\\b${label}=~?"([^"$]+)"`, 'g'))].flatMap(([, value]) => value?.split('|')),
  ),
];

test.each([
  ['rules', rules],
  ['dashboard', queries],
])('%s ask for events, outcomes and metrics that there are', async (_, text) => {
  const events: string[] = Object.values(EVENT);
  expect(used(text, 'event').length).toBeGreaterThan(5);
  expect(used(text, 'event').filter((event) => !events.includes(event ?? ''))).toEqual([]);
  const outcomes: readonly string[] = OUTCOMES;
  expect(used(text, 'outcome').filter((outcome) => !outcomes.includes(outcome ?? ''))).toEqual([]);
  const metrics = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
  const asked = [...new Set(text.match(/\b(pristine|process)_[a-z_]+/g))];
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => !metrics.includes(name))).toEqual([]);
});

test('a rule looks at each metric of ours', async () => {
  const metrics = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
  const ours = metrics.filter((name) => name.startsWith('pristine_'));
  expect(ours).toContain('pristine_log_lines_dropped_total');
  expect(ours.filter((name) => !rules.includes(`(${name}{`))).toEqual([]);
});

test('the dashboard is in the ConfigMap as it is', () => {
  const { data } = named(objects, 'ConfigMap', '-dashboard');
  expect(data).toEqual({ 'pristine.json': dashboard });
  expect(JSON.parse(dashboard)).toMatchObject({ title: 'Pristine' });
});

test('the rules look at the Service that the monitor finds the workers by', () => {
  const service = named(objects, 'Service', '-metrics');
  expect(rules).toContain(`service="${service.metadata.name}"`);
  const { spec } = named(objects, 'ServiceMonitor', '');
  const { selector } = spec as { selector: { matchLabels: Record<string, string> } };
  expect(service.metadata.labels).toMatchObject(selector.matchLabels);
  for (const role of ['orchestrate', 'files', 'pods']) {
    const { spec: deployment } = named(objects, 'Deployment', `-${role}`);
    const { template } = deployment as { template: { metadata: { labels: Record<string, string> } } };
    expect(template.metadata.labels).toMatchObject((service.spec as { selector: object }).selector);
  }
});

const collected = {
  temporal: { address: 't:1' },
  metrics: { serviceMonitor: { enabled: true }, rules: { enabled: true } },
};

test('rules without what collects for them are refused', () => {
  const { problem } = renderChart({ ...collected, metrics: { rules: { enabled: true } } });
  expect(problem).toContain('metrics.rules.enabled: needs metrics.serviceMonitor.enabled');
});

test('a role that may have no workers is not missed', () => {
  const workers = {
    orchestrate: { replicas: 0 },
    files: { autoscaling: { minReplicas: 0, keda: { enabled: true } } },
    pods: { replicas: 0, autoscaling: { enabled: true } },
  };
  const text = JSON.stringify(named(rendered({ ...collected, workers }), 'PrometheusRule', ''));
  const missed = [...text.matchAll(/role (\w+) is up/g)].map(([, role]) => role);
  expect(missed).toEqual(['pods']);
});

test.each([
  ['PristinePodsRefused', 'configuration'],
  ['PristineClusterFull', 'capacity'],
])('%s counts pods that never came to be', (alert, failure) => {
  const { spec } = named(objects, 'PrometheusRule', '');
  const { groups } = spec as { groups: { rules: { alert: string; expr: string }[] }[] };
  const rule = groups[0]?.rules.find((one) => one.alert === alert);
  expect(rule?.expr).toContain(`event=~"pod.ended|pod.refused",class="${failure}"`);
});

test.each([
  ['min', {}],
  ['max', { index: { store: 'etcd' }, etcd: { endpoints: ['http://e:2379'] } }],
])('the index is away as long as the gauge says so: %s of the workers', (of, values) => {
  const text = JSON.stringify(named(rendered({ ...collected, ...values }), 'PrometheusRule', '').spec);
  expect(text).toMatch(
    new RegExp(`"PristineIndexAway","expr":"${of}\\(pristine_index_connected\\{[^}]*\\}\\) == 0"`),
  );
});
