/** A release of the chart whose engine does as its file says, its Temporal behind a door, and what is left of it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { prepareRelease } from '../../cluster/chart-release.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { faultProxy } from '../../cluster/own-servers/fault-proxy.ts';
import { builtImage, stackVariable } from '../contract/stack.ts';
import { tool } from './kubectl.ts';

const layout = layoutOf(join(import.meta.dirname, '../..'), process.env);

export type ChartRelease = Awaited<ReturnType<typeof chartRelease>>;

/** Makes what a release needs to be there before. Nothing is installed yet. `address` is Temporal's, on loopback. */
export async function chartRelease(address = stackVariable('TEMPORAL_ADDRESS')) {
  const name = `install-${randomBytes(4).toString('hex')}`;
  const temporal = new URL(`tcp://${address}`);
  // Temporal's development server listens on loopback, where no pod gets to.
  const door = await faultProxy(
    { host: temporal.hostname, port: Number(temporal.port) },
    stackVariable('PRISTINE_HOST_ADDRESS'),
  );
  const release = await prepareRelease({
    layout,
    name,
    folder: join(layout.state, 'test', name),
    temporal: `${door.host}:${door.port}`,
    values: releaseValues(name),
  }).catch(async (error: unknown) => {
    await door.close();
    throw error;
  });
  return {
    ...release,
    /** All objects of the cluster that carry the release's labels or lie in its namespaces, as kind/name. */
    leftovers: () => leftovers(name),
    async close(): Promise<void> {
      await release.close();
      await door.close();
    },
  };
}

function releaseValues(name: string) {
  const resources = { requests: { cpu: '50m', memory: '128Mi' } };
  return {
    profiles: {
      default: { image: builtImage('engineFaulty'), args: ['from-file'], env: { TEST_RUN: name } },
      documents: { image: builtImage('engineMat2') },
    },
    redis: { resources },
    workers: {
      heartbeatSeconds: 2,
      shutdownGraceSeconds: 5,
      orchestrate: { resources },
      files: { resources },
      pods: { resources },
    },
  };
}

async function leftovers(name: string): Promise<string[]> {
  const list = async (scope: string, where: string[]) => {
    const kinds = await tool('kubectl', [
      ...['api-resources', '--verbs=list', '-o', 'name', `--namespaced=${scope}`],
    ]);
    // Events say what was, and are gone in an hour.
    const wanted = kinds.split('\n').filter((kind) => kind !== '' && !/^events/.test(kind));
    const found = await tool('kubectl', [
      'get',
      wanted.join(','),
      ...where,
      '-o',
      'name',
      '--ignore-not-found',
    ]);
    return found.split('\n').filter((line) => line !== '');
  };
  const label = ['-l', `app.kubernetes.io/instance=${name}`];
  const [labelled, own, files, clusterWide] = await Promise.all([
    list('true', ['-n', name, ...label]),
    list('true', ['-n', name]),
    list('true', ['-n', `${name}-files`]),
    list('false', label),
  ]);
  const theirs = [
    'configmap/kube-root-ca.crt',
    'serviceaccount/default',
    'secret/s3',
    'persistentvolumeclaim/files',
  ];
  return [...labelled, ...own, ...files, ...clusterWide].filter((one) => !theirs.includes(one)).sort();
}
