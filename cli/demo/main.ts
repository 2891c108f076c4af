/** What `make demo` runs once the stack and its worker are up. See places.ts for SOURCE and DESTINATION. */
import { join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import { layoutOf } from '../../cluster/layout.ts';
import { OperatorError } from '../../cluster/operator-error.ts';
import { workerVariables } from '../../cluster/worker-process.ts';
import { openDestination } from '../../drivers/destination/open-destination.ts';
import { loadKubeConfig } from '../../drivers/kubernetes/load-kube-config.ts';
import { filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import { createS3Client } from '../../drivers/s3/client.ts';
import { readConfig } from '../../workers/config.ts';
import { connectScanClient } from '../scan-client.ts';
import { unsignedLinks } from '../unsigned-links.ts';
import { runDemo } from './run-demo.ts';

const folder = join(import.meta.dirname, '../..');

try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(`\npristine: ${error.message}`);
  process.exitCode = 1;
}

async function demo(): Promise<boolean> {
  const layout = layoutOf(folder, process.env);
  const variables = workerVariables(layout);
  if (variables.TEMPORAL_ADDRESS === undefined)
    throw new OperatorError('Nothing runs here yet: run make up.');
  const config = readConfig(variables);
  const s3 = createS3Client(config.s3);
  const kubernetes = loadKubeConfig(config.kubernetes.kubeconfig).makeApiClient(CoreV1Api);
  const { namespace, instance } = config.kubernetes;
  const scans = await connectScanClient(config).catch((error: Error) => {
    throw new OperatorError(`${error.message} Run make up.`);
  });
  try {
    return await runDemo({
      given: process.env,
      folder,
      state: layout.state,
      scans,
      pods: async () => {
        const labelSelector = filePodSelector(instance);
        const { items } = await kubernetes.listNamespacedPod({ namespace, labelSelector });
        return items.filter(({ status }) => status?.phase === 'Pending' || status?.phase === 'Running')
          .length;
      },
      destination: (url) => openDestination(url, { roots: ['/'], signer: unsignedLinks, s3 }),
      s3,
      page: (scan) => `${variables.TEMPORAL_UI}/namespaces/${config.temporal.namespace}/workflows/${scan}`,
      out: process.stdout,
    });
  } finally {
    await scans.close();
    s3.destroy();
  }
}
