import type { V1Container, V1Pod, V1ResourceRequirements, V1Toleration } from '@kubernetes/client-node';
import { FETCH_ENV, FOLDER, UPLOAD_ENV } from '../../pod/protocol.ts';
import type { FilePodRequest } from '../ports.ts';
import type { Profile } from '../profile.ts';
import { ANNOTATION, FILE_ROLE, LABEL, labelValue } from './pod-labels.ts';
import { base32Digest } from './pod-name.ts';
import { MEBIBYTE, mebibytes, quantityBytes } from './quantity.ts';

/** What all file pods of one installation have in common. */
export type FilePodSettings = {
  namespace: string;
  /** Name of the installation; a valid label value. */
  instance: string;
  /** Image with the `fetch` and `upload` programs. */
  podImage: string;
  imagePullSecrets?: readonly string[] | undefined;
  tolerations?: V1Toleration[] | undefined;
  nodeSelector?: Record<string, string> | undefined;
  priorityClassName?: string | undefined;
};

/** Nobody's user on any distribution ("nonroot" of the distroless images). */
const USER = 65532;
/** The process has nothing to tidy up: what it has not uploaded does not count. */
const GRACE_SECONDS = 2;
/** Node with the fetch or upload program: 60 MiB seen, the rest is buffers. */
const PROGRAM_MEMORY = 128 * MEBIBYTE;
/** A container's log on the node: the kubelet keeps 5 files of 10 MiB by default. */
const LOG_STORAGE = 64 * MEBIBYTE;

/**
 * The pod of one attempt: `fetch`, then `engine`, then `upload`, one after the other. What the engine finds in it:
 * docs/engine-contract.md. Pure: the same request gives the same pod. Passes Pod Security "restricted".
 */
export function filePodManifest(request: FilePodRequest, profile: Profile, settings: FilePodSettings): V1Pod {
  const sizes = podSizes(request, profile);
  const medium = profile.memoryBacked ? { medium: 'Memory' } : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: request.name,
      namespace: settings.namespace,
      labels: {
        'app.kubernetes.io/name': 'pristine',
        [LABEL.instance]: settings.instance,
        [LABEL.role]: FILE_ROLE,
        [LABEL.sha256]: base32Digest(request.sha256),
        [LABEL.scan]: labelValue(request.scanId),
        [LABEL.profile]: request.profile.fingerprint,
      },
      annotations: {
        [ANNOTATION.sha256]: request.sha256,
        [ANNOTATION.scan]: request.scanId,
        [ANNOTATION.workflowId]: request.workflowId,
        [ANNOTATION.runId]: request.runId,
        [ANNOTATION.slot]: request.slot,
        [ANNOTATION.attempt]: String(request.attempt),
        [ANNOTATION.tier]: String(request.tier),
        [ANNOTATION.profile]: request.profile.name,
        [ANNOTATION.fingerprint]: request.profile.fingerprint,
        ...(request.places !== undefined && { [ANNOTATION.places]: request.places }),
        [ANNOTATION.startDeadlineSeconds]: String(profile.startDeadlineSeconds),
      },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: profile.runDeadlineSeconds,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      volumes: [
        { name: 'in', emptyDir: { ...medium, sizeLimit: mebibytes(sizes.in) } },
        { name: 'out', emptyDir: { ...medium, sizeLimit: mebibytes(sizes.out) } },
        { name: 'tmp', emptyDir: { ...medium, sizeLimit: mebibytes(sizes.tmp) } },
      ],
      initContainers: [
        {
          ...hardened('fetch', settings.podImage, sizes.fetch),
          args: ['fetch'],
          env: literals({
            [FETCH_ENV.url]: request.getUrl,
            [FETCH_ENV.sha256]: request.sha256,
            [FETCH_ENV.size]: String(request.size),
          }),
          volumeMounts: [{ name: 'in', mountPath: FOLDER.in }],
        },
        {
          ...hardened('engine', profile.image, sizes.engine),
          ...(profile.command && { command: profile.command }),
          ...(profile.args && { args: profile.args }),
          // Nothing of ours: no link, no key, no name. The profile's own may replace these two.
          env: variables({ HOME: '/tmp', TMPDIR: '/tmp', ...profile.env }),
          volumeMounts: [
            { name: 'in', mountPath: FOLDER.in, readOnly: true },
            { name: 'out', mountPath: FOLDER.out },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      containers: [
        {
          ...hardened('upload', settings.podImage, sizes.upload),
          args: ['upload'],
          env: literals({
            [UPLOAD_ENV.rebuilt]: request.putUrls.rebuilt,
            [UPLOAD_ENV.reportXml]: request.putUrls['report.xml'],
            [UPLOAD_ENV.reportJson]: request.putUrls['report.json'],
            [UPLOAD_ENV.maxRebuiltBytes]: String(profile.maxRebuiltBytes),
            [UPLOAD_ENV.maxReportBytes]: String(profile.maxReportBytes),
          }),
          // Without `in`: the original is out of reach of what writes to the destination.
          volumeMounts: [{ name: 'out', mountPath: FOLDER.out, readOnly: true }],
        },
      ],
      ...(profile.runtimeClassName !== undefined && { runtimeClassName: profile.runtimeClassName }),
      ...(profile.hostUsers !== undefined && { hostUsers: profile.hostUsers }),
      ...(settings.imagePullSecrets?.length && {
        imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
      }),
      ...(settings.tolerations && { tolerations: settings.tolerations }),
      ...(settings.nodeSelector && { nodeSelector: settings.nodeSelector }),
      ...(settings.priorityClassName !== undefined && { priorityClassName: settings.priorityClassName }),
    },
  };
}

function hardened(name: string, image: string, resources: V1ResourceRequirements): V1Container {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    // A program that died without a word still has its last log lines; an engine's exit 3 takes its reason there.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    resources,
  };
}

