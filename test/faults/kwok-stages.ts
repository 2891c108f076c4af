/** What kwok does with nodes and file pods of the tests: its configuration file. */

/** Marks the nodes that one kwok looks after; also the key of their taint. */
export const NODE_LABEL = 'test.pristine.dev/kwok';
/** Of a pod: its last status as JSON, put there by the pod player, published by kwok. */
export const END_ANNOTATION = 'test.pristine.dev/end';

type Stage = {
  name: string;
  kind: 'Node' | 'Pod';
  when: { key: string; operator: string; values?: string[] }[];
  /** Milliseconds, from 0 to this. */
  jitterMs?: number;
  next: object;
};

const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const hasEnd = `.metadata.annotations["${END_ANNOTATION}"]`;
const status = (template: string) => ({
  steps: [{ patch: { subresource: 'status', root: 'status', type: 'merge', template } }],
});

/** YAML: one JSON document after the other. `logs` is a file in the CRI's format, every container's log. */
export function kwokConfiguration({ logs, jitterMs }: { logs: string; jitterMs: number }): string {
  const stages: Stage[] = [
    {
      name: 'node-ready',
      kind: 'Node',
      when: [
        {
          key: '.status.conditions.[] | select( .type == "Ready" ) | .status',
          operator: 'NotIn',
          values: ['True'],
        },
      ],
      next: status(NODE_STATUS),
    },
    {
      name: 'pod-starts',
      kind: 'Pod',
      when: [alive, { key: '.status.startTime', operator: 'DoesNotExist' }],
      jitterMs,
      next: status(STARTED),
    },
    {
      name: 'pod-ends',
      kind: 'Pod',
      when: [
        alive,
        { key: hasEnd, operator: 'Exists' },
        { key: '.status.startTime', operator: 'Exists' },
        { key: '.status.phase', operator: 'NotIn', values: ['Succeeded', 'Failed'] },
      ],
      jitterMs,
      // JSON is YAML.
      next: status(`{{ index .metadata.annotations "${END_ANNOTATION}" }}`),
    },
    {
      // At once: kwok deletes by name only, and later another pod may have it.
      name: 'pod-leaves',
      kind: 'Pod',
      when: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }],
      next: { delete: true },
    },
  ];
  const documents = [
    {
      apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
      kind: 'KwokConfiguration',
      // With a document of its own, what is not said is 0.
      options: {
        cidr: '198.18.240.0/20',
        podPlayStageParallelism: 16,
        nodePlayStageParallelism: 4,
        nodeLeaseParallelism: 4,
        nodeLeaseDurationSeconds: 40,
        podsOnNodeSyncParallelism: 4,
        enablePodsOnNodeSyncListPager: true,
        enableDebuggingHandlers: true,
      },
    },
    ...stages.map(stage),
    {
      apiVersion: 'kwok.x-k8s.io/v1alpha1',
      kind: 'ClusterLogs',
      metadata: { name: 'logs' },
      spec: { logs: [{ logsFile: logs }] },
    },
  ];
  return documents.map((document) => `---\n${JSON.stringify(document, null, 2)}\n`).join('');
}

function stage({ name, kind, when, jitterMs, next }: Stage): object {
  const steps = 'steps' in next ? next : { next };
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind },
      selector: { matchExpressions: when },
      ...(jitterMs !== undefined && {
        delay: { durationMilliseconds: 0, jitterDurationMilliseconds: jitterMs },
      }),
      ...steps,
    },
  };
}

const NODE_STATUS = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
  message: {{ .message | Quote }}
  reason: {{ .reason | Quote }}
  status: {{ .status | Quote }}
  type: {{ .type | Quote }}
{{ end }}
addresses:
- address: {{ NodeIP | Quote }}
  type: InternalIP
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ NodePort }}
allocatable: &room
  cpu: 1k
  memory: 1Ti
  ephemeral-storage: 1Pi
  pods: 100k
capacity: *room
phase: Running
`;

const STARTED = `
{{ $now := Now }}
startTime: {{ $now | Quote }}
initContainerStatuses:
{{ range $at, $container := .spec.initContainers }}
- name: {{ $container.name | Quote }}
  image: {{ $container.image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state:
  {{ if eq $at 0 }}
    running:
      startedAt: {{ $now | Quote }}
  {{ else }}
    waiting:
      reason: PodInitializing
  {{ end }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state:
    waiting:
      reason: PodInitializing
{{ end }}
phase: Pending
`;
