import { ENGINE_REFUSED_EXIT, EXIT } from '../../pod/protocol.ts';
import type { FailureClass, PodOutcome, PodPhase, PodTimes } from '../ports.ts';
import { boundedText, lastLine } from './bounded-text.ts';
import { rejection } from './pod-rejection.ts';
import { CONTAINERS, type ContainerName, type SlimPod } from './slim-pod.ts';
import { parseUploadReport } from './upload-report.ts';

type Ended = { exitCode: number; reason: string; message: string; finishedAt?: string | undefined };
type Verdict =
  | { kind: 'uploaded'; report: NonNullable<ReturnType<typeof parseUploadReport>> }
  | { kind: 'refused' | 'changed' | 'source-gone'; reason: string }
  | { kind: 'failed'; class: FailureClass; reason: string };

/**
 * How a pod ended, or null while it has not. Pure. Of several signs the first of this list decides:
 *
 * 1. every container exit 0: `uploaded`, if the uploader's report can be read (else transfer). The phase says
 *    Succeeded about a second later; with restartPolicy Never nothing can come in between.
 * 2. a container was OOM-killed (seen at once, whatever the phase still says): engine = resource, others = transfer.
 * 3. somebody asked for the pod's deletion before it had ended by itself: disruption.
 * 4. phase Failed and DisruptionTarget (preemption, eviction, taint, pod GC, kubelet): disruption.
 * 5. phase Failed with a reason of the kubelet's own: Evicted for its own disk use = resource, other evictions and
 *    node shutdown = disruption, DeadlineExceeded = resource in the engine, transfer in fetch and upload, capacity
 *    when none had started (configuration when somebody's mistake kept it), not admitted = capacity or configuration.
 * 6. phase Failed and a container that could not be started: configuration when the image or command is at fault.
 * 7. phase Failed and `fetch` failed: 10 = `changed`, 11 = `source-gone`, 2 = configuration, 12 (link refused) =
 *    disruption: the pod came too late for its link, which says nothing of the file; any other = transfer.
 * 8. phase Failed and `engine` failed: 3 = `refused`, any other = crash.
 * 9. phase Failed and `upload` failed: 20 = crash (or resource, when the engine had lost a process for memory),
 *    2 = configuration, 12 (link refused) = disruption, 14 (destination full) = capacity, any other =
 *    transfer.
 * 10. phase Failed and nothing says why: disruption.
 *
 * Exit codes count only once the phase is Failed (but for OOM): while the kubelet ends a pod for its deadline or
 * evicts it, the killed containers' codes are published first and the reason later.
 */
export function podOutcome(pod: SlimPod): PodOutcome | null {
  const verdict = verdictOf(pod);
  if (!verdict) return null;
  return { ...verdict, ...circumstances(pod) };
}

/** What is told of a pod however it ended. */
export function circumstances(
  pod: SlimPod,
): Pick<PodOutcome, 'exitCodes' | 'node' | 'times' | 'engineDigest'> {
  return {
    exitCodes: exitCodes(pod),
    ...(pod.node && { node: pod.node }),
    times: podTimes(pod),
    ...(pod.engineImageId && { engineDigest: pod.engineImageId }),
  };
}

/** What a pod that has not ended is doing. */
export function podPhase(pod: SlimPod): PodPhase {
  const { fetch, engine, upload } = pod.containers;
  if (upload && upload.state !== 'waiting') return 'uploading';
  if (engine?.state === 'terminated') return engine.exitCode === 0 ? 'uploading' : 'engine';
  if (engine?.state === 'running') return 'engine';
  if (fetch?.state === 'terminated') return fetch.exitCode === 0 ? 'engine' : 'fetching';
  if (fetch?.state === 'running') return 'fetching';
  return pod.node || pod.scheduled?.status === 'True' ? 'scheduled' : 'created';
}

function verdictOf(pod: SlimPod): Verdict | null {
  if (pod.phase === 'Succeeded' || CONTAINERS.every((name) => ended(pod, name)?.exitCode === 0))
    return succeeded(pod);
  const oom = CONTAINERS.find((name) => outOfMemory(pod, name));
  if (oom) return killedForMemory(oom);
  if (pod.deletion && !endedBefore(pod, pod.deletion)) {
    const why = pod.disruption?.message || 'somebody asked for it';
    return failed('disruption', `The pod is being deleted: ${why}`);
  }
  if (pod.phase !== 'Failed') return null;
  if (pod.disruption?.status === 'True')
    return failed('disruption', `${pod.disruption.reason}: ${pod.disruption.message || pod.message}`);
  return rejection(pod) ?? notStarted(pod) ?? exitVerdict(pod) ?? failed('disruption', saidNothing(pod));
}

function succeeded(pod: SlimPod): Verdict {
  const bad = CONTAINERS.find((name) => ended(pod, name)?.exitCode !== 0);
  if (bad) return failed('transfer', `The pod says it succeeded, but nothing shows that ${bad} ended well.`);
  const report = parseUploadReport(ended(pod, 'upload')?.message ?? '');
  if (!report) return failed('transfer', 'The uploader succeeded, but its report can not be read.');
  return { kind: 'uploaded', report };
}

function killedForMemory(name: ContainerName): Verdict {
  if (name === 'engine')
    return failed('resource', 'The engine was killed: it needed more memory than its limit.');
  return failed('transfer', `${name} was killed: it needed more memory than its limit.`);
}

