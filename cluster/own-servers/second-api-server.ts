import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { freePort } from './free-port.ts';

const PID_FILE = new URL('../../.pristine/run/kube-apiserver.pid', import.meta.url).pathname;
/** What two servers of one store may not share: a port, the endpoints of `kubernetes`, an audit log. */
const OWN = /^--(secure-port|endpoint-reconciler-type|audit-)/;

/**
 * One more API server on the store of the one that runs, as in a cluster of several: it remembers nothing from
 * before its start, while nobody else's server restarts. `more` are options of its own.
 */
export async function secondApiServer(kubeConfig: KubeConfig, more: readonly string[] = []) {
  const cluster = kubeConfig.getCurrentCluster();
  const user = kubeConfig.getCurrentUser();
  if (!cluster || !user) throw new Error('no cluster');
  const pid = readFileSync(PID_FILE, 'utf8').trim();
  const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  const url = new URL(cluster.server);
  url.port = String(await freePort(url.hostname));
  const own = [`--secure-port=${url.port}`, '--endpoint-reconciler-type=none', ...more];
  const child = spawn(program, [...args.filter((arg) => !OWN.test(arg)), ...own], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const second = new KubeConfig();
  second.loadFromClusterAndUser({ ...cluster, server: url.origin }, user);
  const close = async () => {
    child.kill('SIGKILL');
    await exited;
  };

  const api = new KubeApi(second);
  const ready = () =>
    api.read({ method: 'GET', path: '/readyz' }).then(
      () => true,
      () => false,
    );
  try {
    while (!(await ready())) {
      if (child.exitCode !== null) throw new Error(`kube-apiserver ended at once (exit ${child.exitCode})`);
      await sleep(200);
    }
  } catch (error) {
    await close();
    throw error;
  } finally {
    api.close();
  }
  return { kubeConfig: second, close };
}
