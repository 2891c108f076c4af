import { type Aggregation, count, countSoFar, each, most, overTime, queries, sum } from './aggregations.ts';
import { axes, metric, pie, table } from './looks.ts';
import { type SavedObject, searchSource, type View } from './saved-object.ts';

type Panel = {
  id: string;
  title: string;
  view?: View;
  query: string;
  look: { type: string; params: Record<string, unknown> };
  aggs: Aggregation[];
};

const panel = ({ id, title, view = 'pristine-events', query, look, aggs }: Panel): SavedObject => {
  const { meta, references } = searchSource(view, query);
  const attributes = {
    title: `Pristine: ${title}`,
    visState: JSON.stringify({ title: `Pristine: ${title}`, ...look, aggs }),
    uiStateJSON: '{}',
    kibanaSavedObjectMeta: meta,
  };
  return { type: 'visualization', id, attributes, references };
};

const SETTLED = 'event:"file.settled"';

export const panels: SavedObject[] = [
  panel({
    id: 'pristine-outcomes-over-time',
    title: 'outcomes over time',
    query: SETTLED,
    look: axes('histogram', 'Files'),
    aggs: [count(1, 'Files'), overTime(2), each(3, 'outcome', 'group', { by: 1 })],
  }),
  panel({
    id: 'pristine-outcomes',
    title: 'outcomes',
    query: SETTLED,
    look: pie(),
    aggs: [count(1, 'Files'), each(2, 'outcome', 'segment', { by: 1 })],
  }),
  panel({
    id: 'pristine-in-progress',
    title: 'files in progress: what lies between the two lines',
    query: 'event:("pod.created" OR "pod.ended")',
    look: axes('line', 'Pods'),
    aggs: [
      countSoFar(1, 'Pods'),
      queries(2, { begun: 'event:"pod.created"', ended: 'event:"pod.ended"' }),
      overTime(3, { gaps: true }),
    ],
  }),
  panel({
    id: 'pristine-failures',
    title: 'failures by class and reason',
    query: 'event:"pod.ended" AND kind:failed',
    look: table(),
    aggs: [
      count(1, 'Attempts'),
      each(2, 'class', 'bucket', { by: 1 }),
      each(3, 'reason', 'bucket', { by: 1, size: 20 }),
    ],
  }),
  panel({
    id: 'pristine-slowest',
    title: 'slowest files',
    query: 'event:"pod.ended" AND _exists_:podSeconds',
    look: table(),
    aggs: [
      most(1, 'podSeconds', 'Seconds of the pod'),
      most(2, 'engineSeconds', 'Seconds of the engine'),
      each(3, 'sha256', 'bucket', { by: 1, size: 20 }),
    ],
  }),
  panel({
    id: 'pristine-warning-events',
    title: 'warnings and errors by event',
    query: 'level:(warn OR error OR fatal)',
    look: axes('histogram', 'Lines'),
    aggs: [count(1, 'Lines'), overTime(2), each(3, 'event', 'group', { by: 1 })],
  }),
  panel({
    id: 'pristine-lost-lines',
    title: 'log lines that workers lost',
    query: 'event:"log.dropped"',
    look: metric(),
    aggs: [sum(1, 'lines', 'Lines')],
  }),
];
