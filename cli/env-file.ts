import { readFileSync } from 'node:fs';

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Quotes a value so that a POSIX shell reads it back unchanged, whatever it holds. */
export function quoteForShell(value: string): string {
  if (plainWord.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * A file that a shell can source: one `export NAME=value` a variable. `pathFirst` is put in front of PATH once, however
 * often the file is sourced.
 */
export function formatEnvFile(variables: Readonly<Record<string, string>>, pathFirst: string): string {
  const folder = quoteForShell(pathFirst);
  return [
    '# Written by make up. Use it with: . .pristine/env',
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    `case ":$PATH:" in *:${folder}:*) ;; *) export PATH=${folder}:"$PATH" ;; esac`,
    '',
  ].join('\n');
}

/**
 * Reads `NAME=value` lines, with or without `export`, quoted as quoteForShell does it or with double quotes. PATH and
 * anything that is not an assignment is left out.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const assignment = /^(?:export )?([A-Za-z_][A-Za-z0-9_]*)=((?:'[^']*'|\\'|"[^"]*"|[^\s'"\\])*)$/gm;
  const variables: Record<string, string> = {};
  for (const [, name, quoted] of text.matchAll(assignment)) {
    if (name === undefined || quoted === undefined || name === 'PATH') continue;
    variables[name] = unquote(quoted);
  }
  return variables;
}

/** The variables of a file, none when it does not exist. */
export function readEnvFile(file: string): Record<string, string> {
  try {
    return parseEnvFile(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

function unquote(quoted: string): string {
  return quoted.replaceAll(
    /'([^']*)'|\\(')|"([^"]*)"/g,
    (_all, single, escaped, double) => single ?? escaped ?? double,
  );
}