function variables(env: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(env).map(([name, value]) => ({ name, value }));
}

/** Kubernetes expands `$(NAME)` in values; a link with a dollar sign must arrive as it is. */
function literals(env: Record<string, string>): { name: string; value: string }[] {
  return variables(env).map(({ name, value }) => ({ name, value: value.replaceAll('$', '$$$$') }));
}

/**
 * Bytes of the volumes and resources of the containers. Each tier doubles the engine's memory and scratch.
 *
 * What lies in memory-backed volumes outlives the container that wrote it and then counts against the pod,
 * whose limit is the largest of its containers' limits. So the engine has exactly the profile's limit, and
 * `upload`, the last, may have what all before it may have left in memory plus its own.
 */
function podSizes(request: FilePodRequest, profile: Profile) {
  const factor = 2 ** request.tier;
  const volumes = {
    in: request.size + MEBIBYTE,
    out: profile.maxRebuiltBytes + profile.maxReportBytes + MEBIBYTE,
    tmp: quantityBytes(profile.scratch) * factor,
  };
  const engineMemory = quantityBytes(profile.engine.limit.memory) * factor;
  const inMemory = profile.memoryBacked ? volumes.in : 0;
  const onDisk = profile.memoryBacked ? 0 : volumes.in + volumes.out + volumes.tmp;
  const storage = {
    request: mebibytes(profile.memoryBacked ? LOG_STORAGE / 4 : LOG_STORAGE / 4 + volumes.in),
    limit: mebibytes(LOG_STORAGE + onDisk),
  };
  const program = (memory: number) =>
    resources(
      { cpu: '50m', memory: mebibytes(PROGRAM_MEMORY / 2), storage: storage.request },
      { cpu: '1', memory: mebibytes(memory), storage: storage.limit },
    );
  return {
    ...volumes,
    fetch: program(PROGRAM_MEMORY + inMemory),
    engine: resources(
      {
        cpu: profile.engine.request.cpu,
        memory: mebibytes(quantityBytes(profile.engine.request.memory) * factor),
        storage: storage.request,
      },
      { cpu: profile.engine.limit.cpu, memory: mebibytes(engineMemory), storage: storage.limit },
    ),
    upload: program(PROGRAM_MEMORY + inMemory + (profile.memoryBacked ? engineMemory : 0)),
  };
}

type Amounts = { cpu: string; memory: string; storage: string };

function resources(requests: Amounts, limits: Amounts): V1ResourceRequirements {
  const named = ({ cpu, memory, storage }: Amounts) => ({ cpu, memory, 'ephemeral-storage': storage });
  return { requests: named(requests), limits: named(limits) };
}
