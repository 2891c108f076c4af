/**
 * Does what the containers of a pod on a kwok node would do: the real `fetch` and `upload` programs, between them
 * an engine that behaves as its input's first line says (the words of engines/faulty). It counts the engine's runs.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CoreV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from '@kubernetes/client-node';
import { ANNOTATION, filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import { PATIENCE, type Patience } from '../../pod/attempts.ts';
import { type Environment, fetchOrder, uploadOrder } from '../../pod/environment.ts';
import { fetchFile } from '../../pod/fetch.ts';
import { type Ending, errorCode, Stop } from '../../pod/stop.ts';
import { uploadOutput } from '../../pod/upload.ts';
import { unlessGone } from './kwok.ts';
import { END_ANNOTATION } from './kwok-stages.ts';
import { playEngine } from './played-engine.ts';
import { podStatus } from './played-status.ts';
import { watchPods } from './watch-pods.ts';

/** One start of the engine. */
export type EngineRun = {
  sha256: string;
  fingerprint: string;
  pod: string;
  uid: string;
  exitCode: number;
  /** Its output, a rebuilt file or a refusal, has arrived in its slot (or exit 3 said it). */
  success: boolean;
};

export type PodPlayer = {
  /** So far, oldest first. */
  runs: readonly EngineRun[];
  /** Pods in play now. */
  playing(): number;
  /** Waits for the pods in play to end. */
  close(): Promise<void>;
};

export type PodPlayerOptions = {
  kubeConfig: KubeConfig;
  namespace?: string;
  /** Of the worker whose pods it plays. */
  instance: string;
  /** Milliseconds that this pod's engine takes beside what its input asks for. Default: none. */
  engineMs?: (pod: { name: string; sha256: string }) => number;
  /** Its transfers try for about a minute, so that they outlast a worker's restart, and not for ten seconds. */
  patient?: boolean;
};

const silent = () => undefined;
const MINUTE: Patience = { tries: 60, pause: () => sleep(1_000) };

export function startPodPlayer(options: PodPlayerOptions): PodPlayer {
  const { kubeConfig, namespace = 'pristine-files', instance, engineMs = () => 0 } = options;
  const program = { log: silent, patience: options.patient ? MINUTE : PATIENCE };
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const folder = mkdtempSync(join(tmpdir(), 'pristine-player-'));
  const runs: EngineRun[] = [];
  const taken = new Set<string>();
  const playing = new Set<Promise<void>>();
  const failures: unknown[] = [];

  async function play(pod: V1Pod): Promise<void> {
    const { name = '', uid = '', annotations = {} } = pod.metadata ?? {};
    const place = join(folder, uid);
    for (const part of ['in', 'out']) mkdirSync(join(place, part), { recursive: true });
    try {
      const fetched = await ending(() =>
        fetchFile(fetchOrder(environmentOf(pod, 'fetch')), { folder: join(place, 'in'), ...program }),
      );
      if (fetched.code !== 0) return await publish(pod, podStatus(pod, { fetch: fetched }));

      const sha256 = annotations[ANNOTATION.sha256] ?? '';
      const run: EngineRun = {
        sha256,
        fingerprint: annotations[ANNOTATION.fingerprint] ?? '',
        pod: name,
        uid,
        exitCode: 0,
        success: false,
      };
      runs.push(run);
      await sleep(engineMs({ name, sha256 }));
      const engine = await playEngine(place);
      run.exitCode = engine.code;
      if (engine.code !== 0) {
        run.success = engine.code === 3;
        return await publish(pod, podStatus(pod, { fetch: fetched, engine }));
      }
      const uploaded = await ending(() =>
        uploadOutput(uploadOrder(environmentOf(pod, 'upload')), { folder: join(place, 'out'), ...program }),
      );
      run.success = uploaded.code === 0;
      await publish(pod, podStatus(pod, { fetch: fetched, engine, upload: uploaded }));
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }

  /** kwok makes it the pod's status, a moment later. A pod that was deleted meanwhile needs none. */
  async function publish(pod: V1Pod, status: object): Promise<void> {
    const { name = '', uid = '' } = pod.metadata ?? {};
    const body = { metadata: { uid, annotations: { [END_ANNOTATION]: JSON.stringify(status) } } };
    for (let turn = 0; ; turn++) {
      try {
        await api
          .patchNamespacedPod(
            { name, namespace, body },
            setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
          )
          .catch(unlessGone);
        return;
      } catch (error) {
        // 409: another pod has the name, so that of this UID is gone.
        if (typeof error === 'object' && error !== null && 'code' in error && error.code === 409) return;
        if (turn >= 60) throw error;
        await sleep(500);
      }
    }
  }

  const watching = watchPods({ kubeConfig, namespace, selector: filePodSelector(instance) }, (pod) => {
    const { uid = '', deletionTimestamp } = pod.metadata ?? {};
    if (
      !pod.spec?.nodeName ||
      deletionTimestamp ||
      taken.has(uid) ||
      pod.metadata?.annotations?.[END_ANNOTATION]
    )
      return;
    taken.add(uid);
    const played = play(pod)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => playing.delete(played));
    playing.add(played);
  });

  return {
    runs,
    playing: () => playing.size,
    async close() {
      await watching.stop();
      await Promise.all(playing);
      rmSync(folder, { recursive: true, force: true });
      if (failures.length > 0) throw new AggregateError(failures, 'the pod player failed');
    },
  };
}

/** What a program of ours ends with, as pod/main.ts makes it of what was thrown. */
async function ending(program: () => Promise<Ending>): Promise<Ending> {
  try {
    return await program();
  } catch (error) {
    if (error instanceof Stop) return { code: error.code, message: error.message };
    return { code: 1, message: `The program failed (${errorCode(error) ?? String(error)}).` };
  }
}

function environmentOf(pod: V1Pod, container: string): Environment {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const env = all.find(({ name }) => name === container)?.env ?? [];
  // As the kubelet does it with a value that has no variable in it.
  return Object.fromEntries(env.map(({ name, value = '' }) => [name, value.replaceAll('$$', '$')]));
}
