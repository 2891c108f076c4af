/** The codec server's own part of the environment: it needs neither Temporal nor any store. */
import { z } from 'zod';
import { keyRingSchema } from '../drivers/key-ring.ts';
import { temporalVariables } from './temporal-config.ts';
import {
  ConfigError,
  listen,
  logLevel,
  missingPartners,
  parseVariables,
  setVariables,
  text,
} from './variables.ts';

const origins = z
  .string()
  .transform((value) => value.split(',').map((origin) => origin.trim()))
  .refine(
    (list) => list.every((origin) => URL.parse(origin)?.origin === origin),
    'must be origins such as https://temporal.example.com, separated by commas, without a path',
  );
const claim = z.string().transform((value, context) => {
  const [, name, wanted] = /^([^=\s]+)=(.+)$/.exec(value) ?? [];
  if (name !== undefined && wanted !== undefined) return { name, value: wanted };
  context.addIssue('must be a claim and its value, such as groups=security');
  return z.NEVER;
});
/** Keys that come over plain HTTP are anybody's, except from this machine. */
const jwksUrl = z.string().refine((value) => {
  const url = URL.parse(value);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
}, 'must be a URL that begins with https://');

export const codecServerSchema = z.object({
  TEMPORAL_NAMESPACE: temporalVariables.TEMPORAL_NAMESPACE,
  PRISTINE_CODEC_KEYS: keyRingSchema,
  PRISTINE_CODEC_SERVER_LISTEN: listen.default({ host: '127.0.0.1', port: 8484 }),
  PRISTINE_CODEC_SERVER_TLS_CERT_FILE: text.optional(),
  PRISTINE_CODEC_SERVER_TLS_KEY_FILE: text.optional(),
  PRISTINE_CODEC_SERVER_ORIGINS: origins.default([]),
  PRISTINE_CODEC_SERVER_TOKEN: z.string().min(32, 'must have at least 32 characters').optional(),
  PRISTINE_CODEC_SERVER_JWKS_URL: jwksUrl.optional(),
  PRISTINE_CODEC_SERVER_JWT_ISSUER: text.optional(),
  PRISTINE_CODEC_SERVER_JWT_AUDIENCE: text.optional(),
  PRISTINE_CODEC_SERVER_JWT_CLAIM: claim.optional(),
  PRISTINE_LOG_LEVEL: logLevel,
});

export type CodecServerConfig = ReturnType<typeof shape>;

/** A token that is for another service, or from another issuer, is worth nothing here: all three or none. */
const JWT = [
  'PRISTINE_CODEC_SERVER_JWKS_URL',
  'PRISTINE_CODEC_SERVER_JWT_ISSUER',
  'PRISTINE_CODEC_SERVER_JWT_AUDIENCE',
];
const TLS = ['PRISTINE_CODEC_SERVER_TLS_CERT_FILE', 'PRISTINE_CODEC_SERVER_TLS_KEY_FILE'];
const PARTNERS = Object.fromEntries([
  ...[...JWT, 'PRISTINE_CODEC_SERVER_JWT_CLAIM'].map((name) => [name, JWT.filter((other) => other !== name)]),
  ...TLS.map((name) => [name, TLS.filter((other) => other !== name)]),
]);

/** Throws ConfigError with all problems at once. */
export function readCodecServerConfig(env: NodeJS.ProcessEnv): CodecServerConfig {
  const given = setVariables(env);
  const { data, problems: found } = parseVariables(codecServerSchema, given);
  const problems = [...found, ...new Set(missingPartners(given, PARTNERS)), ...openDoor(given)];
  if (data === undefined || problems.length > 0) {
    throw new ConfigError(
      `The codec server can't start with this configuration:\n  ${problems.join('\n  ')}`,
    );
  }
  return shape(data);
}

/** Whoever may ask it reads everything: it answers nobody but this machine unless it knows who asks. */
function openDoor(given: NodeJS.Dict<string>): string[] {
  const at = listen.safeParse(given.PRISTINE_CODEC_SERVER_LISTEN ?? '127.0.0.1:0');
  if (!at.success || isLoopback(at.data.host)) return [];
  if (given.PRISTINE_CODEC_SERVER_TOKEN !== undefined || given[JWT[0] ?? ''] !== undefined) return [];
  return [
    'PRISTINE_CODEC_SERVER_LISTEN: must be a loopback address, because neither PRISTINE_CODEC_SERVER_TOKEN nor PRISTINE_CODEC_SERVER_JWKS_URL is set',
  ];
}

export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|\[?::1\]?)$/i.test(host);
}

function shape(env: z.infer<typeof codecServerSchema>) {
  const { PRISTINE_CODEC_SERVER_JWKS_URL: jwks, PRISTINE_CODEC_SERVER_JWT_CLAIM: required } = env;
  const { PRISTINE_CODEC_SERVER_TLS_CERT_FILE: certFile, PRISTINE_CODEC_SERVER_TLS_KEY_FILE: keyFile } = env;
  const { PRISTINE_CODEC_SERVER_JWT_ISSUER: issuer, PRISTINE_CODEC_SERVER_JWT_AUDIENCE: audience } = env;
  return {
    namespace: env.TEMPORAL_NAMESPACE,
    keys: env.PRISTINE_CODEC_KEYS,
    listen: env.PRISTINE_CODEC_SERVER_LISTEN,
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    origins: env.PRISTINE_CODEC_SERVER_ORIGINS,
    token: env.PRISTINE_CODEC_SERVER_TOKEN,
    jwt:
      jwks === undefined || issuer === undefined || audience === undefined
        ? undefined
        : { jwks: new URL(jwks), issuer, audience, claim: required },
    log: { level: env.PRISTINE_LOG_LEVEL },
  };
}

/** What may be logged: no key and no token. */
export function printCodecServerConfig({ keys, token, ...rest }: CodecServerConfig): object {
  return { ...rest, keys: keys.map(({ id }) => id), token: token === undefined ? undefined : 'redacted' };
}
