import { createHash } from 'node:crypto';
import { EVENT } from '../drivers/events.ts';
import { toBytes } from '../drivers/file-name.ts';
import { podName } from '../drivers/kubernetes/pod-name.ts';
import type { PodOutcome, PodPhase, PodRef } from '../drivers/ports.ts';
import { LINK_SLACK_MS, type Profile, profileFingerprint } from '../drivers/profile.ts';
import type { ProfileRef, RebuildFileInput } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { invalid } from './failures.ts';
import { slotKey } from './keys.ts';

export type CreatePodInput = {
  file: RebuildFileInput;
  workflowId: string;
  runId: string;
  attempt: number;
  /** `a<attempt>-<nonce>`; a pod that is adopted keeps its own. */
  slot: string;
  tier: number;
};

/** `image` is the engine's, as the profile names it. */
export type CreatedPod = PodRef & { adopted: boolean; image: string };

/**
 * Makes the attempt's links and its pod, or adopts the pod when an earlier try of this step made it. Throws
 * InvalidInput where the profile is not the one that the scan began with.
 */
export async function createPod(deps: Dependencies, input: CreatePodInput): Promise<CreatedPod> {
  const { file, attempt, slot } = input;
  const profile = profileOf(deps.profiles, file.profile);
  const content = { sha256: file.sha256, fingerprint: file.profile.fingerprint };
  const name = podName(file.sha256, file.profile.fingerprint, attempt);
  const expiresAt =
    Date.now() + (profile.startDeadlineSeconds + profile.runDeadlineSeconds) * 1000 + LINK_SLACK_MS;
  const source = deps.openSource(file.source);
  const destination = deps.openDestination(file.destination);
  const signPut = (object: string, maxBytes: number) =>
    destination.signPut(slotKey(content, slot, object), { pod: name, expiresAt, maxBytes });

  const [getUrl, rebuilt, reportXml, reportJson] = await Promise.all([
    source.signGet(toBytes(file.name), { pod: name, expiresAt }),
    signPut('rebuilt', profile.maxRebuiltBytes),
    signPut('report.xml', profile.maxReportBytes),
    signPut('report.json', profile.maxReportBytes),
  ]);
  const pod = await deps.pods.create({
    name,
    scanId: file.scanId,
    workflowId: input.workflowId,
    runId: input.runId,
    sha256: file.sha256,
    size: file.size,
    attempt,
    slot,
    profile: { name: file.profile.name, fingerprint: file.profile.fingerprint },
    tier: input.tier,
    getUrl,
    putUrls: { rebuilt, 'report.xml': reportXml, 'report.json': reportJson },
    places: placesDigest(file),
  });
  await deps.reached?.('pod.created');
  return { ...pod, image: profile.image };
}

/** Says whether two pods' links lead to the same places, and does not say where. */
function placesDigest({ source, name, destination }: RebuildFileInput): string {
  const places = JSON.stringify([source, Buffer.from(toBytes(name)).toString('base64'), destination]);
  return createHash('sha256').update(places).digest('hex').slice(0, 16);
}

/** The settings that the scan began with: what they make is committed under their fingerprint. */
function profileOf(profiles: Dependencies['profiles'], ref: ProfileRef): Profile {
  const profile = profiles[ref.name];
  if (profile === undefined) throw invalid(`This worker does not know the profile "${ref.name}".`);
  if (profileFingerprint(profile) === indexProfile(ref)) return profile;
  throw invalid(
    `profile "${ref.name}" has changed since this scan began: drain it and start a new one, or give the workers ` +
      'the old profile back',
  );
}

export type AwaitPodInput = { pod: PodRef; sha256: string; profile: ProfileRef; owner: string };

/** Waits for the pod's end on the shared watch and keeps the content's lock alive meanwhile. Never deletes. */
export async function awaitPod(
  deps: Dependencies,
  input: AwaitPodInput,
  heartbeat: (details: { pod: string; uid: string; phase: PodPhase }) => void,
  signal: AbortSignal,
): Promise<PodOutcome> {
  const key = { sha256: input.sha256, profile: indexProfile(input.profile) };
  let phase: PodPhase = 'created';
  const beat = () => heartbeat({ pod: input.pod.name, uid: input.pod.uid, phase });
  const renewLock = () => {
    const { sha256 } = input;
    deps.locks.acquire(key, input.owner, deps.settings.lockTtlMs).then(
      (ours) => {
        if (!ours) deps.logger.warn({ event: EVENT.lockLost, sha256 }, 'somebody else has the lock now');
      },
      (error: unknown) => deps.logger.warn({ event: EVENT.lockLost, sha256, err: error }, 'lock not renewed'),
    );
  };
  const beats = setInterval(beat, deps.settings.heartbeatMs);
  const renewals = setInterval(renewLock, deps.settings.lockTtlMs / 3);
  try {
    beat();
    const outcome = await deps.pods.await(input.pod, {
      signal,
      sha256: input.sha256,
      onProgress: (now) => {
        phase = now;
        beat();
      },
    });
    await deps.reached?.('pod.ended');
    return outcome;
  } finally {
    clearInterval(beats);
    clearInterval(renewals);
  }
}

/** With its UID as precondition: somebody else's pod of the same name is safe. */
export async function deletePod(deps: Dependencies, pod: { name: string; uid: string }): Promise<void> {
  await deps.pods.remove(pod);
  await deps.reached?.('pod.deleted');
}
