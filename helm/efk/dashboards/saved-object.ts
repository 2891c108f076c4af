/**
 * Saved objects of Kibana and of OpenSearch Dashboards, in the last form that the two share: that of 7.10. Without a
 * version, so that an import runs every migration since: Kibana's collectSavedObjects (collect_saved_objects.ts) gives
 * such an object the version ''. Not tried with a Kibana 9; see docs/logs.md. Queries are Lucene's, which the servers
 * themselves read.
 */
import type { LogField } from '../../../drivers/log-fields.ts';

export type SavedObject = {
  type: 'index-pattern' | 'search' | 'visualization' | 'dashboard';
  id: string;
  attributes: Record<string, unknown>;
  references: { name: string; type: string; id: string }[];
};

/** What a line has beside the fields that it was logged with. */
export type Field = LogField | '@timestamp' | 'level' | 'event' | 'msg' | 'origin_pod' | 'origin_container';

export const VIEWS = {
  'pristine-events': { title: 'pristine-logs-*', name: 'Pristine: events' },
  'pristine-engine-output': { title: 'pristine-engine-*', name: 'Pristine: what ran in pods said' },
  'pristine-all': { title: 'pristine-*', name: 'Pristine: all' },
} as const;
export type View = keyof typeof VIEWS;

const INDEX = 'kibanaSavedObjectMeta.searchSourceJSON.index';

/** The query of a search or a panel, and the reference that it needs. */
export function searchSource(view: View, query: string) {
  const source = { query: { query, language: 'lucene' }, filter: [], indexRefName: INDEX };
  return {
    meta: { searchSourceJSON: JSON.stringify(source) },
    references: [{ name: INDEX, type: 'index-pattern', id: view }],
  };
}
