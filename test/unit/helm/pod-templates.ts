/** The pods that a chart's objects would make. */
import { z } from 'zod';
import type { KubeObject } from './render-chart.ts';

const probe = z.looseObject({ httpGet: z.looseObject({ path: z.string(), port: z.string() }).optional() });
const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .looseObject({ secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional() })
          .optional(),
      }),
    )
    .default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  resources: z.looseObject({
    requests: z.record(z.string(), z.unknown()),
    limits: z.record(z.string(), z.unknown()),
  }),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  startupProbe: probe.optional(),
});
export const podSpecSchema = z.looseObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  terminationGracePeriodSeconds: z.number().optional(),
  imagePullSecrets: z.array(z.object({ name: z.string() })).default([]),
  securityContext: z.looseObject({}),
  initContainers: z.array(containerSchema).default([]),
  containers: z.array(containerSchema),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
});
const templateSchema = z.looseObject({
  spec: z.looseObject({
    volumeClaimTemplates: z
      .array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) }))
      .default([]),
    template: z.looseObject({
      metadata: z.looseObject({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
      spec: podSpecSchema,
    }),
  }),
});

export type PodSpec = z.infer<typeof podSpecSchema>;
export type PodTemplate = {
  kind: string;
  owner: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  pod: PodSpec;
  /** Volumes that a StatefulSet adds. */
  claims: string[];
};

const WITH_PODS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];

export function podTemplates(objects: KubeObject[]): PodTemplate[] {
  return objects
    .filter(({ kind }) => WITH_PODS.includes(kind))
    .map((object) => {
      const { template, volumeClaimTemplates } = templateSchema.parse(object).spec;
      return {
        kind: object.kind,
        owner: `${object.kind} ${object.metadata.name}`,
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        pod: template.spec,
        claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
      };
    });
}

export function allContainers(pod: PodSpec): PodSpec['containers'] {
  return [...pod.initContainers, ...pod.containers];
}
