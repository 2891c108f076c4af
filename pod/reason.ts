/** Text of the engine's, made safe to show. */

/** Longest reason, in characters after escaping. */
export const REASON_LIMIT = 600;

/**
 * The first line, at most REASON_LIMIT characters, with everything escaped that could move a cursor or turn the
 * direction of the text: control, format, surrogate, private and unassigned characters, line and paragraph
 * separators. Bytes that are not UTF-8 become U+FFFD.
 */
export function firstLine(text: Uint8Array): string {
  const end = text.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const line = new TextDecoder().decode(end < 0 ? text : text.subarray(0, end)).trim();
  if (line === '') return 'The engine gave no reason.';
  let safe = '';
  for (const character of line) {
    const next = /[\p{C}\p{Zl}\p{Zp}]/u.test(character)
      ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
      : character;
    if (safe.length + next.length > REASON_LIMIT - 1) return `${safe}…`;
    safe += next;
  }
  return safe;
}
