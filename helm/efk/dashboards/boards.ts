import { panels } from './panels.ts';
import type { SavedObject } from './saved-object.ts';
import { searches, views } from './searches.ts';

type Place = { of: 'visualization' | 'search'; id: string; x: number; y: number; w: number; h: number };

const board = (id: string, title: string, places: readonly Place[]): SavedObject => ({
  type: 'dashboard',
  id,
  attributes: {
    title: `Pristine: ${title}`,
    panelsJSON: JSON.stringify(
      places.map(({ x, y, w, h }, at) => ({
        version: '7.10.0',
        panelIndex: String(at),
        panelRefName: `panel_${at}`,
        gridData: { x, y, w, h, i: String(at) },
        embeddableConfig: {},
      })),
    ),
    optionsJSON: JSON.stringify({ useMargins: true, hidePanelTitles: false }),
    timeRestore: true,
    timeFrom: 'now-24h',
    timeTo: 'now',
    kibanaSavedObjectMeta: {
      searchSourceJSON: JSON.stringify({ query: { query: '', language: 'lucene' }, filter: [] }),
    },
  },
  references: places.map(({ of, id: panel }, at) => ({ name: `panel_${at}`, type: of, id: panel })),
});

const boards = [
  board('pristine-overview', 'scans', [
    { of: 'visualization', id: 'pristine-outcomes-over-time', x: 0, y: 0, w: 32, h: 12 },
    { of: 'visualization', id: 'pristine-outcomes', x: 32, y: 0, w: 16, h: 12 },
    { of: 'visualization', id: 'pristine-in-progress', x: 0, y: 12, w: 32, h: 12 },
    { of: 'visualization', id: 'pristine-lost-lines', x: 32, y: 12, w: 16, h: 12 },
    { of: 'visualization', id: 'pristine-failures', x: 0, y: 24, w: 24, h: 14 },
    { of: 'visualization', id: 'pristine-slowest', x: 24, y: 24, w: 24, h: 14 },
    { of: 'search', id: 'pristine-scans', x: 0, y: 38, w: 48, h: 12 },
    { of: 'search', id: 'pristine-not-rebuilt', x: 0, y: 50, w: 48, h: 14 },
    { of: 'visualization', id: 'pristine-warning-events', x: 0, y: 64, w: 24, h: 12 },
    { of: 'search', id: 'pristine-warnings', x: 24, y: 64, w: 24, h: 12 },
  ]),
  board('pristine-file', 'one file (put sha256:"…" into the query)', [
    { of: 'search', id: 'pristine-one-file', x: 0, y: 0, w: 48, h: 20 },
    { of: 'search', id: 'pristine-failed-pods', x: 0, y: 20, w: 48, h: 12 },
    { of: 'search', id: 'pristine-container-logs', x: 0, y: 32, w: 48, h: 20 },
  ]),
];

/** One a line, what is referred to before what refers to it. */
export function savedObjects(): string {
  return [...views, ...searches, ...panels, ...boards]
    .map((object) => `${JSON.stringify(object)}\n`)
    .join('');
}
