import { expect, test } from '@jest/globals';
import { EVENT, type LogFields, type Logger } from '../../../drivers/events.ts';
import { createMetrics } from '../../../workers/metrics.ts';
import { OUTCOMES } from '../../../workflows/contract.ts';

const counted = () => {
  const lines: [string, LogFields, string][] = [];
  const at = (level: string) => (fields: LogFields, message: string) =>
    void lines.push([level, fields, message]);
  const under: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const { registry, counting } = createMetrics();
  return { logger: counting(under), lines, text: () => registry.metrics() };
};

test('each event is counted once, at any level, and its line is written as it was', async () => {
  const { logger, lines, text } = counted();
  logger.debug({ event: EVENT.lockAcquired }, 'a');
  logger.info({ event: EVENT.lockAcquired, sha256: 'x' }, 'b');
  logger.warn({ event: EVENT.watchStalled }, 'c');
  logger.error({ event: EVENT.watchStalled }, 'd');
  expect(lines.map(([level, , message]) => `${level} ${message}`)).toEqual([
    'debug a',
    'info b',
    'warn c',
    'error d',
  ]);
  expect(lines[1]?.[1]).toEqual({ event: 'lock.acquired', sha256: 'x' });
  expect(await text()).toContain('pristine_events_total{event="lock.acquired",kind="",class=""} 2');
  expect(await text()).toContain('pristine_events_total{event="watch.stalled",kind="",class=""} 2');
});

test('how a pod ended is told apart', async () => {
  const { logger, text } = counted();
  logger.info({ event: EVENT.podEnded, kind: 'uploaded' }, 'x');
  logger.info({ event: EVENT.podEnded, kind: 'failed', class: 'crash' }, 'x');
  logger.info({ event: EVENT.podEnded, kind: 'failed', class: 'crash' }, 'x');
  expect(await text()).toContain('pristine_events_total{event="pod.ended",kind="uploaded",class=""} 1');
  expect(await text()).toContain('pristine_events_total{event="pod.ended",kind="failed",class="crash"} 2');
});

test('nothing else becomes a label: each would be a series of its own', async () => {
  const { logger, text } = counted();
  logger.info({} as never, 'no event');
  logger.info({ event: 'made.up' as never, kind: 'x' }, 'unknown event');
  logger.info({ event: EVENT.podCreated, kind: 'report.pdf', class: 'report.pdf', pod: 'p1' }, 'x');
  const lines = (await text()).split('\n').filter((line) => line.startsWith('pristine_events_total{'));
  const series = lines.filter((line) => !line.endsWith(' 0'));
  expect(series).toEqual(['pristine_events_total{event="pod.created",kind="",class=""} 1']);
});

test('each event, with what it can say of a pod, and each outcome is there before it first happens', async () => {
  const { logger, text } = counted();
  const series = async () =>
    (await text()).split('\n').flatMap((line) => line.match(/^pristine_\w+_total\{[^}]*\}/)?.[0] ?? []);
  const before = await series();
  for (const event of Object.values(EVENT)) {
    const pod = event === EVENT.podEnded || event === EVENT.podRefused;
    logger.info(
      { event, ...(pod && { class: 'configuration' }), ...(event === EVENT.podEnded && { kind: 'failed' }) },
      'x',
    );
  }
  for (const outcome of OUTCOMES) logger.info({ event: EVENT.fileSettled, outcome }, 'x');
  logger.info({ event: EVENT.podEnded, kind: 'uploaded' }, 'x');
  logger.info({ event: EVENT.podRefused, class: 'capacity' }, 'x');
  expect(await series()).toEqual(before);
  expect(before).toContain('pristine_events_total{event="pod.refused",kind="",class="capacity"}');
});

test('whether the index is there', async () => {
  const { logger, text } = counted();
  // Not yet is not: one that never answers is away.
  expect(await text()).toContain('pristine_index_connected 0');
  logger.info({ event: EVENT.indexConnected }, 'x');
  expect(await text()).toContain('pristine_index_connected 1');
  logger.warn({ event: EVENT.indexDisconnected }, 'x');
  expect(await text()).toContain('pristine_index_connected 0');
});

test('the process tells its memory and CPU', async () => {
  const { text } = counted();
  expect(await text()).toMatch(/^process_resident_memory_bytes \d+/m);
  expect(await text()).toMatch(/^process_cpu_seconds_total /m);
});

test('files are counted by outcome', async () => {
  const { logger, text } = counted();
  logger.info({ event: EVENT.fileSettled, outcome: 'refused' }, 'x');
  logger.info({ event: EVENT.fileSettled, outcome: 'nonsense' }, 'x');
  expect(await text()).toContain('pristine_files_total{outcome="refused"} 1');
  expect(await text()).not.toContain('nonsense');
});
