/** The Pods port in memory: what each pod does is a script; what the API server does to pods is as real. */
import { randomUUID } from 'node:crypto';
import { DriverError } from '../../drivers/errors.ts';
import {
  type FilePodRequest,
  POD_PHASES,
  type PodOutcome,
  type PodPhase,
  type PodRef,
  type Pods,
  type PodWait,
} from '../../drivers/ports.ts';

export type PodScript = {
  /** null: it never ends by itself. */
  outcome: PodOutcome | null;
  /** The phase it ends or stays in. */
  last?: PodPhase;
  /** What a container logs, from the start; a container without an entry has not started. */
  logs?: Partial<Record<'fetch' | 'engine' | 'upload', string>>;
};

type FakePod = {
  request: FilePodRequest;
  uid: string;
  createdAt: string;
  foreign: boolean;
  script: PodScript;
  phase: PodPhase;
  outcome: PodOutcome | null;
  terminating: boolean;
  listeners: Set<() => void>;
};

export type FakePodsOptions = {
  /** Milliseconds a pod spends in each phase. */
  phaseMs?: number;
  /** Milliseconds from the deletion of a running pod until its name is free. */
  terminationMs?: number;
};

export class FakePods implements Pods {
  /** Every pod that was made (not adopted), in order. */
  readonly created: FilePodRequest[] = [];
  readonly #script: (request: FilePodRequest) => PodScript;
  readonly #phaseMs: number;
  readonly #terminationMs: number;
  readonly #pods = new Map<string, FakePod>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closed = new AbortController();
  readonly #failures = new Map<keyof Pods, Error[]>();

  constructor(
    script: (request: FilePodRequest) => PodScript,
    { phaseMs = 1, terminationMs = 1 }: FakePodsOptions = {},
  ) {
    this.#script = script;
    this.#phaseMs = phaseMs;
    this.#terminationMs = terminationMs;
  }

