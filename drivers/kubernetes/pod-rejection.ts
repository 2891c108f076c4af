import type { FailureClass } from '../ports.ts';
import { boundedText } from './bounded-text.ts';
import { mistake } from './pod-trouble.ts';
import { CONTAINERS, type SlimPod } from './slim-pod.ts';

type Rejection = { kind: 'failed'; class: FailureClass; reason: string };

/** Reasons with which a node does not take a pod that another node may take. */
const OTHER_NODE = ['NodeAffinity', 'NodeName', 'NodePorts', 'TaintToleration', 'InvalidNodeInfo'];
/** Reasons with which no node like this one will ever take the pod. */
const NEVER = [
  'AppArmor',
  'PodLevelResourcesNotSupported',
  'PodOSSelectorNodeLabelDoesNotMatch',
  'PodOSNotSupported',
  'InitContainerRestartPolicyForbidden',
  'SupplementalGroupsPolicyNotSupported',
  'SysctlForbidden',
  'PodFeatureUnsupported',
];

/**
 * What the kubelet says in a Failed pod's `reason`, where it has ended or never taken the pod itself; null when it
 * says nothing of the kind. Reasons: pkg/kubelet/{eviction,lifecycle,nodeshutdown} and active_deadline.go of
 * Kubernetes 1.34.
 */
export function rejection(pod: SlimPod): Rejection | null {
  const { reason, message } = pod;
  const say = (klass: FailureClass, text = `${reason}: ${message}`): Rejection => ({
    kind: 'failed',
    class: klass,
    reason: boundedText(text),
  });
  if (reason === 'Evicted') {
    const ownFault = /^(Usage of EmptyDir volume|Pod ephemeral local storage|Container \S+ exceeded)/;
    return ownFault.test(message) ? say('resource') : say('disruption');
  }
  if (reason === 'DeadlineExceeded') return say(deadlineClass(pod), deadlineText(pod));
  if (reason === 'Terminated' || reason === 'Shutdown' || reason === 'NodeShutdown' || reason === 'NodeLost')
    return say('disruption');
  if (reason === 'Preempting') return say('disruption');
  if (reason.startsWith('OutOf') || OTHER_NODE.includes(reason)) return say('capacity');
  if (NEVER.includes(reason)) return say('configuration');
  if (reason === 'UnexpectedAdmissionError') return say('disruption');
  return null;
}

/** The container that the deadline interrupted: the first that had not ended well. */
function interrupted(pod: SlimPod) {
  return CONTAINERS.find((name) => {
    const state = pod.containers[name];
    return !(state?.state === 'terminated' && state.exitCode === 0);
  });
}

function deadlineClass(pod: SlimPod): FailureClass {
  if (mistake(pod)) return 'configuration';
  const name = interrupted(pod);
  const fetch = pod.containers.fetch;
  if (name === 'fetch' && (!fetch || fetch.state === 'waiting')) return 'capacity';
  return name === 'engine' ? 'resource' : 'transfer';
}

function deadlineText(pod: SlimPod): string {
  const limit = pod.activeDeadlineSeconds === undefined ? '' : ` of ${pod.activeDeadlineSeconds} s`;
  return `The pod reached its deadline${limit}: ${mistake(pod) ?? `it was in ${interrupted(pod) ?? 'upload'}.`}`;
}
