/**
 * Every key that Pristine has in Redis, spelled here only.
 *
 * | key | type | holds |
 * |---|---|---|
 * | `<prefix>:{<profile>}:filter` | Bloom filter | raw sha256 of every content done under the profile |
 * | `<prefix>:{<profile>}:records` | hash | raw sha256 (32 bytes) → `<verdict> [fingerprint] <destination URL>` |
 * | `<prefix>:{<profile>}:meta` | hash | `schema` of these keys; `epoch`: items that the filter took |
 * | `<prefix>:{<profile>}:lock:<sha256>` | string | the owner, with a time to live |
 * | `<prefix>:{<profile>}:build…` | | a rebuild under way; each with a time to live |
 * | `<prefix>:{<profile>}:files:<places>:<period>` | hash | short hash of a name → what is noted of the file, see file-note.ts |
 * | `<prefix>:seen:{<scan>}` | hash | short hash of a name → short hash of its version, of a quarantined content its sha256 too |
 *
 * The part in braces is the hash tag: keys that one script touches share a slot of a Redis Cluster.
 */
import { DriverError } from '../errors.ts';
import type { ContentKey } from '../ports.ts';

/** Version of what the keys hold. Another one in `meta` makes every call throw index.invalid. */
export const SCHEMA_VERSION = '1';

export type ProfileKeys = {
  filter: string;
  records: string;
  meta: string;
  /** Token of the rebuild under way; while it is there, additions go to the next keys too. */
  build: string;
  nextFilter: string;
  nextRecords: string;
  /** Contents that were forgotten while the rebuild went on. */
  nextForgotten: string;
  /** For messages: where all of these are. */
  pattern: string;
};

export type RedisKeys = {
  profile(fingerprint: string): ProfileKeys;
  lock(key: ContentKey): string;
  /** Glob that matches all locks, for SCAN. */
  lockPattern: string;
  /** The content of a lock's key; null when the key is not a lock of ours. */
  parseLock(redisKey: string): ContentKey | null;
  seen(scan: string): string;
  /** `places`: hash of source and destination. */
  files(fingerprint: string, places: string, period: number): string;
};

const PREFIX = /^[A-Za-z0-9._:-]{1,100}$/;
const FINGERPRINT = /^[A-Za-z0-9._-]{1,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** `prefix` sets installations on one Redis apart: letters, digits, `.`, `_`, `:`, `-`. */
export function redisKeys(prefix: string): RedisKeys {
  if (!PREFIX.test(prefix)) {
    throw invalid(`The key prefix ${JSON.stringify(prefix)} must be 1-100 letters, digits or . _ : -`);
  }
  const lockKey = /^\{([A-Za-z0-9._-]+)\}:lock:([0-9a-f]{64})$/;
  const ofProfile = (fingerprint: string) => {
    if (!FINGERPRINT.test(fingerprint)) {
      throw invalid(`The profile fingerprint ${JSON.stringify(fingerprint)} is not one`);
    }
    return `${prefix}:{${fingerprint}}`;
  };
  return {
    profile(fingerprint) {
      const base = ofProfile(fingerprint);
      return {
        filter: `${base}:filter`,
        records: `${base}:records`,
        meta: `${base}:meta`,
        build: `${base}:build`,
        nextFilter: `${base}:build:filter`,
        nextRecords: `${base}:build:records`,
        nextForgotten: `${base}:build:forgotten`,
        pattern: `${base}:*`,
      };
    },
    lock: (key) => `${ofProfile(key.profile)}:lock:${checkedSha256(key.sha256)}`,
    lockPattern: `${prefix}:{*}:lock:*`,
    parseLock(redisKey) {
      const [, profile, sha256] = lockKey.exec(redisKey.slice(prefix.length + 1)) ?? [];
      return profile === undefined || sha256 === undefined ? null : { profile, sha256 };
    },
    // A workflow ID can be any text; braces in it would move the hash tag.
    files: (fingerprint, places, period) => `${ofProfile(fingerprint)}:files:${places}:${period}`,
    seen: (scan) => `${prefix}:seen:{${encodeURIComponent(scan.toWellFormed())}}`,
  };
}

/** The 32 bytes that a sha256 has in the filter and as a field of the records. */
export function rawSha256(sha256: string): Buffer {
  return Buffer.from(checkedSha256(sha256), 'hex');
}

function checkedSha256(sha256: string): string {
  if (!SHA256.test(sha256))
    throw invalid(`${JSON.stringify(sha256)} is not a sha256 in 64 lower-case hex digits`);
  return sha256;
}

function invalid(message: string): DriverError {
  return new DriverError('index.invalid', message, { retryable: false });
}
