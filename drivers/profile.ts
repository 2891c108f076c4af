/** Engine profiles: named settings whose fingerprint is part of every key. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi|k|M|G)?$/, 'a Kubernetes quantity such as 500m or 256Mi');

const resources = z.strictObject({ cpu: quantity, memory: quantity });

/** Links of a pod live as long as it may start and run, and this much longer: clocks of pods, stores and workers differ. */
export const LINK_SLACK_MS = 5 * 60_000;

/** Settings of one profile, as an operator writes them in the profiles file. */
export const profileSchema = z.strictObject({
  /** Engine image, by digest or by a tag that never moves. */
  image: z.string().min(1),
  /** Replaces the image's own entrypoint. */
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).default({}),
  /** Limits of the engine at tier 0; each tier doubles memory and scratch. */
  engine: z
    .strictObject({
      request: resources.default({ cpu: '100m', memory: '64Mi' }),
      limit: resources.default({ cpu: '1', memory: '512Mi' }),
    })
    .prefault({}),
  /** Bytes of the engine's writable scratch (/tmp). */
  scratch: quantity.default('256Mi'),
  /** Largest input; more is refused without a pod. */
  maxInputBytes: z
    .number()
    .int()
    .positive()
    .default(256 * 1024 * 1024),
  maxRebuiltBytes: z
    .number()
    .int()
    .positive()
    .default(512 * 1024 * 1024),
  maxReportBytes: z
    .number()
    .int()
    .positive()
    .default(16 * 1024 * 1024),
  /** Seconds from create to the first container, and from start to the end. */
  startDeadlineSeconds: z.number().int().positive().default(300),
  runDeadlineSeconds: z.number().int().positive().default(300),
  runtimeClassName: z.string().optional(),
  hostUsers: z.boolean().optional(),
  /** Keep scratch, in and out in memory (counted against the containers' limits) instead of on the node's disk. */
  memoryBacked: z.boolean().default(true),
  maxTier: z.number().int().min(0).max(4).default(2),
});
export type Profile = z.infer<typeof profileSchema>;

export const profilesSchema = z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/), profileSchema);

/** First 8 hex of the sha256 over the settings in canonical form (object keys sorted). */
export function profileFingerprint(profile: Profile): string {
  return createHash('sha256').update(canonicalJson(profile)).digest('hex').slice(0, 8);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
