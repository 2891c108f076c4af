import { z } from 'zod';
import type { UploadReport } from '../ports.ts';
import { boundedText } from './bounded-text.ts';

const uploadReportSchema = z
  .strictObject({
    verdict: z.enum(['rebuilt', 'refused']),
    reason: z.string().optional(),
    files: z
      .array(
        z.strictObject({
          name: z.enum(['rebuilt', 'report.xml', 'report.json']),
          size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
          sha256: z.string().regex(/^[0-9a-f]{64}$/),
        }),
      )
      .max(3),
  })
  .refine(({ files }) => new Set(files.map(({ name }) => name)).size === files.length, 'a file twice')
  .refine(
    ({ verdict, files }) => files.some(({ name }) => name === 'rebuilt') === (verdict === 'rebuilt'),
    'rebuilt must be there exactly when the verdict says so',
  );

/** The report in the uploader's termination message, its reason bounded and escaped; null when it is none. */
export function parseUploadReport(message: string): UploadReport | null {
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return null;
  }
  const parsed = uploadReportSchema.safeParse(json);
  if (!parsed.success) return null;
  const { verdict, reason, files } = parsed.data;
  return { verdict, ...(reason !== undefined && { reason: boundedText(reason) }), files };
}
