import { addAbortSignal } from 'node:stream';
import type { Context } from 'koa';
import { openFolder } from '../drivers/file-system/anchor.ts';
import { splitName } from '../drivers/file-system/byte-string.ts';
import { claimName } from '../drivers/file-system/claim-name.ts';
import { errnoOf } from '../drivers/file-system/errno.ts';
import { inParent } from '../drivers/file-system/place-file.ts';
import { TEMP_FOLDER, TempFile } from '../drivers/file-system/temp-file.ts';
import type { Link } from './links.ts';
import type { Served } from './send-file.ts';

/**
 * Takes in a file that must not be there yet: 201, 412 when it is, 413 when it is larger than `maxBytes`,
 * 507 when the disk is full. Until it is whole and on the disk nobody sees it. Throws when the transfer
 * breaks off, and leaves nothing behind then.
 */
export async function receiveFile(
  ctx: Context,
  link: Link,
  limits: { maxBytes: number; singleWriter: boolean },
  signal: AbortSignal,
): Promise<Served> {
  const { maxBytes, singleWriter } = limits;
  const components = splitName(link.path);
  if (!components || components[0] === TEMP_FOLDER) return { status: 404, bytes: 0 };
  if (Number(ctx.req.headers['content-length'] ?? 0) > maxBytes) return { status: 413, bytes: 0 };
  try {
    const temp = await createTemp(link.root);
    try {
      addAbortSignal(signal, ctx.req);
      // Destroying the request would take the connection with it, and the answer.
      for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
        if (temp.size + chunk.length > maxBytes) return { status: 413, bytes: temp.size };
        await temp.append(chunk);
      }
      // Nothing goes over the connection while a large file is brought to a slow disk.
      ctx.req.socket.setTimeout(0);
      await temp.finish();
      const anchor = { base: link.root, below: [] };
      const { claimed } = await inParent(anchor, components, (parent, name) =>
        claimName(temp, parent, name, singleWriter),
      );
      return { status: claimed ? 201 : 412, bytes: temp.size };
    } finally {
      await temp.discard();
    }
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')) return { status: 507, bytes: 0 };
    throw error;
  }
}

async function createTemp(base: string): Promise<TempFile> {
  const root = await openFolder({ base, below: [] }, []);
  try {
    return await TempFile.create(root);
  } finally {
    await root.close();
  }
}
