import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { EVENT, type Logger } from '../drivers/events.ts';
import { SEARCH_ATTRIBUTE } from '../workflows/contract.ts';
import type { WorkerConfig } from './config.ts';

export type SearchAttributeSettings = { temporal: { namespace: string } } & Pick<
  WorkerConfig,
  'searchAttributes'
>;

/**
 * Whether workflows may set our search attributes. `auto` adds the missing ones where the server lets us and
 * otherwise does without: an attribute that a namespace does not know would stop the workflow.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  config: SearchAttributeSettings,
  logger: Logger,
): Promise<boolean> {
  if (config.searchAttributes === 'off') return false;
  const { namespace } = config.temporal;
  const names = Object.values(SEARCH_ATTRIBUTE);
  const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
  const missing = async () => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return names.filter((name) => customAttributes?.[name] !== keyword);
  };
  try {
    const absent = await missing();
    if (absent.length > 0) {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(absent.map((name) => [name, keyword])),
      });
    }
    return (await missing()).length === 0;
  } catch (error) {
    if (config.searchAttributes === 'on') throw error;
    logger.warn(
      { event: EVENT.workerWithoutSearchAttributes, err: error },
      `search attributes can't be set up; doing without. Add ${names.join(', ')} (Keyword) to the namespace`,
    );
    return false;
  }
}
