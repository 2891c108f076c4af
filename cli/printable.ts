/** Hostile names and texts on a terminal: shown in full, acting on nothing. */
import { toBytes } from '../drivers/file-name.ts';
import type { FileName } from '../workflows/contract.ts';

/** Letters, digits, marks, punctuation, symbols and the plain space. No controls, no direction changes. */
const SHOWN = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]$/u;
const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A file's name with everything that is not a visible character escaped: `\n`, `\u{202e}`, and `\xe9` for a
 * byte that is not UTF-8. A backslash of the name itself is doubled, so that no two names look the same.
 */
export function printableName(name: FileName | Uint8Array): string {
  const bytes = name instanceof Uint8Array ? name : toBytes(name);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    text +=
      character === undefined ? hexByte(bytes[at] ?? 0) : character === '\\' ? '\\\\' : shown(character);
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return text;
}

/** A reason or message that somebody else wrote, on one line. */
export function printableText(text: string): string {
  return Array.from(text.toWellFormed(), shown).join('');
}

/** Columns that the text takes on a terminal: East Asian letters and emoji take two. */
export function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, c) => sum + (WIDE.test(c) ? 2 : /\p{M}/u.test(c) ? 0 : 1), 0);
}

/** Lines of at most `columns`, broken at spaces where there are any. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (columnsOf(line + word.trimEnd()) > columns && line !== '') {
      lines.push(line.trimEnd());
      line = '';
    }
    for (const character of word) {
      if (columnsOf(line + character) > columns && character !== ' ') {
        lines.push(line.trimEnd());
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line.trimEnd()];
}

/** Spaces to the right up to `columns`. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function shown(character: string): string {
  if (SHOWN.test(character)) return character;
  return ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The character that starts at `at`, or undefined when no valid UTF-8 sequence does. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    return strict.decode(bytes.subarray(at, at + length));
  } catch {
    return undefined;
  }
}