function notStarted(pod: SlimPod): Verdict | null {
  for (const name of CONTAINERS) {
    const end = ended(pod, name);
    if (!end) continue;
    const { reason, message } = end;
    if (reason === 'ContainerStatusUnknown')
      return failed('disruption', `The node lost track of ${name}: ${message}`);
    if (reason !== 'StartError' && reason !== 'ContainerCannotRun') continue;
    if (/OOM|out of memory|memory limit/i.test(message))
      return failed(name === 'engine' ? 'resource' : 'transfer', `${name} has too little memory to start.`);
    const ours = /not found|no such file|permission denied|exec format|invalid argument/i.test(message);
    return failed(ours ? 'configuration' : 'disruption', `${name} could not be started: ${message}`);
  }
  return null;
}

function exitVerdict(pod: SlimPod): Verdict | null {
  const fetch = ended(pod, 'fetch');
  if (fetch && fetch.exitCode !== 0) return fetchVerdict(fetch);
  const engine = ended(pod, 'engine');
  if (engine && engine.exitCode !== 0) return engineVerdict(engine);
  const upload = ended(pod, 'upload');
  if (upload && upload.exitCode !== 0) return uploadVerdict(upload, engine);
  return null;
}

function fetchVerdict({ exitCode, message }: Ended): Verdict {
  const said = boundedText(message) || `fetch ended with ${ending(exitCode)} and said nothing.`;
  if (exitCode === EXIT.changed) return { kind: 'changed', reason: said };
  if (exitCode === EXIT.gone) return { kind: 'source-gone', reason: said };
  return failed(CLASS_OF_EXIT[exitCode] ?? 'transfer', said);
}

/** Of `fetch` and `upload` alike. */
const CLASS_OF_EXIT: Partial<Record<number, FailureClass>> = {
  [EXIT.usage]: 'configuration',
  [EXIT.linkRefused]: 'disruption',
  [EXIT.destinationFull]: 'capacity',
};

function engineVerdict({ exitCode, message }: Ended): Verdict {
  // The message may be a log's tail (FallbackToLogsOnError): the reason is what it ended with.
  const said = boundedText(lastLine(message));
  if (exitCode === ENGINE_REFUSED_EXIT)
    return { kind: 'refused', reason: said || 'The engine gave no reason.' };
  return failed('crash', `The engine ended with ${ending(exitCode)}${said ? `: ${said}` : '.'}`);
}

function uploadVerdict({ exitCode, message }: Ended, engine: Ended | null): Verdict {
  const said = boundedText(message) || `upload ended with ${ending(exitCode)} and said nothing.`;
  if (exitCode !== EXIT.badOutput) return failed(CLASS_OF_EXIT[exitCode] ?? 'transfer', said);
  // The kill hit a process that the engine had started; the engine itself went on and ended with 0.
  if (engine?.reason === 'OOMKilled')
    return failed('resource', `A process of the engine was killed for memory. ${said}`);
  return failed('crash', said);
}

function failed(klass: FailureClass, reason: string): Verdict {
  return { kind: 'failed', class: klass, reason: boundedText(reason) };
}

function saidNothing(pod: SlimPod): string {
  return `The pod failed without a reason (${pod.reason || 'none'}): ${pod.message || 'no message'}`;
}

function ended(pod: SlimPod, name: ContainerName): Ended | null {
  const state = pod.containers[name];
  return state?.state === 'terminated' ? state : null;
}

function outOfMemory(pod: SlimPod, name: ContainerName): boolean {
  const end = ended(pod, name);
  return end !== null && end.reason === 'OOMKilled' && end.exitCode !== 0;
}

/** Whether a container had failed before deletion was asked for. Both times have whole seconds. */
function endedBefore(pod: SlimPod, { at, graceSeconds }: { at: string; graceSeconds: number }): boolean {
  if (pod.phase !== 'Failed') return false;
  const asked = Date.parse(at) - graceSeconds * 1000;
  return CONTAINERS.some((name) => {
    const end = ended(pod, name);
    return end !== null && end.exitCode !== 0 && Date.parse(end.finishedAt ?? '') < asked;
  });
}

/** An exit code in words; above 128 it is a signal, 128 + its number. */
function ending(exitCode: number): string {
  const signals: Record<number, string> = { 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM' };
  const signal = exitCode > 128 ? exitCode - 128 : 0;
  return signal
    ? `exit code ${exitCode} (${signals[signal] ?? `signal ${signal}`})`
    : `exit code ${exitCode}`;
}

function exitCodes(pod: SlimPod): Record<string, number> {
  const codes: Record<string, number> = {};
  for (const name of CONTAINERS) {
    const end = ended(pod, name);
    if (end) codes[name] = end.exitCode;
  }
  return codes;
}

/** When it was made, started and ended, as the cluster's own clocks say. */
function podTimes(pod: SlimPod): PodTimes {
  const { engine } = pod.containers;
  const ends = CONTAINERS.map((name) => ended(pod, name)?.finishedAt).filter((end) => end !== undefined);
  const finishedAt = ends.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  const began = engine?.state === 'terminated' ? Date.parse(engine.startedAt ?? '') : Number.NaN;
  // A container that never started is said to have done so in 1970.
  const seconds =
    engine?.state === 'terminated' && began > 0
      ? (Date.parse(engine.finishedAt ?? '') - began) / 1000
      : Number.NaN;
  return {
    ...(pod.createdAt !== undefined && { createdAt: pod.createdAt }),
    ...(pod.startedAt !== undefined && { startedAt: pod.startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(seconds >= 0 && { engineSeconds: seconds }),
  };
}
