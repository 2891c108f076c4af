import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { openDestination } from '../../drivers/destination/open-destination.ts';
import { describeDestination } from './describe-destination.ts';
import { makeFsPlaces } from './fs-places.ts';

describeDestination('a folder', async () => {
  const places = await makeFsPlaces();
  const drivers = { roots: [places.root], signer: places.signer, s3: new S3Client() };
  const url = pathToFileURL(join(places.root, 'out box')).href;
  return {
    open: () => openDestination(url, drivers),
    leftovers: () => readdir(join(places.root, '.pristine-tmp')),
    close: places.close,
  };
});
