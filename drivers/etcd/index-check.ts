/** What check() of the etcd index does: members, alarms, room, and the meta of each profile. */
import { EVENT, type Logger } from '../events.ts';
import type { Etcd, Status } from './connect.ts';
import { alarmError } from './etcd-error.ts';
import type { IndexStates } from './index-state.ts';
import type { ProfileKeys } from './keys.ts';

/** Share of its quota from which a database is told to be filling up. */
const FILLING = 0.8;

type CheckParts = { etcd: Etcd; states: IndexStates; log: Logger };

/** The returned function checks these profiles; calls at one time share one check. */
export function createIndexCheck(parts: CheckParts): (profiles: readonly ProfileKeys[]) => Promise<void> {
  let filling = false;
  let running: Promise<void> | undefined;

  const checkAll = async (profiles: readonly ProfileKeys[]) => {
    const statuses = await parts.etcd.statuses();
    for (const alarm of statuses.flatMap(({ errors }) => errors)) {
      const error = alarmError(alarm);
      if (error !== null) throw error;
    }
    const fullest = fullestOf(statuses);
    // Once each time that it fills up.
    if (fullest !== undefined && !filling) warn(parts.log, fullest);
    filling = fullest !== undefined;
    // Through the leader: a majority is there, and this user may read.
    for (const keys of profiles) await parts.states.load(keys);
  };
  return (profiles) => {
    running ??= checkAll(profiles).finally(() => {
      running = undefined;
    });
    return running;
  };
}

function fullestOf(statuses: readonly Status[]): Status | undefined {
  return statuses.find(({ dbSize, dbSizeQuota }) => dbSizeQuota > 0 && dbSize >= FILLING * dbSizeQuota);
}

function warn(log: Logger, { dbSize, dbSizeQuota }: Status): void {
  log.warn(
    { event: EVENT.indexStoreFilling, bytes: dbSize, quota: dbSizeQuota },
    'etcd’s database fills up: compact and defragment it, or raise --quota-backend-bytes',
  );
}
