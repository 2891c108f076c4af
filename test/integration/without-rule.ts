/** The chart's admission policy with one rule taken out, for each of its rules, in a namespace without Pod Security. */
import type { V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import { until } from '../contract/until.ts';
import { type KubeObject, named } from '../unit/helm/render-chart.ts';
import { answer, apply, type FilePodWorld } from './file-pod-world.ts';
import { tool } from './kubectl.ts';

const policySchema = z.looseObject({
  matchConstraints: z.looseObject({}),
  validations: z.array(z.looseObject({ message: z.string() })),
});
const LABEL = 'pristine.dev/scan';

/** A pod is judged by the policy that its label names. */
export async function openNamespace(world: FilePodWorld) {
  const namespace = `${world.workers}-open`;
  const { validations, ...policy } = policySchema.parse(
    named(world.objects, 'ValidatingAdmissionPolicy', '').spec,
  );
  const rules = validations.map(({ message }) => message.slice(0, message.indexOf(':')));
  const objects = rules.flatMap((rule) => [
    object('ValidatingAdmissionPolicy', nameOf(namespace, rule), {
      ...policy,
      matchConstraints: {
        ...policy.matchConstraints,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
      validations: validations.filter(({ message }) => !message.startsWith(`${rule}:`)),
    }),
    object('ValidatingAdmissionPolicyBinding', nameOf(namespace, rule), {
      policyName: nameOf(namespace, rule),
      validationActions: ['Deny'],
      matchResources: { objectSelector: { matchLabels: { [LABEL]: `without-${rule}` } } },
    }),
  ]);
  await tool('kubectl', ['create', 'namespace', namespace]);
  await tool('kubectl', ['-n', namespace, 'create', 'serviceaccount', 'other']);
  await apply(objects, namespace);

  const tryPod = (pod: V1Pod, rule: string) => {
    const body = structuredClone(pod);
    body.metadata = {
      ...body.metadata,
      namespace,
      labels: { ...body.metadata?.labels, [LABEL]: `without-${rule}` },
    };
    return answer(world.admin, {
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods`,
      query: { dryRun: 'All' },
      body,
    });
  };
  for (const rule of rules) await until(async () => /denied request/.test(await tryPod(bare, rule)));

  return {
    rules,
    tryPod,
    async close(): Promise<void> {
      const names = rules.map((rule) => nameOf(namespace, rule));
      await tool('kubectl', ['delete', 'validatingadmissionpolicybinding', ...names]);
      await tool('kubectl', ['delete', 'validatingadmissionpolicy', ...names]);
      await tool('kubectl', ['delete', 'namespace', '--wait=false', namespace]);
    },
  };
}

const nameOf = (namespace: string, rule: string) => `${namespace}-without-${rule}`;
const object = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name },
  spec,
});
/** Against nearly all rules. */
const bare: V1Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'bare' },
  spec: { containers: [{ name: 'bare', image: 'bare' }] },
};
