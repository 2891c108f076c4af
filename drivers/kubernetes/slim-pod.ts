/** A pod as the shared watch keeps it: a few hundred bytes of what decides, out of some ten thousand. */
import { z } from 'zod';
import { boundedText } from './bounded-text.ts';
import { ANNOTATION, LABEL } from './pod-labels.ts';

export const CONTAINERS = ['fetch', 'engine', 'upload'] as const;
export type ContainerName = (typeof CONTAINERS)[number];

export type ContainerState =
  | { state: 'waiting'; reason: string; message: string }
  | { state: 'running'; startedAt?: string | undefined }
  | {
      state: 'terminated';
      exitCode: number;
      reason: string;
      /** As the container wrote it: hostile, up to 4,096 bytes. */
      message: string;
      startedAt?: string | undefined;
      finishedAt?: string | undefined;
    };
export type Condition = { status: string; reason: string; message: string };

export type SlimPod = {
  name: string;
  uid: string;
  resourceVersion: string;
  createdAt?: string | undefined;
  /** When and with how much grace somebody asked for it to be deleted. */
  deletion?: { at: string; graceSeconds: number } | undefined;
  activeDeadlineSeconds?: number | undefined;
  node?: string | undefined;
  /** The installation it belongs to. */
  instance?: string | undefined;
  annotations: Partial<Record<keyof typeof ANNOTATION, string>>;
  /** Pending, Running, Succeeded, Failed, Unknown. */
  phase: string;
  reason: string;
  message: string;
  startedAt?: string | undefined;
  scheduled?: Condition | undefined;
  disruption?: Condition | undefined;
  /** A container without status is absent: nothing has happened to it yet. */
  containers: Partial<Record<ContainerName, ContainerState>>;
  /** What the engine's image resolved to, once the kubelet says so. */
  engineImageId?: string | undefined;
};

/** A repository's name has at most 255 characters, a digest 71. */
const IMAGE_ID_LIMIT = 400;

const text = z.string().catch('');
const time = z.string().optional().catch(undefined);

const containerStatusSchema = z.object({
  name: z.string(),
  imageID: text,
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).optional(),
      running: z.object({ startedAt: time }).optional(),
      terminated: z
        .object({
          exitCode: z.number(),
          reason: text,
          message: text,
          startedAt: time,
          finishedAt: time,
        })
        .optional(),
    })
    .catch({}),
});

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: time,
    deletionTimestamp: time,
    deletionGracePeriodSeconds: z.number().catch(0),
    annotations: z.record(z.string(), z.string()).catch({}),
    labels: z.record(z.string(), z.string()).catch({}),
  }),
  spec: z
    .object({ nodeName: z.string().optional(), activeDeadlineSeconds: z.number().optional() })
    .catch(() => ({})),
  status: z
    .object({
      phase: z.string().catch('Pending'),
      reason: text,
      message: text,
      startTime: time,
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: text, message: text }))
        .catch([]),
      initContainerStatuses: z.array(containerStatusSchema).catch([]),
      containerStatuses: z.array(containerStatusSchema).catch([]),
    })
    .catch(() => ({
      phase: 'Pending',
      reason: '',
      message: '',
      startTime: undefined,
      conditions: [],
      initContainerStatuses: [],
      containerStatuses: [],
    })),
});

/** From a pod in the API's JSON. null when it has not even a name, UID and resource version. */
export function slimPod(json: unknown): SlimPod | null {
  const parsed = podSchema.safeParse(json);
  if (!parsed.success) return null;
  const { metadata, spec, status } = parsed.data;
  const engine = status.initContainerStatuses.find(({ name }) => name === 'engine');
  const condition = (type: string): Condition | undefined => {
    const found = status.conditions.find((one) => one.type === type);
    return found && { status: found.status, reason: found.reason, message: boundedText(found.message) };
  };
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    createdAt: metadata.creationTimestamp,
    deletion:
      metadata.deletionTimestamp === undefined
        ? undefined
        : { at: metadata.deletionTimestamp, graceSeconds: metadata.deletionGracePeriodSeconds },
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    node: spec.nodeName,
    instance: metadata.labels[LABEL.instance],
    annotations: ourAnnotations(metadata.annotations),
    phase: status.phase,
    reason: status.reason,
    message: boundedText(status.message),
    startedAt: status.startTime,
    scheduled: condition('PodScheduled'),
    disruption: condition('DisruptionTarget'),
    containers: containers([...status.initContainerStatuses, ...status.containerStatuses]),
    engineImageId: engine?.imageID ? boundedText(engine.imageID, IMAGE_ID_LIMIT) : undefined,
  };
}

function ourAnnotations(all: Record<string, string>): SlimPod['annotations'] {
  const ours: SlimPod['annotations'] = {};
  // Object.keys forgets what the keys are.
  for (const key of Object.keys(ANNOTATION) as (keyof typeof ANNOTATION)[]) {
    const value = all[ANNOTATION[key]];
    if (value !== undefined) ours[key] = value;
  }
  return ours;
}

function containers(statuses: z.infer<typeof containerStatusSchema>[]): SlimPod['containers'] {
  const found: SlimPod['containers'] = {};
  for (const { name, state } of statuses) {
    const known = CONTAINERS.find((one) => one === name);
    if (!known) continue;
    if (state.terminated) found[known] = { state: 'terminated', ...state.terminated };
    else if (state.running) found[known] = { state: 'running', ...state.running };
    else if (state.waiting)
      found[known] = {
        state: 'waiting',
        reason: state.waiting.reason,
        message: boundedText(state.waiting.message),
      };
  }
  return found;
}