  /** Makes the next call of a method throw. */
  failNext(method: 'check' | 'create' | 'await' | 'log' | 'remove' | 'list', error: Error): void {
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), error]);
  }

  /** Somebody deletes it by hand, at once and without grace. */
  vanish(name: string): void {
    const pod = this.#pods.get(name);
    this.#pods.delete(name);
    if (pod) this.#tell(pod);
  }

  /** A pod of that name that is not ours. */
  plantForeign(request: FilePodRequest): void {
    this.#add(request, { outcome: null }, true);
  }

  async check(): Promise<void> {
    this.#throwPlanned('check');
  }

  async create(request: FilePodRequest): Promise<PodRef & { adopted: boolean }> {
    this.#throwPlanned('create');
    const there = this.#pods.get(request.name);
    if (there) return this.#adopt(there, request);
    const pod = this.#add(request, this.#script(request), false);
    this.created.push(request);
    this.#advance(pod);
    return { name: request.name, uid: pod.uid, slot: request.slot, adopted: false };
  }

  async await({ name, uid }: PodRef, { onProgress, signal }: PodWait = {}): Promise<PodOutcome> {
    this.#throwPlanned('await');
    const stop = AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])]);
    let told: PodPhase | undefined;
    for (;;) {
      if (stop.aborted) throw new DOMException('The wait for the pod was given up.', 'AbortError');
      const pod = this.#pods.get(name);
      if (pod?.uid !== uid)
        return { kind: 'gone', reason: 'The pod is not there any more.', exitCodes: {}, times: {} };
      if (pod.phase !== told) onProgress?.(pod.phase);
      told = pod.phase;
      if (pod.outcome) return pod.outcome;
      if (pod.terminating)
        return {
          kind: 'failed',
          class: 'disruption',
          reason: 'The pod is being deleted: somebody asked for it',
          exitCodes: {},
          times: {},
        };
      await new Promise<void>((resolve) => {
        const wake = () => {
          pod.listeners.delete(wake);
          stop.removeEventListener('abort', wake);
          resolve();
        };
        pod.listeners.add(wake);
        stop.addEventListener('abort', wake);
      });
    }
  }

  async log(pod: PodRef, container: 'fetch' | 'engine' | 'upload', maxBytes: number): Promise<string | null> {
    this.#throwPlanned('log');
    const found = this.#pods.get(pod.name);
    const text = found?.uid === pod.uid ? found.script.logs?.[container] : undefined;
    return text === undefined ? null : Buffer.from(text).subarray(-maxBytes).toString();
  }

  async remove({ name, uid }: { name: string; uid: string }): Promise<void> {
    this.#throwPlanned('remove');
    const pod = this.#pods.get(name);
    if (pod?.uid !== uid || pod.terminating) return;
    pod.terminating = true;
    if (pod.outcome) return this.vanish(name);
    this.#tell(pod);
    this.#later(this.#terminationMs, () => {
      if (this.#pods.get(name) === pod) this.vanish(name);
    });
  }

  async list(): ReturnType<Pods['list']> {
    this.#throwPlanned('list');
    return [...this.#pods.values()]
      .filter(({ foreign }) => !foreign)
      .map(({ request, uid, createdAt, outcome, terminating }) => {
        const { name, workflowId, runId } = request;
        const ended = outcome?.kind === 'uploaded' ? 'Succeeded' : 'Failed';
        return {
          name,
          uid,
          workflowId,
          runId,
          createdAt,
          phase: terminating ? 'Terminating' : outcome ? ended : 'Running',
        };
      });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #adopt(there: FakePod, request: FilePodRequest): Promise<PodRef & { adopted: boolean }> {
    const { name, sha256, profile, workflowId, runId, slot } = there.request;
    if (there.foreign || sha256 !== request.sha256 || profile.fingerprint !== request.profile.fingerprint)
      throw conflict(`Pod ${name} is not of this installation.`, false);
    if (there.terminating) throw conflict(`Pod ${name} is still being deleted.`, true);
    const sameRun = workflowId === request.workflowId && runId === request.runId;
    const bad = there.outcome && there.outcome.kind !== 'uploaded' && there.outcome.kind !== 'refused';
    const elsewhere =
      there.request.places !== undefined &&
      request.places !== undefined &&
      there.request.places !== request.places;
    if ((bad || elsewhere) && !sameRun) {
      await this.remove({ name, uid: there.uid });
      throw conflict(`Pod ${name} of an earlier run is of no use and is being removed.`, true);
    }
    return { name, uid: there.uid, slot, adopted: true };
  }

  #add(request: FilePodRequest, script: PodScript, foreign: boolean): FakePod {
    const pod: FakePod = {
      request,
      uid: randomUUID(),
      createdAt: new Date().toISOString(),
      foreign,
      script,
      phase: 'created',
      outcome: null,
      terminating: false,
      listeners: new Set(),
    };
    this.#pods.set(request.name, pod);
    return pod;
  }

  #advance(pod: FakePod): void {
    this.#later(this.#phaseMs, () => {
      if (pod.terminating || this.#pods.get(pod.request.name) !== pod) return;
      const next = POD_PHASES[POD_PHASES.indexOf(pod.phase) + 1];
      if (next && pod.phase !== (pod.script.last ?? 'uploading')) {
        pod.phase = next;
        this.#advance(pod);
      } else {
        pod.outcome = pod.script.outcome;
      }
      this.#tell(pod);
    });
  }

  #tell(pod: FakePod): void {
    for (const listener of [...pod.listeners]) listener();
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #throwPlanned(method: keyof Pods): void {
    const error = this.#failures.get(method)?.shift();
    if (error) throw error;
  }
}

function conflict(message: string, retryable: boolean): DriverError {
  return new DriverError('kubernetes.conflict', message, {
    retryable,
    ...(retryable && { retryAfterMs: 1_000 }),
  });
}
