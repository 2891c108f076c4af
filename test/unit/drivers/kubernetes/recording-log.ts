import type { LogFields, Logger } from '../../../../drivers/events.ts';

/** A log that keeps what it was told. */
export function recordingLog(): Logger & { events: string[]; lines: (LogFields & { message: string })[] } {
  const events: string[] = [];
  const lines: (LogFields & { message: string })[] = [];
  const keep = (fields: LogFields, message: string) => {
    if (fields.event) events.push(fields.event);
    lines.push({ ...fields, message });
  };
  return { events, lines, debug: keep, info: keep, warn: keep, error: keep };
}
