import { openFolder } from '../drivers/file-system/anchor.ts';
import { isAbsent } from '../drivers/file-system/errno.ts';
import { parseFileUrl } from '../drivers/file-system/file-url.ts';
import { removeAbandoned } from '../drivers/file-system/temp-file.ts';

/**
 * Removes, or only counts, the temporary files of writers that are gone, in that entry of PRISTINE_FILE_ROOTS which
 * holds the destination. None where the destination is no folder, or none of this machine's.
 */
export async function abandonedFiles(
  url: string,
  roots: readonly string[],
  dryRun: boolean,
): Promise<number> {
  if (!url.startsWith('file:')) return 0;
  // A folder outside of the roots has been written to by nobody but a command line, which writes nothing.
  const { anchor } = parseFileUrl(url, 'destination', [...roots, '/']);
  try {
    const root = await openFolder({ base: anchor.base, below: [] }, []);
    try {
      return await removeAbandoned(root, { dryRun });
    } finally {
      await root.close();
    }
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
}
