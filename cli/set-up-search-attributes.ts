import { Connection } from '@temporalio/client';
import type { Logger } from '../drivers/events.ts';
import { ensureSearchAttributes } from '../workers/search-attributes.ts';
import type { TemporalSettings } from '../workers/temporal-config.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import { SEARCH_ATTRIBUTE } from '../workflows/contract.ts';

/** Rejects when nothing answers, or when these credentials may not add what is missing. */
export async function setUpSearchAttributes(
  temporal: TemporalSettings,
  log: Logger,
): Promise<{ namespace: string; names: readonly string[] }> {
  const { address, namespace } = temporal;
  const names = Object.values(SEARCH_ATTRIBUTE);
  const connection = await Connection.connect(await temporalOptions({ temporal })).catch((cause: unknown) => {
    throw new Error(`Temporal does not answer at ${address}.`, { cause });
  });
  try {
    const there = await ensureSearchAttributes(connection, { temporal, searchAttributes: 'on' }, log);
    if (!there) throw new Error('they were added and are not there yet');
    return { namespace, names };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The search attributes of namespace ${namespace} can't be set up: ${why.replace(/\.$/, '')}. Add ${names.join(', ')} (Keyword) to it.`,
      { cause },
    );
  } finally {
    await connection.close();
  }
}
