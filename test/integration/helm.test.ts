/** The real API server's word on what the chart makes: field validation, defaults, admission, Pod Security. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ciFiles, rendered } from '../unit/helm/render-chart.ts';
import { runTool, tool } from './kubectl.ts';

const namespace = `helm-${randomBytes(4).toString('hex')}`;
const namespaces = [namespace, `${namespace}-files`];
/** Of the Prometheus operator and of KEDA: this server does not know them, the schemas that kubeconform goes by do. */
const FOREIGN = ['PrometheusRule', 'ScaledObject', 'ServiceMonitor', 'TriggerAuthentication'];
/** A pod, even one that is only tried, needs its service account to be there. */
const THERE = 'ServiceAccount/r-pristine-pods';

beforeAll(async () => {
  for (const name of namespaces) {
    await tool('kubectl', ['create', 'namespace', name]);
    await tool('kubectl', [
      ...['label', 'namespace', name, 'pod-security.kubernetes.io/warn=restricted'],
      'pod-security.kubernetes.io/enforce=restricted',
    ]);
  }
  const [kind = '', account = ''] = THERE.split('/');
  await tool('kubectl', ['-n', namespace, 'create', kind.toLowerCase(), account]);
}, 60_000);
afterAll(async () => {
  await tool('kubectl', ['delete', 'namespace', '--wait=false', ...namespaces]);
}, 60_000);

describe.each(ciFiles)('$name', ({ name, file }) => {
  test('is taken by the API server, to the last field, without a warning', async () => {
    const objects = rendered(file, namespace);
    const served = objects.filter(({ kind }) => !FOREIGN.includes(kind));
    const tried = served.filter(({ kind, metadata }) => `${kind}/${metadata.name}` !== THERE);
    const items = tried.map((one) => ({ ...one, metadata: { namespace, ...one.metadata } }));
    const list = { apiVersion: 'v1', kind: 'List', items };
    const { stdout, stderr } = await runTool(
      'kubectl',
      ['create', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', '-'],
      JSON.stringify(list),
    );
    // The namespace of the file pods is there, so that what goes into it can be tried.
    const complaints = stderr
      .split('\n')
      .filter((line) => line !== '' && !/namespaces "helm-\w+-files" already exists/.test(line));
    // Pod Security's restricted has no NFS; who mounts one runs the workers in a namespace that admits it.
    const nfs = complaints.filter((line) => /restricted volume types.*nfs/.test(line));
    expect(complaints.filter((line) => !nfs.includes(line))).toEqual([]);
    expect(nfs.length).toBe(name === 'folders' ? 1 : 0);
    const there = tried.filter(({ kind }) => kind !== 'Namespace');
    expect(stdout.trim().split('\n')).toHaveLength(there.length);
  }, 60_000);
});
