/** Kinds of environment variables, and how what is wrong with them is told. */
import { z } from 'zod';

/** The message names every problem, one a line, and repeats no value: it may be a secret. */
export class ConfigError extends Error {}

export const text = z.string().min(1);
export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
};
/** An IPv6 address stands in brackets, as in a URL. */
const LISTEN = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/i;
export const listen = text.transform((value, context) => {
  const { v6, name, port } = LISTEN.exec(value)?.groups ?? {};
  const host = v6 ?? name;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  context.addIssue('must be host:port, such as 127.0.0.1:9464');
  return z.NEVER;
});
export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be a URL such as http://host:port' });
export const logLevel = z.enum(['debug', 'info', 'warn', 'error']).default('info');
export const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');

/** What is set: a variable that is set to nothing is not. */
export function setVariables(env: NodeJS.ProcessEnv): NodeJS.Dict<string> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

/** `data` only where nothing is wrong; else each problem with its variable's name in front. */
export function parseVariables<Schema extends z.ZodType>(schema: Schema, given: NodeJS.Dict<string>) {
  const parsed = schema.safeParse(given, {
    error: (issue) => (issue.input === undefined ? 'must be set' : undefined),
  });
  if (parsed.success) return { data: parsed.data, problems: [] };
  const problems = parsed.error.issues.map(
    ({ path: [name, ...within], message }) => `${[name, ...within].map(String).join('.')}: ${message}`,
  );
  return { data: undefined, problems };
}

/** What makes no sense without the other. Goes by what is set, so that it is told with all else that is wrong. */
export function missingPartners(
  given: NodeJS.Dict<string>,
  needs: Readonly<Record<string, readonly string[]>>,
): string[] {
  return Object.entries(needs).flatMap(([name, partners]) =>
    given[name] === undefined
      ? []
      : partners
          .filter((partner) => given[partner] === undefined)
          .map((partner) => `${partner}: must be set, because ${name} is`),
  );
}
