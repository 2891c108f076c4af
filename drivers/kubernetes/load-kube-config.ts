import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { DriverError } from '../errors.ts';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * From the files of `kubeconfig` (as the variable KUBECONFIG has them, merged as kubectl does), else from the
 * service account of the pod that we run in. Never a guess: client-node's own default ends at localhost:8080.
 * Throws DriverError config.invalid.
 */
export function loadKubeConfig(kubeconfig: string | undefined, tokenFile: string = TOKEN): KubeConfig {
  const config = new KubeConfig();
  const files = (kubeconfig ?? '').split(delimiter).filter((file) => file !== '');
  if (files.length > 0) loadFiles(config, files);
  else if (existsSync(tokenFile)) config.loadFromCluster();
  else throw invalid('No Kubernetes to talk to: set KUBECONFIG to the path of a kubeconfig file.');

  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw invalid('The kubeconfig has no current context with a cluster; see kubectl config view.');
  if (!config.getCurrentUser()) throw invalid('The kubeconfig has no user for its current context.');
  // Outside a cluster, KUBERNETES_SERVICE_HOST is undefined and so becomes part of the URL.
  if (!/^https?:\/\//.test(cluster.server) || !URL.canParse(cluster.server))
    throw invalid("The kubeconfig's server is not an http(s) URL.");
  return config;
}

function loadFiles(config: KubeConfig, files: string[]): void {
  for (const [index, file] of files.entries()) {
    if (!existsSync(file)) throw invalid(`The kubeconfig ${file} is not there; correct KUBECONFIG.`);
    try {
      const one = index === 0 ? config : new KubeConfig();
      one.loadFromFile(file);
      if (one !== config) config.mergeConfig(one, true);
    } catch (error) {
      // The parser's message may quote the file, which holds keys.
      const name = error instanceof Error ? error.name : 'error';
      throw invalid(`The kubeconfig ${file} can not be read (${name}); see kubectl config view.`);
    }
  }
}

function invalid(message: string): DriverError {
  return new DriverError('config.invalid', message, { retryable: false });
}
