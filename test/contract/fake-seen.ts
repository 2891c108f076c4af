/** SeenFiles in memory, for workflow tests. Held to the same contract as the real one. */
import type { NameBytes, SeenFiles } from '../../drivers/ports.ts';

export function createFakeSeen(): SeenFiles {
  const scans = new Map<string, Map<string, string>>();
  const keyOf = (name: NameBytes) => Buffer.from(name).toString('latin1');

  return {
    seen: async (scan, files) => files.map((file) => scans.get(scan)?.get(keyOf(file.name)) === file.version),
    async mark(scan, files) {
      const marked = scans.get(scan) ?? new Map<string, string>();
      scans.set(scan, marked);
      for (const file of files) marked.set(keyOf(file.name), file.version);
    },
    async forget(scan) {
      scans.delete(scan);
    },
  };
}
