import { type Field, type SavedObject, searchSource, VIEWS, type View } from './saved-object.ts';

type Search = {
  id: string;
  title: string;
  view: View;
  query: string;
  columns: Field[];
  sort?: 'asc' | 'desc';
};

const search = ({ id, title, view, query, columns, sort = 'desc' }: Search): SavedObject => {
  const { meta, references } = searchSource(view, query);
  const attributes = {
    title: `Pristine: ${title}`,
    columns,
    sort: [['@timestamp', sort]],
    kibanaSavedObjectMeta: meta,
  };
  return { type: 'search', id, attributes, references };
};

export const views: SavedObject[] = Object.entries(VIEWS).map(([id, { title, name }]) => ({
  type: 'index-pattern',
  id,
  attributes: { title, name, timeFieldName: '@timestamp' },
  references: [],
}));

export const searches: SavedObject[] = [
  search({
    id: 'pristine-one-file',
    title: 'one file\u2019s whole story (add its sha256 to the query)',
    view: 'pristine-all',
    query: '_exists_:sha256',
    columns: ['sha256', 'event', 'pod', 'kind', 'class', 'outcome', 'reason', 'container', 'msg'],
    sort: 'asc',
  }),
  search({
    id: 'pristine-scans',
    title: 'finished scans',
    view: 'pristine-events',
    query: 'event:"scan.finished"',
    columns: ['scan', 'listed', 'rebuilt', 'delivered', 'refused', 'quarantined', 'filtered', 'unreadable'],
  }),
  search({
    id: 'pristine-not-rebuilt',
    title: 'files that were refused or quarantined',
    view: 'pristine-events',
    query: 'event:"file.settled" AND outcome:(refused OR quarantined)',
    columns: ['scan', 'outcome', 'reason', 'sha256', 'attempts'],
  }),
  search({
    id: 'pristine-failed-pods',
    title: 'attempts that failed',
    view: 'pristine-events',
    query: 'event:"pod.ended" AND kind:failed',
    columns: ['class', 'reason', 'sha256', 'pod', 'node'],
  }),
  search({
    id: 'pristine-container-logs',
    title: 'what ran in pods said',
    view: 'pristine-engine-output',
    query: '_exists_:container',
    columns: ['pod', 'container', 'text'],
  }),
  search({
    id: 'pristine-warnings',
    title: 'warnings and errors',
    view: 'pristine-events',
    query: 'level:(warn OR error OR fatal)',
    columns: ['level', 'event', 'msg', 'reason', 'code', 'origin_pod'],
  }),
];
