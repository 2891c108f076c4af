/** SeenFiles in memory, for workflow tests. Held to the same contract as the real one. */
import type { NameBytes, SeenFiles, SeenMark } from '../../drivers/ports.ts';

export function createFakeSeen(): SeenFiles {
  const scans = new Map<string, Map<string, { version: string } & SeenMark>>();
  const keyOf = (name: NameBytes) => Buffer.from(name).toString('latin1');

  return {
    seen: async (scan, files) =>
      files.map((file) => {
        const marked = scans.get(scan)?.get(keyOf(file.name));
        if (marked?.version !== file.version) return null;
        return marked.quarantined === undefined ? {} : { quarantined: marked.quarantined };
      }),
    async mark(scan, files) {
      const marked = scans.get(scan) ?? new Map<string, { version: string } & SeenMark>();
      scans.set(scan, marked);
      for (const file of files)
        marked.set(keyOf(file.name), { version: file.version, quarantined: file.quarantined });
    },
    async forget(scan) {
      scans.delete(scan);
    },
  };
}
