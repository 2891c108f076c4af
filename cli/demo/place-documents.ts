import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { demoDocuments, demoSymlink } from './documents.ts';

/**
 * Writes the demo documents below `folder` (absolute), those that are there already with the same bytes
 * excepted. What else lies there is left alone. Answers with how many there are, the link included.
 */
export async function placeDocuments(folder: string): Promise<number> {
  const documents = demoDocuments();
  for (const { name, bytes } of documents) {
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    const present = await readFile(path).catch(nullIfAbsent);
    if (present?.equals(bytes)) continue;
    await mkdir(path.subarray(0, path.lastIndexOf('/')), { recursive: true });
    await writeFile(path, bytes);
  }
  const link = `${folder}/${demoSymlink.name}`;
  await rm(link, { force: true });
  await symlink(demoSymlink.target, link);
  return documents.length + 1;
}

function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
