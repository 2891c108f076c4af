import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Writes a file whole or not at all, readable by its owner alone unless `mode` says otherwise. A file that already
 * holds the text is left alone: kube-proxy, for one, ends itself when its configuration is written anew.
 */
export function writeWholeFile(file: string, text: string, mode = 0o600): void {
  if (readOrEmpty(file) === text) return;
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
