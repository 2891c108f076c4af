import type { FileName } from './contract.ts';

const LIMIT = 60;

/** The last part of a name, for a summary line: bounded, and nothing in it that a terminal or page would act on. */
export function shortName(name: FileName): string {
  const last = name.path.split('/').at(-1) ?? '';
  const shown = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
  const characters = [...shown];
  return characters.length > LIMIT ? `${characters.slice(0, LIMIT - 1).join('')}…` : shown;
}
