import { type Logger as Pino, pino } from 'pino';

/**
 * Signed links and passwords in URLs, wherever in a line they turn up: what they open is worth more than the
 * line. A backslash ends one: the line is JSON by then, and its escapes stay whole. Lines hold hostile text: each
 * pattern takes time in proportion to the line's length, whatever is in it.
 */
const SECRETS: readonly [RegExp, string][] = [
  [/(\/f\/)[^\s"'\\&]+/g, '$1redacted'],
  [/([?&]X-Amz-(?:Signature|Credential|Security-Token)=)[^\s"'\\&]+/gi, '$1redacted'],
  [/(:\/\/)[^\s"'\\/?#@:]*:[^\s"'\\/?#]*@/g, '$1redacted@'],
];

export function withoutSecrets(text: string): string {
  return SECRETS.reduce((left, [secret, instead]) => left.replaceAll(secret, instead), text);
}

/** JSON lines with ISO times and level names; `event` is one of drivers/events.ts. */
export function createLogger({ level }: { level: string }, out: { write(line: string): void }): Pino {
  const secret = ['password', 'secret', 'apiKey', 'authorization'];
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secret, ...secret.map((name) => `*.${name}`)], censor: 'redacted' },
    },
    { write: (line: string) => void out.write(withoutSecrets(line)) },
  );
}
