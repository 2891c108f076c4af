/** The images that a release runs with the chart's own values: what a mirror must hold. */
import { z } from 'zod';

const imageSchema = z.object({ repository: z.string(), tag: z.string(), digest: z.string() });
const valuesSchema = z.object({
  image: imageSchema,
  podImage: imageSchema,
  profiles: z.record(z.string(), z.object({ image: z.string() })),
  redis: z.object({ image: imageSchema }),
});

/** References without a registry, sorted. `values` is values.yaml, parsed. */
export function chartImages(values: unknown, appVersion: string): string[] {
  const { image, podImage, profiles, redis } = valuesSchema.parse(values);
  const ours = [image, podImage, redis.image].map(({ repository, tag, digest }) =>
    digest === '' ? `${repository}:${tag || appVersion}` : `${repository}@${digest}`,
  );
  return [...new Set([...ours, ...Object.values(profiles).map((profile) => profile.image)])].sort();
}
