import picomatch from 'picomatch';
import { toFileName } from '../drivers/file-name.ts';
import type { ListedEntry } from '../drivers/ports.ts';
import type { SettledFile } from '../workflows/scan-state.ts';

export type Limits = {
  include?: string[] | undefined;
  exclude?: string[] | undefined;
  maxBytes?: number | undefined;
  maxInputBytes: number;
};

/** What becomes of an entry by its name, kind and size alone; undefined where its content decides. */
export function outcomesWithoutReading(limits: Limits): (entry: ListedEntry) => SettledFile | undefined {
  const filter = nameFilter(limits);
  return (entry) => {
    const name = toFileName(entry.name);
    const filtered = filter(name.path);
    if (entry.kind === 'unreadable') {
      const base = { name, size: 0, version: entry.reason };
      return filtered
        ? { ...base, outcome: 'filtered', reason: filtered }
        : { ...base, outcome: 'unreadable', reason: entry.reason };
    }
    const { size, version } = entry;
    if (filtered) return { name, size, version, outcome: 'filtered', reason: filtered };
    if (limits.maxBytes !== undefined && size > limits.maxBytes) {
      const reason = `${size} bytes, above the scan's maxBytes of ${limits.maxBytes}`;
      return { name, size, version, outcome: 'filtered', reason };
    }
    if (size > limits.maxInputBytes) {
      const reason = `too large: ${size} bytes, and the profile takes at most ${limits.maxInputBytes}`;
      return { name, size, version, outcome: 'refused', reason };
    }
    return undefined;
  };
}

/** `s`: without it `**` ends at a line break, and a name may have one. */
const GLOB = { dot: true, flags: 's' };

type NameFilter = (path: string) => string | undefined;

/** Answers with the reason why a path is filtered. Patterns are picomatch globs; dot files match too. */
function nameFilter(limits: Pick<Limits, 'include' | 'exclude'>): NameFilter {
  const included = limits.include ? picomatch(limits.include, GLOB) : undefined;
  const excluded = limits.exclude ? picomatch(limits.exclude, GLOB) : undefined;
  return (path) => {
    if (included && !included(path)) return 'matches no include pattern';
    if (excluded?.(path)) return 'matches an exclude pattern';
    return undefined;
  };
}
