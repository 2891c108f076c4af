/** Reading what people send to `retryQuarantined`. */
import { z } from 'zod';
import type { RetryInput } from './contract.ts';
import { describeIssues, invalidInput, location } from './messages.ts';

const retryInputSchema = z
  .strictObject({
    destination: location,
    profile: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'a profile name, or its fingerprint: 8 hex digits')
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'the sha256 of a content: 64 hex digits in lower case')
      .optional(),
    class: z
      .string()
      .regex(/^[a-z-]{1,40}$/, 'a failure class such as crash, resource or transfer')
      .optional(),
    all: z.literal(true, 'true').optional(),
  })
  .refine(
    (input) => [input.sha256, input.class, input.all].filter((one) => one !== undefined).length === 1,
    'exactly one of "sha256", "class" and "all": true',
  );

/** Throws a non-retryable ApplicationFailure of type `InvalidInput` that names every bad field. */
export function parseRetryInput(given: unknown): RetryInput {
  const parsed = retryInputSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const fields = Object.keys(retryInputSchema.shape);
  throw invalidInput(describeIssues('retry input', given, parsed.error, fields));
}
