import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const eventSchema = z.object({
  stage: z.string(),
  verb: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z.object({ resource: z.string(), subresource: z.string().optional() }).optional(),
});

/** Where the audit log ends now, to count from later; null when there is none. */
export async function auditMark(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Requests since `mark`: `<user> <verb> <resource>` to how many, each counted once, when it was complete. */
export async function requestsSince(file: string, mark: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const line of createInterface({ input: createReadStream(file, { start: mark }) })) {
    if (line === '') continue;
    const event = eventSchema.parse(JSON.parse(line));
    if (event.stage !== 'ResponseComplete') continue;
    const { resource = '-', subresource } = event.objectRef ?? {};
    const key = `${event.user.username} ${event.verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
