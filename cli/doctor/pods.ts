/** What happens to real pods: whether they start as their profile wants them, and where they get to. */
import type { FilePodSettings } from '../../drivers/kubernetes/file-pod.ts';
import type { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { KubeError } from '../../drivers/kubernetes/kube-error.ts';
import type { Profile } from '../../drivers/profile.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { openListener } from './listener.ts';
import { type Probe, type ProbeOrder, runProbe } from './run-probe.ts';

export type PodSubject = {
  api: KubeApi;
  settings: FilePodSettings;
  profiles: Readonly<Record<string, Profile>>;
  /** An address of this machine that pods get to when nothing keeps them. */
  listen: { host: string; port: number } | undefined;
  startSeconds: number;
  stop: AbortSignal;
};

/** A name that is nobody's: `fetch` starts, and fails. */
const NOWHERE = { url: 'http://doctor.invalid/', reached: () => false };

/** One pod a profile, all at once. */
export async function checkPods(subject: PodSubject): Promise<Finding[]> {
  const listener = subject.listen && (await openListener(subject.listen));
  try {
    const profiles = Object.entries(subject.profiles);
    const probes = await Promise.all(
      profiles.map(async ([name, profile]) => ({
        name,
        profile,
        probe: await tryProbe({
          ...subject,
          profile: [name, profile],
          link: listener?.link() ?? NOWHERE,
        }),
      })),
    );
    return [
      ...probes.map(({ name, profile, probe }) => startFinding(name, profile, probe, subject.startSeconds)),
      networkFinding(
        probes.map(({ probe }) => probe),
        listener !== undefined,
      ),
      userNamespaces(profiles),
    ];
  } finally {
    await listener?.close();
  }
}

/** An API server that says no says something about the cluster; one that says nothing does not. */
async function tryProbe(order: ProbeOrder): Promise<Probe | KubeError> {
  try {
    return await runProbe(order);
  } catch (error) {
    if (error instanceof KubeError && error.status !== 0) return error;
    throw error;
  }
}

function startFinding(name: string, profile: Profile, probe: Probe | KubeError, seconds: number): Finding {
  const subject = `pod of profile ${name}`;
  if (probe instanceof KubeError) return fail(subject, `can't be made: ${probe.message}`);
  if (probe.how === 'interrupted') return warn(subject, 'NOT TRIED: interrupted.');
  if (probe.how !== 'not-started') return ok(subject, `starts${isolation(profile)}`);
  const wants = isolation(profile);
  const why = probe.why === '' ? '' : ` (${probe.why})`;
  return fail(
    subject,
    `did not start within ${seconds} s${why}.${
      wants === ''
        ? ' See its events: kubectl get events.'
        : ` It asks to run${wants}: nodes that can't are the likely reason; mend them or the profile.`
    }`,
  );
}

function isolation({ hostUsers, runtimeClassName }: Profile): string {
  const parts = [
    ...(hostUsers === false ? ['in a user namespace'] : []),
    ...(runtimeClassName === undefined ? [] : [`under RuntimeClass ${runtimeClassName}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

function networkFinding(probes: readonly (Probe | KubeError)[], listened: boolean): Finding {
  const what = 'NetworkPolicy';
  const ran = probes.flatMap((probe) => (probe instanceof KubeError ? [] : [probe.how]));
  if (!listened)
    return warn(
      what,
      'NOT TRIED: name an address of this machine that pods would get to (--listen), or let `helm test` ask from inside the cluster.',
    );
  if (ran.includes('reached'))
    return warn(
      what,
      'NOT ENFORCED: a file pod connected to an address that it has no business with. So can an engine that has gone bad, and send what it was given anywhere. Use a network plugin that enforces policies, and filePods.networkPolicy.enabled.',
    );
  if (ran.some((how) => how === 'silent' || how === 'ended'))
    return ok(what, 'enforced: a file pod could not connect to an address that it has no business with');
  return warn(what, 'NOT TRIED: no pod started.');
}

function userNamespaces(profiles: readonly [string, Profile][]): Finding {
  const without = profiles.filter(([, { hostUsers }]) => hostUsers !== false).map(([name]) => name);
  const sandboxed = profiles.every(
    ([, profile]) => profile.hostUsers === false || profile.runtimeClassName !== undefined,
  );
  if (without.length === 0) return ok('user namespaces', 'every profile asks for them');
  const text = `profiles without them: ${without.join(', ')}.`;
  if (sandboxed) return ok('user namespaces', `${text} A RuntimeClass keeps these apart.`);
  return warn(
    'user namespaces',
    `NOT USED: ${text} Whoever breaks out of such a container is a user of the node. Set hostUsers: false where nodes can (Linux 6.3, containerd 2.0 or CRI-O 1.25), or a runtimeClassName.`,
  );
}
