/** ProcessedIndex in memory, for workflow tests. Held to the same contract as the real one. */
import { DriverError } from '../../drivers/errors.ts';
import type { ContentKey, IndexRecord, Locks, ProcessedIndex } from '../../drivers/ports.ts';

type Records = Map<string, IndexRecord>;

/** `add` frees locks in `locks`, as the real one does in its own store. */
export function createFakeIndex(locks: Locks): ProcessedIndex {
  const profiles = new Map<string, Records>();
  /** Changes made while a rebuild goes on: null = forgotten. */
  const meanwhile = new Map<string, Map<string, IndexRecord | null>>();
  const recordsOf = (profile: string) => profiles.get(profile) ?? new Map<string, IndexRecord>();

  const change = (key: ContentKey, record: IndexRecord | null) => {
    checkSha256(key.sha256);
    const records = recordsOf(key.profile);
    profiles.set(key.profile, records);
    if (record === null) records.delete(key.sha256);
    else records.set(key.sha256, record);
    meanwhile.get(key.profile)?.set(key.sha256, record);
  };

  return {
    async check() {},
    async lookup(profile, sha256s) {
      return sha256s.map((sha256) => {
        checkSha256(sha256);
        return recordsOf(profile).get(sha256) ?? null;
      });
    },
    async claim(key, owner, ttlMs) {
      checkSha256(key.sha256);
      const record = recordsOf(key.profile).get(key.sha256);
      if (record !== undefined) return { kind: 'done', record };
      return { kind: (await locks.acquire(key, owner, ttlMs)) ? 'claimed' : 'held' };
    },
    async add(key, record, unlockOwner) {
      change(key, checkedRecord(record));
      if (unlockOwner !== undefined) await locks.release(key, unlockOwner);
    },
    async forget(key) {
      change(key, null);
    },
    async rebuild(profile, records) {
      const next: Records = new Map();
      const changes = new Map<string, IndexRecord | null>();
      meanwhile.set(profile, changes);
      try {
        for await (const { sha256, record } of records) {
          checkSha256(sha256);
          if (!next.has(sha256)) next.set(sha256, checkedRecord(record));
        }
      } finally {
        meanwhile.delete(profile);
      }
      for (const [sha256, record] of changes) {
        if (record === null) next.delete(sha256);
        else next.set(sha256, record);
      }
      profiles.set(profile, next);
      return next.size;
    },
  };
}

function checkSha256(sha256: string): void {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid('Not a sha256');
}

function checkedRecord(record: IndexRecord): IndexRecord {
  if (!URL.canParse(record.destination)) throw invalid('A record needs a destination URL');
  if (!/^[0-9a-f]{8}$/.test(record.fingerprint ?? '01234567')) throw invalid('Not a fingerprint');
  return { ...record };
}

function invalid(message: string): DriverError {
  return new DriverError('index.invalid', message, { retryable: false });
}
