import { normalize } from 'node:path/posix';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DriverError } from '../errors.ts';
import type { Anchor } from './anchor.ts';
import { splitName } from './byte-string.ts';

/** What a `file:` URL means: its canonical text, and the folder as a way down from one of `PRISTINE_FILE_ROOTS`. */
export type FilePlace = { url: string; anchor: Anchor };

/**
 * Parses `file:///absolute/folder` and finds the entry of `roots` that it lies in; the innermost one wins.
 * Throws DriverError config.invalid for a URL that is none, `<side>.forbidden` outside the roots.
 */
export function parseFileUrl(
  text: string,
  side: 'source' | 'destination',
  roots: readonly string[],
): FilePlace {
  const path = absolutePath(text, side);
  const root = roots
    .map(normalizeRoot)
    .filter((each) => path === each || path.startsWith(each === '/' ? '/' : `${each}/`))
    .reduce<string | null>((best, each) => (best && best.length >= each.length ? best : each), null);
  if (root === null) {
    const allowed = roots.length === 0 ? 'it is empty' : `it allows ${roots.join(', ')}`;
    throw new DriverError(
      `${side}.forbidden`,
      `The ${side} is a folder outside PRISTINE_FILE_ROOTS (${allowed}): add the folder to that setting of the workers`,
      { retryable: false },
    );
  }
  const rest = path.slice(root.length).replace(/^\//, '');
  const below = rest === '' ? [] : splitName(Buffer.from(rest));
  if (below === null) throw invalid(side, 'has a part longer than 255 bytes');
  return { url: pathToFileURL(path).href, anchor: { base: root, below } };
}

/** An entry of PRISTINE_FILE_ROOTS as links and anchors spell it. */
export function normalizeRoot(path: string): string {
  return normalize(path).replace(/\/+$/, '') || '/';
}

function absolutePath(text: string, side: string): string {
  // The URL parser drops tabs and newlines and turns backslashes into slashes: another folder, silently.
  if (/[\p{Cc}\\]/u.test(text))
    throw invalid(side, 'has a control character or a backslash: percent-encode it');
  let url: URL;
  try {
    url = new URL(text);
    if (url.search !== '' || url.hash !== '') throw invalid(side, 'has a ? or #: write %3F or %23');
    if (url.host !== '') throw invalid(side, 'names a host: write file:///absolute/folder');
    const path = fileURLToPath(url);
    if (path.includes('\0')) throw invalid(side, 'has a NUL in it');
    return normalizeRoot(path);
  } catch (error) {
    if (error instanceof DriverError) throw error;
    throw invalid(side, 'is no file URL: write file:///absolute/folder', error);
  }
}

function invalid(side: string, problem: string, cause?: unknown): DriverError {
  return new DriverError('config.invalid', `The ${side}'s URL ${problem}`, { retryable: false, cause });
}
