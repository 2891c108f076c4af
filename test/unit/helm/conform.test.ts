/** Every field of what the charts make is one that Kubernetes, the Prometheus operator or KEDA knows. */
import { describe, expect, test } from '@jest/globals';
import { conform } from './kubeconform.ts';
import { chart, ciFiles, efk, efkCiFiles, NAMESPACE, named, renderChart } from './render-chart.ts';

const renderings = [
  ...ciFiles.map((one) => ({ ...one, folder: chart, name: `pristine-${one.name}` })),
  ...efkCiFiles.map((one) => ({ ...one, folder: efk, name: `efk-${one.name}` })),
].map(({ name, file, folder }) => ({ name, ...renderChart(file, NAMESPACE, folder) }));

describe('all that the ci files make is valid', () => {
  const report = conform(Object.fromEntries(renderings.map(({ name, yaml }) => [name, yaml])));

  test.each(renderings)('$name', ({ name, objects, problem }) => {
    expect(problem).toBe('');
    const judged = report.resources.filter(({ filename }) => filename === name);
    expect(judged.filter(({ status }) => status !== 'statusValid')).toEqual([]);
    const made = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(judged.map((one) => `${one.kind} ${one.name}`).sort()).toEqual(made.sort());
  });

  test('and nothing was skipped', () => {
    const valid = renderings.flatMap(({ objects }) => objects).length;
    expect(report.summary).toEqual({ valid, invalid: 0, errors: 0, skipped: 0 });
  });
});

/** One that a ci file makes, as text. */
function text(name: string, kind: string, ending: string): string {
  const objects = renderings.find((one) => one.name === `pristine-${name}`)?.objects ?? [];
  return JSON.stringify(named(objects, kind, ending));
}

describe('refused, with its place', () => {
  test.each([
    ['minimal', 'Deployment', '-pods', 'replicas', '/spec'],
    ['minimal', 'Deployment', '-pods', 'imagePullPolicy', '/spec/template/spec/containers/0'],
    ['metrics', 'ServiceMonitor', '', 'labels', '/metadata'],
    ['metrics', 'ServiceMonitor', '', 'interval', '/spec/endpoints/0'],
    ['metrics', 'PrometheusRule', '', 'expr', '/spec/groups/0/rules/0'],
    ['keda', 'ScaledObject', '-files', 'maxReplicaCount', '/spec'],
    ['keda', 'ScaledObject', '-files', 'authenticationRef', '/spec/triggers/0'],
    ['keda', 'TriggerAuthentication', '', 'parameter', '/spec/secretTargetRef/0'],
  ])('%s: a %s*%s with a misspelled %s', (name, kind, ending, field, path) => {
    const right = text(name, kind, ending);
    expect(right).toContain(`"${field}":`);
    const { resources, summary } = conform({ wrong: right.replace(`"${field}":`, `"${field}s":`) });
    expect(summary).toEqual({ valid: 0, invalid: 1, errors: 0, skipped: 0 });
    expect(resources).toMatchObject([{ kind, status: 'statusInvalid' }]);
    expect(resources[0]?.msg).toContain(`at '${path}': additional properties '${field}s' not allowed`);
  });

  test('a value of another type', () => {
    const wrong = text('keda', 'ScaledObject', '-files').replace(
      /"maxReplicaCount":(\d+)/,
      '"maxReplicaCount":"$1"',
    );
    const { resources } = conform({ wrong });
    expect(resources[0]?.msg).toContain("at '/spec/maxReplicaCount': got string, want integer");
  });

  test('a kind that has no schema, in place of being skipped', () => {
    const wrong = text('minimal', 'Deployment', '-pods').replace('apps/v1', 'apps/v2');
    const { resources, summary } = conform({ wrong });
    expect(summary).toEqual({ valid: 0, invalid: 0, errors: 1, skipped: 0 });
    expect(resources).toMatchObject([{ kind: 'Deployment', msg: 'could not find schema for Deployment' }]);
  });

  test('a field that stands there twice', () => {
    const wrong = text('minimal', 'Deployment', '-pods').replace('"kind":', '"kind":"Deployment","kind":');
    expect(conform({ wrong }).resources[0]?.msg).toContain('key "kind" already set');
  });
});
