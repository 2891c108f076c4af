import { pipeline } from 'node:stream/promises';
import type { Context } from 'koa';
import { openPlainFile } from '../drivers/file-system/anchor.ts';
import { splitName } from '../drivers/file-system/byte-string.ts';
import { isAbsent, isBlockedByKind } from '../drivers/file-system/errno.ts';
import { FileBody } from '../drivers/file-system/file-body.ts';
import { fileVersion } from '../drivers/file-system/file-version.ts';
import type { Link } from './links.ts';

/** What became of a request whose link is good. */
export type Served = { status: number; bytes: number };

/**
 * Answers with the file: 200, 404 when it is not there, 412 when it is no plain file. Throws when the transfer
 * breaks off; the connection is then cut before the last byte, also when the file changes while it is sent.
 */
export async function sendFile(ctx: Context, link: Link, signal: AbortSignal): Promise<Served> {
  const components = splitName(link.path);
  if (!components) return { status: 404, bytes: 0 };
  let file: Awaited<ReturnType<typeof openPlainFile>>;
  try {
    file = await openPlainFile({ base: link.root, below: [] }, components);
  } catch (error) {
    if (isAbsent(error)) return { status: 404, bytes: 0 };
    if (isBlockedByKind(error)) return { status: 412, bytes: 0 };
    throw error;
  }
  const version = fileVersion(file.stats);
  const size = Number(file.stats.size);
  // Koa would leave the connection open when a body's stream fails; the reader has to see it break off.
  ctx.respond = false;
  ctx.res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  await pipeline(new FileBody(file.handle, { size, version }), ctx.res, { signal });
  return { status: 200, bytes: size };
}
