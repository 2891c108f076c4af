/** What the API server takes as a pod in the file pods' namespace: tried, as a dry run. */
import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { FilePodSettings } from '../../drivers/kubernetes/file-pod.ts';
import type { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import type { Profile } from '../../drivers/profile.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { probePod, type Tried, tryPod } from './probe-pod.ts';

export type AdmissionSubject = {
  api: KubeApi;
  settings: FilePodSettings;
  profiles: Readonly<Record<string, Profile>>;
};

type Change = (spec: V1PodSpec, engine: V1Container, pod: V1Pod) => void;

/** Each breaks Pod Security "restricted". */
const UNSAFE: Record<string, Change> = {
  "with the node's network": (spec) => Object.assign(spec, { hostNetwork: true }),
  'with a folder of the node': (spec) => spec.volumes?.push({ name: 'node', hostPath: { path: '/' } }),
  'as root': (spec) => Object.assign(spec, { securityContext: { runAsUser: 0 } }),
  'with capabilities': (_, engine) => Object.assign(engine, { securityContext: { capabilities: {} } }),
};

/** Each is fine by Pod Security, and no file pod. */
const STRANGE: Record<string, Change> = {
  'with an image of its own': (_, engine) => Object.assign(engine, { image: 'doctor.invalid/other:1' }),
  'with a link for the engine': (_, engine) => engine.env?.push({ name: 'LINK', value: 'http://x.invalid' }),
  'with a Secret': (spec) => spec.volumes?.push({ name: 'more', secret: { secretName: 'doctor' } }),
  'with one more container': (spec, { volumeMounts: _, ...engine }) =>
    spec.containers.push({ ...engine, name: 'more' }),
  'without a deadline': (spec) => {
    delete spec.activeDeadlineSeconds;
  },
  'with another name': (_, __, pod) => Object.assign(pod.metadata ?? {}, { name: 'doctor' }),
};

export async function checkAdmission(subject: AdmissionSubject): Promise<Finding[]> {
  return [...(await checkProfiles(subject)), await checkPodSecurity(subject), await checkPolicy(subject)];
}

/** A profile whose pods are refused makes a scan pause itself; better said before. */
async function checkProfiles({ api, settings, profiles }: AdmissionSubject): Promise<Finding[]> {
  return Promise.all(
    Object.entries(profiles).map(async ([name, profile]) => {
      const said = `profile ${name}`;
      for (let tier = 0; tier <= profile.maxTier; tier++) {
        const tried = await tryPod(api, settings.namespace, probePod(name, profile, settings, tier));
        if (!tried.taken) return refusedProfile(said, profile, tier, tried);
        if (profile.hostUsers === false && hostUsersOf(tried.answer) !== false)
          return fail(
            said,
            'the API server drops hostUsers: false: user namespaces are missing. Switch them on (Kubernetes 1.33 has them on), or take hostUsers out of the profile.',
          );
      }
      return ok(said, `its pods are taken, in all ${profile.maxTier + 1} sizes`);
    }),
  );
}

function refusedProfile(subject: string, profile: Profile, tier: number, tried: Tried & { taken: false }) {
  if (/RuntimeClass "[^"]*" not found/.test(tried.said))
    return fail(
      subject,
      `RuntimeClass ${profile.runtimeClassName} is missing: no pod of it can be made. Install the runtime and its RuntimeClass, or take runtimeClassName out of the profile.`,
    );
  if (/exceeded quota/.test(tried.said)) return warn(subject, `no room for its pods now: ${tried.said}`);
  return fail(subject, `its pods of size ${tier} are refused: ${tried.said}`);
}

async function checkPodSecurity(subject: AdmissionSubject): Promise<Finding> {
  const tried = await tryChanges(subject, UNSAFE);
  const taken = tried.filter(({ result }) => result.taken).map(({ name }) => name);
  const what = 'Pod Security';
  if (taken.length > 0)
    return fail(
      what,
      `NOT ENFORCED: pods ${taken.join(', ')} are taken. Label namespace ${subject.settings.namespace} with pod-security.kubernetes.io/enforce=restricted.`,
    );
  const other = tried.filter(({ result }) => !result.taken && !/violates PodSecurity/.test(result.said));
  if (other.length > 0)
    return warn(
      what,
      `unsafe pods are refused, but not by Pod Security (${other.map(({ name }) => name).join(', ')}). Label the namespace with pod-security.kubernetes.io/enforce=restricted.`,
    );
  return ok(what, `enforced: pods ${tried.map(({ name }) => name).join(', ')} are refused`);
}

async function checkPolicy(subject: AdmissionSubject): Promise<Finding> {
  const tried = await tryChanges(subject, STRANGE);
  const taken = tried.filter(({ result }) => result.taken).map(({ name }) => name);
  const what = 'shape of pods';
  if (taken.length > 0)
    return warn(
      what,
      `NOT PINNED: pods ${taken.join(', ')} are taken. With a worker's token others could run such pods. Install the chart's ValidatingAdmissionPolicy (filePods.admission.enabled).`,
    );
  return ok(what, `pinned: pods ${tried.map(({ name }) => name).join(', ')} are refused`);
}

async function tryChanges({ api, settings, profiles }: AdmissionSubject, changes: Record<string, Change>) {
  const [[profileName, profile] = []] = Object.entries(profiles);
  if (profileName === undefined || profile === undefined) throw new Error('There is no profile.');
  return Promise.all(
    Object.entries(changes).map(async ([name, change]) => {
      const pod = probePod(profileName, profile, settings);
      const engine = pod.spec?.initContainers?.[1];
      if (!pod.spec || !engine) throw new Error('A file pod without an engine.');
      change(pod.spec, engine, pod);
      return { name, result: await tryPod(api, settings.namespace, pod) };
    }),
  );
}

function hostUsersOf(answer: unknown): unknown {
  const spec = typeof answer === 'object' && answer !== null && 'spec' in answer ? answer.spec : undefined;
  return typeof spec === 'object' && spec !== null && 'hostUsers' in spec ? spec.hostUsers : undefined;
}
