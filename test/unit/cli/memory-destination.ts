import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Destination } from '../../../drivers/ports.ts';

/** A destination to read from; keys are given by their bytes in latin1. */
export function memoryDestination(objects: Map<string, Buffer>): Destination {
  const plain = (key: string | Uint8Array) => Buffer.from(key).toString('latin1');
  const readOnly = () => Promise.reject(new Error('the command line changes nothing'));
  return {
    url: 'memory://here/',
    ...{
      check: readOnly,
      write: readOnly,
      create: readOnly,
      copy: readOnly,
      standing: readOnly,
      remove: readOnly,
      signPut: readOnly,
    },
    async read(key) {
      const bytes = objects.get(plain(key));
      // Two chunks, so that nothing may rely on getting all at once.
      const half = Math.ceil((bytes?.length ?? 0) / 2);
      return bytes
        ? { size: bytes.length, body: Readable.from([bytes.subarray(0, half), bytes.subarray(half)]) }
        : null;
    },
    async *list(prefix) {
      for (const [key, bytes] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (key.startsWith(prefix)) yield { key: Buffer.from(key, 'latin1'), size: bytes.length };
      }
    },
  };
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
