import { describe, expect, test } from '@jest/globals';
import { barePods, jobOf, type PodMaker } from '../../../bench/comparison.ts';
import { filePodManifest } from '../../../drivers/kubernetes/file-pod.ts';
import { profileFingerprint, profileSchema } from '../../../drivers/profile.ts';

const profile = profileSchema.parse({ image: 'engine:1' });
const kubernetes = { namespace: 'files', instance: 'pristine', podImage: 'pod:1', kubeconfig: undefined };
// Only these two parts of the configuration shape a pod.
const config = { profiles: { default: profile }, kubernetes } as unknown as PodMaker['config'];
const maker: PodMaker = { config, run: 'r1', server: 'http://198.19.255.1:1' };
const documents = ['a', 'b', 'c'].map((text) => ({
  path: `/in/${text}`,
  bytes: Buffer.from(text),
  sha256: text.repeat(64),
}));

/** What of a container costs time: everything but its environment. */
const work = (container: { env?: unknown }) => ({ ...container, env: undefined });

describe('the pods that Pristine is compared with', () => {
  test('have the same containers, volumes and rules as its own', () => {
    const own = filePodManifest(
      {
        name: 'pristine-x',
        ...{ scanId: 's', workflowId: 'w', runId: 'r', attempt: 1, slot: 'a1-x', tier: 0 },
        sha256: 'a'.repeat(64),
        size: 1,
        profile: { name: 'default', fingerprint: profileFingerprint(profile) },
        getUrl: 'http://x/',
        putUrls: { rebuilt: 'http://x/1', 'report.xml': 'http://x/2', 'report.json': 'http://x/3' },
      },
      profile,
      kubernetes,
    );
    const [bare] = barePods(maker, 'b', documents);
    const job = jobOf(maker, documents, 2).spec?.template;
    for (const spec of [bare?.spec, job?.spec]) {
      expect({
        ...spec,
        initContainers: spec?.initContainers?.map(work),
        containers: spec?.containers.map(work),
      }).toEqual({
        ...own.spec,
        initContainers: own.spec?.initContainers?.map(work),
        containers: own.spec?.containers.map(work),
      });
    }
  });

  test('are of another installation, so that the worker leaves them alone', () => {
    const labels = barePods(maker, 'b', documents).map(
      (pod) => pod.metadata?.labels?.['pristine.dev/instance'],
    );
    expect(labels).toEqual(['bench', 'bench', 'bench']);
  });

  test('have names and upload places of their own', () => {
    const pods = barePods(maker, 'b', documents);
    expect(new Set(pods.map((pod) => pod.metadata?.name)).size).toBe(3);
    const places = pods.map((pod) => pod.spec?.containers[0]?.env?.[0]?.value);
    expect(places).toEqual([0, 1, 2].map((i) => `http://198.19.255.1:1/out/b/${i}/rebuilt`));
  });

  test('the pods of the Job expand their index in the upload links, after it is defined', () => {
    const job = jobOf(maker, documents, 2);
    expect([job.spec?.completions, job.spec?.parallelism, job.spec?.completionMode]).toEqual([
      3,
      2,
      'Indexed',
    ]);
    const env = job.spec?.template.spec?.containers[0]?.env ?? [];
    expect(env[0]?.name).toBe('INDEX');
    expect(env[1]?.value).toBe('http://198.19.255.1:1/out/job/$(INDEX)/rebuilt');
  });
});
