/**
 * Every key that Pristine has in etcd, spelled here only. No part of one holds a `/`, so that one prefix, profile
 * or scan never is the beginning of another.
 *
 * | key | holds |
 * |---|---|
 * | `<prefix>/index/<profile>/meta` | schema version of these keys and the generation that counts |
 * | `<prefix>/index/<profile>/build` | the generation of a rebuild under way; has a lease |
 * | `<prefix>/index/<profile>/generations/<generation>/records/<sha256>` | the record's text |
 * | `<prefix>/index/<profile>/generations/<generation>/forgotten/<sha256>` | forgotten while this one was built |
 * | `<prefix>/locks/<profile>/<sha256>` | the owner; has a lease of its own |
 * | `<prefix>/seen/<scan>/scan` | nothing; has the lease of the scan's other keys |
 * | `<prefix>/seen/<scan>/files/<hash of a name>` | short hash of the file's version; has the scan's lease |
 * | `<prefix>/files/<profile>/<places>/<period>/head` | nothing; has the lease of the period's other keys |
 * | `<prefix>/files/<profile>/<places>/<period>/files/<hash of a name>` | what is noted of the file, see file-note.ts |
 */
import { DriverError } from '../errors.ts';
import type { ContentKey } from '../ports.ts';

/** Version of what the keys of an index hold. Another one in `meta` makes every call throw index.invalid. */
export const SCHEMA_VERSION = '1';

export type GenerationKeys = {
  /** Prefixes: of all its keys, of its records, of what was forgotten while it was built. */
  all: string;
  records: string;
  forgottens: string;
  record(sha256: string): string;
  forgotten(sha256: string): string;
};
export type ProfileKeys = {
  meta: string;
  build: string;
  /** Prefix of all generations. */
  generations: string;
  generation(name: string): GenerationKeys;
};

export type EtcdKeys = {
  profile(fingerprint: string): ProfileKeys;
  lock(key: ContentKey): string;
  /** Prefix of all locks. */
  locks: string;
  /** The content of a lock's key; null when the key is not a lock of ours. */
  parseLock(etcdKey: Buffer): ContentKey | null;
  seen(scan: string): { all: string; scan: string; files: string };
  /** `places`: hash of source and destination. */
  files(fingerprint: string, places: string, period: number): { head: string; files: string };
};

const PREFIX = /^[A-Za-z0-9._:-]{1,100}$/;
const FINGERPRINT = /^[A-Za-z0-9._-]{1,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const META = /^(?<schema>\S+) (?<generation>[0-9a-f]{16})$/;

/** `prefix` sets installations on one etcd apart: letters, digits, `.`, `_`, `:`, `-`. */
export function etcdKeys(prefix: string): EtcdKeys {
  if (!PREFIX.test(prefix)) {
    throw invalid(`The key prefix ${JSON.stringify(prefix)} must be 1-100 letters, digits or . _ : -`);
  }
  const locks = `${prefix}/locks/`;
  const lockKey = /^([A-Za-z0-9._-]+)\/([0-9a-f]{64})$/;
  const checkedProfile = (fingerprint: string) => {
    if (FINGERPRINT.test(fingerprint)) return fingerprint;
    throw invalid(`The profile fingerprint ${JSON.stringify(fingerprint)} is not one`);
  };
  return {
    profile(fingerprint) {
      const base = `${prefix}/index/${checkedProfile(fingerprint)}`;
      const generations = `${base}/generations/`;
      return {
        meta: `${base}/meta`,
        build: `${base}/build`,
        generations,
        generation(name) {
          const all = `${generations}${name}/`;
          const [records, forgottens] = [`${all}records/`, `${all}forgotten/`];
          return {
            all,
            records,
            forgottens,
            record: (sha256) => records + checkedSha256(sha256),
            forgotten: (sha256) => forgottens + checkedSha256(sha256),
          };
        },
      };
    },
    locks,
    lock: ({ profile, sha256 }) => `${locks}${checkedProfile(profile)}/${checkedSha256(sha256)}`,
    parseLock(etcdKey) {
      const [, profile, sha256] = lockKey.exec(etcdKey.toString('latin1').slice(locks.length)) ?? [];
      return profile === undefined || sha256 === undefined ? null : { profile, sha256 };
    },
    files(fingerprint, places, period) {
      const all = `${prefix}/files/${checkedProfile(fingerprint)}/${places}/${period}/`;
      return { head: `${all}head`, files: `${all}files/` };
    },
    seen(scan) {
      // A workflow ID can be any text.
      const all = `${prefix}/seen/${encodeURIComponent(scan.toWellFormed())}/`;
      return { all, scan: `${all}scan`, files: `${all}files/` };
    },
  };
}

/** The first key after all those that begin with `prefix`, which ends in `/`. */
export function prefixEnd(prefix: string): Buffer {
  return Buffer.from(`${prefix.slice(0, -1)}0`);
}

/** What `meta` holds. */
export function formatMeta(generation: string): string {
  return `${SCHEMA_VERSION} ${generation}`;
}

/** `schema` of another version may come with any generation; null when it is nothing of ours at all. */
export function parseMeta(value: Buffer): { schema: string; generation: string } | null {
  const { schema, generation } = META.exec(value.toString())?.groups ?? {};
  return schema === undefined || generation === undefined ? null : { schema, generation };
}

export function checkedSha256(sha256: string): string {
  if (SHA256.test(sha256)) return sha256;
  throw invalid(`${JSON.stringify(sha256)} is not a sha256 in 64 lower-case hex digits`);
}

function invalid(message: string): DriverError {
  return new DriverError('index.invalid', message, { retryable: false });
}
