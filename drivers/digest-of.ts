import { createHash } from 'node:crypto';
import type { Digest } from './ports.ts';

/** Size and sha256 of all that comes; fails as `body` does. */
export async function digestOf(body: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}
