import type { V1Pod } from '@kubernetes/client-node';
import { filePodManifest } from '../drivers/kubernetes/file-pod.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import type { WorkerConfig } from '../workers/config.ts';
import type { BenchDocument } from './documents.ts';
import { indexedJob } from './pod-runs.ts';

/** The same pods as Pristine's, for whoever makes them without it. */
export type PodMaker = { config: WorkerConfig; run: string; server: string };

/** Bare pods, one a document, equal to Pristine's but for their links. */
export function barePods(maker: PodMaker, round: string, documents: readonly BenchDocument[]): V1Pod[] {
  return documents.map((document, i) => podOf(maker, `${round}${i}`, i, document, `${round}/${i}`));
}

/**
 * An Indexed Job of as many such pods. Its pods have one template and so one sha256 to check: all of them fetch
 * the first document, which is as large and as much work as any other, and upload to places of their own.
 */
export function jobOf(maker: PodMaker, documents: readonly BenchDocument[], parallel: number) {
  const [first] = documents;
  if (first === undefined) throw new Error('a Job of no documents');
  const pod = podOf(maker, 'job', 0, first, 'job/$(INDEX)');
  return indexedJob(`bench-${maker.run}`, withExpansion(pod), documents.length, parallel);
}

function podOf(maker: PodMaker, name: string, input: number, document: BenchDocument, slot: string): V1Pod {
  const { config, run, server } = maker;
  const profile = config.profiles.default;
  if (profile === undefined) throw new Error('The workers have no profile named default.');
  const put = (file: string) => `${server}/out/${slot}/${file}`;
  return filePodManifest(
    {
      name: `bench-${run}-${name}`,
      ...{ scanId: 'bench', workflowId: 'bench', runId: 'bench', attempt: 1, slot: 'a1-bench', tier: 0 },
      sha256: document.sha256,
      size: document.bytes.length,
      profile: { name: 'default', fingerprint: profileFingerprint(profile) },
      getUrl: `${server}/in/${input}`,
      putUrls: {
        rebuilt: put('rebuilt'),
        'report.xml': put('report.xml'),
        'report.json': put('report.json'),
      },
    },
    profile,
    // Another installation's pods: the worker does not watch or sweep them.
    { ...config.kubernetes, instance: 'bench' },
  );
}

/** filePodManifest escapes every `$`, so that a link stays literal; the index is meant to be expanded. */
function withExpansion(pod: V1Pod): V1Pod {
  return JSON.parse(JSON.stringify(pod).replaceAll('$$(INDEX)', '$(INDEX)'));
}
