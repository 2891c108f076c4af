import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { openSource } from '../../drivers/source/open-source.ts';
import { describeSource } from './describe-source.ts';
import { makeFsPlaces } from './fs-places.ts';

describeSource('a folder', async () => {
  const places = await makeFsPlaces();
  const folder = join(places.root, 'in box');
  await mkdir(folder);
  const drivers = { roots: [places.root], signer: places.signer, s3: new S3Client() };
  const open = () => openSource(pathToFileURL(folder).href, drivers);
  return {
    open,
    openMissing: () => openSource(pathToFileURL(join(places.root, 'nowhere')).href, drivers),
    async put(name, bytes) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    },
    remove: (name) => rm(join(folder, name)),
    close: places.close,
  };
});
