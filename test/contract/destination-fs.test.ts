import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { FsDestination } from '../../drivers/destination/fs.ts';
import { openDestination } from '../../drivers/destination/open-destination.ts';
import { parseFileUrl } from '../../drivers/file-system/file-url.ts';
import { describeDestination } from './describe-destination.ts';
import { makeFsPlaces } from './fs-places.ts';

describeDestination('a folder', async () => {
  const places = await makeFsPlaces();
  const drivers = { roots: [places.root], signer: places.signer, s3: new S3Client() };
  const url = pathToFileURL(join(places.root, 'out box')).href;
  return {
    open: () => openDestination(url, drivers),
    openLater: () =>
      new FsDestination(parseFileUrl(url, 'destination', [places.root]), places.signer, {
        now: () => Date.now() + 60_000,
      }),
    leftovers: () => readdir(join(places.root, '.pristine-tmp')),
    close: places.close,
  };
});
