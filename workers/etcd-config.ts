/** The part of the environment that says where etcd is. */
import type { z } from 'zod';
import { missingPartners, text } from './variables.ts';

const endpoints = text
  .transform((value) => value.split(',').map((url) => url.trim()))
  .refine((urls) => urls.every(isEndpoint), {
    error: 'must be URLs such as https://host:2379, separated by commas',
    abort: true,
  })
  .refine(
    (urls) => new Set(urls.map((url) => url.split(':')[0])).size === 1,
    'must be all http:// or all https://',
  );

export const etcdVariables = {
  ETCD_ENDPOINTS: endpoints.optional(),
  ETCD_USER: text.optional(),
  ETCD_PASSWORD: text.optional(),
  ETCD_CA_FILE: text.optional(),
  ETCD_CERT_FILE: text.optional(),
  ETCD_KEY_FILE: text.optional(),
};

export type EtcdSettings = {
  endpoints: readonly string[];
  user: string | undefined;
  password: string | undefined;
  caFile: string | undefined;
  certFile: string | undefined;
  keyFile: string | undefined;
};

/** What is missing or makes no sense together, one a line, whether or not the rest is right. */
export function etcdProblems(given: NodeJS.ProcessEnv, needed: boolean): string[] {
  if (!needed) return [];
  const { ETCD_ENDPOINTS: urls } = given;
  const problems = urls === undefined ? ['ETCD_ENDPOINTS: must be set, because PRISTINE_INDEX is etcd'] : [];
  problems.push(
    ...missingPartners(given, {
      ETCD_USER: ['ETCD_PASSWORD'],
      ETCD_PASSWORD: ['ETCD_USER'],
      ETCD_CERT_FILE: ['ETCD_KEY_FILE'],
      ETCD_KEY_FILE: ['ETCD_CERT_FILE'],
    }),
  );
  if (urls?.startsWith('http:')) {
    for (const name of ['ETCD_CA_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE']) {
      if (given[name] !== undefined)
        problems.push(`${name}: is of use only where ETCD_ENDPOINTS are https://`);
    }
  }
  return problems;
}

export function etcdSettings(env: z.infer<z.ZodObject<typeof etcdVariables>>): EtcdSettings {
  return {
    endpoints: env.ETCD_ENDPOINTS ?? [],
    user: env.ETCD_USER,
    password: env.ETCD_PASSWORD,
    caFile: env.ETCD_CA_FILE,
    certFile: env.ETCD_CERT_FILE,
    keyFile: env.ETCD_KEY_FILE,
  };
}

/** What may be logged: no password. */
export function printEtcd<T extends EtcdSettings>(settings: T): T {
  return { ...settings, password: settings.password === undefined ? undefined : 'redacted' };
}

/** A user and password have variables of their own: what is printed and logged is a plain address. */
function isEndpoint(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(value);
  const plain = `${username}${password}${search}${hash}` === '' && (pathname === '/' || pathname === '');
  return hostname !== '' && plain && (protocol === 'http:' || protocol === 'https:');
}
