/** Reading what people send to a scan: every problem named with what was given and what is allowed. */
import { ApplicationFailure } from '@temporalio/workflow';
import { z } from 'zod';
import type { ScanInput } from './contract.ts';
import { SCAN_MODES } from './contract.ts';

// The workflow sandbox is no place for zod's generated code.
z.config({ jitless: true });

/** Where a source or destination is. */
export const location = z
  .string()
  .max(2048)
  .regex(/^[a-z][a-z0-9+.-]*:\/\/\S/, 'a URL such as file:///absolute/folder or s3://bucket/prefix/');
const patterns = z.array(z.string().min(1).max(512)).max(100);

export const parallelFilesSchema = z.int('a whole number from 1 to 500').min(1).max(500);

/** `scan`'s input: limits and defaults. Fields it does not know are refused, so that a typo is not ignored. */
export const scanInputSchema = z.strictObject({
  source: location,
  destination: location,
  profile: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'a profile name: small letters, digits and dashes, at most 31')
    .default('default'),
  parallelFiles: parallelFilesSchema.default(10),
  retries: z.int('a whole number from 0 to 20').min(0).max(20).default(3),
  watch: z
    .union(
      [z.boolean(), z.number().min(1).max(86_400)],
      'true, false, or seconds between listings (1 to 86400)',
    )
    .default(false),
  include: patterns.optional(),
  exclude: patterns.optional(),
  maxBytes: z.int('a whole number of bytes').min(1).optional(),
  mode: z.enum(SCAN_MODES, `one of ${SCAN_MODES.join(', ')}`).default('reuse'),
  failureLimit: z
    .union(
      [z.literal(false), z.strictObject({ share: z.number().min(0.01).max(1), of: z.int().min(5).max(500) })],
      'false, or {"share": 0.01 to 1, "of": 5 to 500}',
    )
    .default({ share: 0.5, of: 20 }),
});

/** Throws a non-retryable ApplicationFailure of type `InvalidInput` that names every bad field. */
export function parseScanInput(given: unknown): ScanInput {
  const parsed = scanInputSchema.safeParse(given);
  if (!parsed.success) throw invalidInput(describeIssues('scan input', given, parsed.error));
  return parsed.data;
}

/** For an update's validator: throws, which refuses the update. */
export function checkParallelFiles(given: unknown): void {
  const parsed = parallelFilesSchema.safeParse(given);
  if (!parsed.success) throw invalidInput(describeIssues('setParallelFiles', given, parsed.error));
}

export function invalidInput(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidInput', nonRetryable: true, message });
}

/** One sentence an issue; `allowed` are the fields that there are. */
export function describeIssues(
  what: string,
  given: unknown,
  error: z.ZodError,
  allowed: readonly string[] = Object.keys(scanInputSchema.shape),
): string {
  const lines = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const unknown = issue.keys.map((key) => JSON.stringify(key)).join(', ');
      return `unknown field ${unknown}: allowed are ${allowed.join(', ')}`;
    }
    const value = issue.path.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
      given,
    );
    const field = issue.path.length > 0 ? `"${issue.path.map(String).join('.')}"` : 'the input';
    return `${field}: given ${shown(value)}, expected ${expectation(issue)}`;
  });
  return `${what} is not valid. ${lines.join('; ')}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unit(issue.origin)}`;
  if (issue.code === 'invalid_type' && !issue.message.startsWith('a ')) return `a ${issue.expected}`;
  return issue.message;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
