/** Code, mapping and dashboards speak of the same fields and events. */
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { EVENT } from '../../../drivers/events.ts';
import { LOG_FIELDS } from '../../../drivers/log-fields.ts';
import { savedObjects } from '../../../helm/efk/dashboards/boards.ts';
import { OUTCOMES } from '../../../workflows/contract.ts';
import { readSavedObjects } from '../../integration/saved-objects.ts';
import { efkText } from './render-chart.ts';

const { template } = z
  .object({
    template: z.object({
      mappings: z.looseObject({
        dynamic: z.literal(false),
        properties: z.record(z.string(), z.looseObject({ type: z.string() })),
      }),
    }),
  })
  .parse(JSON.parse(efkText('files/mappings.json')));
const { properties } = template.mappings;

/** Beside the fields that a line is logged with. */
const OTHERS = ['@timestamp', 'level', 'event', 'msg', 'err', 'origin_pod', 'origin_container'];

describe('the mapping', () => {
  const word = { type: 'keyword', ignore_above: 512 };
  const mapped = {
    word,
    text: { type: 'text', norms: false },
    count: { type: 'long', ignore_malformed: true },
    seconds: { type: 'float', ignore_malformed: true },
    flag: { type: 'boolean' },
    kept: { type: 'object', enabled: false },
  };

  test('has every field that is logged, as what it is, and no other', () => {
    const logged = Object.fromEntries(Object.entries(LOG_FIELDS).map(([name, kind]) => [name, mapped[kind]]));
    const { '@timestamp': time, err, msg, ...words } = properties;
    for (const name of OTHERS) delete words[name];
    expect(words).toEqual(logged);
    expect([time?.type, msg?.type]).toEqual(['date_nanos', 'text']);
    // An error has fields that its maker chose: three are searched, the others kept.
    expect(err).toMatchObject({ dynamic: false, properties: { type: word, code: word } });
  });

  test('takes no field that it does not name', () => {
    expect(JSON.stringify(template)).not.toContain('"dynamic":true');
    expect(Object.keys(properties).length).toBeLessThan(100);
  });

  test('has a field for each outcome that a scan counts', () => {
    for (const outcome of OUTCOMES) expect(properties[outcome]?.type).toBe('long');
  });
});

describe('searches and panels', () => {
  const objects = readSavedObjects(efkText('files/saved-objects.ndjson'));
  const shown = objects.flatMap(({ source, fields, id }) => (source ? [{ id, source, fields }] : []));

  test('are what helm/efk/dashboards says: write.ts writes them anew', () => {
    expect(efkText('files/saved-objects.ndjson')).toBe(savedObjects());
  });

  test('are on a dashboard each, and every reference leads to something', () => {
    const ids = new Set(objects.map(({ type, id }) => `${type} ${id}`));
    const referred = objects.flatMap(({ references }) => references.map(({ type, id }) => `${type} ${id}`));
    expect(referred.filter((one) => !ids.has(one))).toEqual([]);
    expect([...ids].filter((one) => !referred.includes(one) && !one.startsWith('dashboard '))).toEqual([]);
  });

  test.each(shown)('$id uses fields that are mapped, and can be', ({ source, fields }) => {
    const inQuery = [...source.query.matchAll(/(?:^|[\s(])([a-z_]\w*):/gi)].map(([, name]) => name);
    const exists = [...source.query.matchAll(/_exists_:(\w+)/g)].map(([, name]) => name);
    const asked = [...inQuery.filter((name) => name !== '_exists_'), ...exists];
    expect(asked.length).toBeGreaterThan(0);
    for (const name of [...asked, ...fields]) {
      expect([name, properties[String(name)]?.type]).not.toEqual([name, undefined]);
    }
  });

  test.each(shown)('$id asks for events and outcomes that there are', ({ source }) => {
    const events = [...source.query.matchAll(/"([a-z]+\.[a-z_]+)"/g)].map(([, name]) => name);
    const known: string[] = Object.values(EVENT);
    expect(events.filter((name) => !known.includes(String(name)))).toEqual([]);
    const outcomes = /outcome:\(([^)]+)\)/.exec(source.query)?.[1]?.split(' OR ') ?? [];
    expect(outcomes.filter((one) => !OUTCOMES.some((known) => known === one))).toEqual([]);
  });
});
