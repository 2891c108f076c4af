/** Text that others wrote (engines, servers, nodes), made safe to keep and to show. */

/** Longest sentence taken from a pod or a server, in characters after escaping. */
export const TEXT_LIMIT = 500;

/**
 * One line of at most `limit` characters. Everything that could move a cursor, start a new line or turn the
 * direction of the text is escaped: control, format, surrogate, private and unassigned characters, separators.
 */
export function boundedText(text: string, limit: number = TEXT_LIMIT): string {
  // What is cut before escaping could not have fitted: escaping never shortens.
  const safe = escapeControls(text.trim().slice(0, limit + 1));
  return safe.length > limit ? `${safe.slice(0, limit - 1)}…` : safe;
}

/** The last line with something on it; how a log's tail says why. Empty when there is none. */
export function lastLine(text: string): string {
  return (
    text
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim() ?? ''
  );
}

/** The end of a log: line feeds and tabs stay, other control characters are escaped; at most `maxBytes` of UTF-8. */
export function boundedLog(bytes: Uint8Array, maxBytes: number): string {
  const decoded = new TextDecoder().decode(bytes.subarray(startOfCharacter(bytes, bytes.length - maxBytes)));
  const safe = Buffer.from(escapeControls(decoded.replaceAll('\r\n', '\n'), /[\n\t]/));
  return safe.subarray(startOfCharacter(safe, safe.length - maxBytes)).toString();
}

/** Links sign: none goes into a message, whatever server repeats it. */
export function withoutLinks(text: string): string {
  return text.replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]+/gi, '<link>');
}

function escapeControls(text: string, keep?: RegExp): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    if (keep?.test(character)) return character;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The first index at or after `from` that does not lie inside a UTF-8 sequence. */
function startOfCharacter(bytes: Uint8Array, from: number): number {
  let at = Math.max(0, from);
  if (from > 0) while (at < bytes.length && at < from + 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
