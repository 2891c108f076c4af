import { EVENT, type LogFields } from '../drivers/events.ts';

/**
 * Bytes of a log's end in one event, as they are written: quoted and escaped. Container runtimes cut lines at
 * 16 KiB, and the event's other fields need some of it.
 */
const TEXT_BYTES = 12 * 1024;

/** The event for one container's kept log. Hostile text stays one string: nothing of it is ever read as fields. */
export function containerLogged(
  from: { sha256: string; pod: string; attempt: number; container: string },
  log: string,
): LogFields {
  const text = endWithin(log, TEXT_BYTES);
  return {
    event: EVENT.containerLogged,
    ...from,
    bytes: Buffer.byteLength(log),
    truncated: text.length < log.length,
    text,
  };
}

/** The longest end of `text` whose JSON string has at most `limit` bytes. Characters are kept whole. */
export function endWithin(text: string, limit: number): string {
  let bytes = 2;
  let from = text.length;
  while (from > 0) {
    const width = isPairBefore(text, from) ? 2 : 1;
    bytes += Buffer.byteLength(JSON.stringify(text.slice(from - width, from))) - 2;
    if (bytes > limit) break;
    from -= width;
  }
  return text.slice(from);
}

function isPairBefore(text: string, at: number): boolean {
  return at >= 2 && /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(at - 2, at));
}
