/** All probes, in the order of what they cost. One that can't be made is a failure of its own and stops no other. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { FilePodSettings } from '../../drivers/kubernetes/file-pod.ts';
import { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import type { Destination } from '../../drivers/ports.ts';
import type { Profile } from '../../drivers/profile.ts';
import type { DoctorOrder } from '../doctor-command.ts';
import { checkAccess } from './access.ts';
import { checkAdmission } from './admission.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { checkPods } from './pods.ts';

export type Patient = {
  kubeConfig(): KubeConfig;
  settings: FilePodSettings;
  profiles: Readonly<Record<string, Profile>>;
  destination(url: string): Destination;
  singleWriter: boolean;
};

/** When `stop` fires, pods that were made are deleted and no more are made. */
export async function* examine(
  patient: Patient,
  order: DoctorOrder,
  stop: AbortSignal,
): AsyncGenerator<Finding> {
  const { settings, profiles } = patient;
  const destinations = Promise.all(
    order.destinations.map((url) => attempt(`destination ${url}`, () => checkDestination(patient, url))),
  );
  const api = await connect(patient);
  if (!(api instanceof KubeApi)) yield api;
  else {
    try {
      yield* await attempt('rights', () => checkAccess(api, settings.namespace));
      yield* await attempt('admission', () => checkAdmission({ api, settings, profiles }));
      const { listen, startSeconds } = order;
      const subject = { api, settings, profiles, listen, startSeconds, stop };
      yield* await attempt('pods', () => checkPods(subject));
    } finally {
      api.close();
    }
  }
  for (const findings of await destinations) yield* findings;
  if (order.destinations.length === 0)
    yield warn('destination', 'NOT TRIED: name one with --destination, and its conditional create is tried.');
}

async function connect(patient: Patient): Promise<KubeApi | Finding> {
  try {
    return new KubeApi(patient.kubeConfig());
  } catch (error) {
    return fail('Kubernetes', inWords(error));
  }
}

async function checkDestination({ destination, singleWriter }: Patient, url: string): Promise<Finding[]> {
  const subject = `destination ${url}`;
  await destination(url).check();
  if (singleWriter)
    return [
      warn(
        subject,
        'single-writer mode (PRISTINE_SINGLE_WRITER): nothing but care keeps two installations from one receipt.',
      ),
    ];
  return [ok(subject, 'can be written, and of two writers one wins')];
}

async function attempt(subject: string, probe: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await probe();
  } catch (error) {
    return [fail(subject, inWords(error))];
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
