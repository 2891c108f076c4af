/** One thing about a file pod changed: what rows of tests are made of. */
import type { V1Container, V1EnvVar, V1Pod, V1PodSpec } from '@kubernetes/client-node';

export type Row = {
  rule: string;
  name: string;
  change(pod: V1Pod): void;
  /** Pod Security "restricted", or another part of the API server, stops it too. */
  also?: boolean;
};

export const specOf = ({ spec }: V1Pod): V1PodSpec => {
  if (!spec) throw new Error('a pod without spec');
  return spec;
};
const containersOf = (pod: V1Pod) => [...(specOf(pod).initContainers ?? []), ...specOf(pod).containers];
export function container(pod: V1Pod, name: string): V1Container {
  const found = containersOf(pod).find((one) => one.name === name);
  if (!found) throw new Error(`no container ${name}`);
  return found;
}

/** The pod's spec gets these fields. */
export const spec = (rule: string, name: string, fields: Partial<V1PodSpec>, also = false): Row => ({
  rule,
  name,
  also,
  change: (pod) => Object.assign(specOf(pod), fields),
});
export const inside = (
  rule: string,
  name: string,
  of: string,
  change: (one: V1Container) => void,
  also = false,
): Row => ({ rule, name, also, change: (pod) => change(container(pod, of)) });
/** One of its containers gets these fields. */
export const fields = (
  rule: string,
  name: string,
  of: string,
  more: Partial<V1Container>,
  also = false,
): Row => inside(rule, name, of, (one) => Object.assign(one, more), also);
export const variable = (rule: string, name: string, of: string, env: V1EnvVar): Row =>
  inside(rule, name, of, (one) => {
    one.env = [...(one.env ?? []), env];
  });
export const metadata = (rule: string, name: string, more: object): Row => ({
  rule,
  name,
  change: (pod) => Object.assign(pod.metadata ?? {}, more),
});

export const volume = (name: string, what: object, also = false): Row => ({
  rule: 'volumes',
  name,
  also,
  change: (pod) => specOf(pod).volumes?.push({ name: 'more', ...what }),
});
