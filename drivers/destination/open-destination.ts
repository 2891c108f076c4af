import type { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from '../events.ts';
import { parseFileUrl } from '../file-system/file-url.ts';
import { openByScheme } from '../open-by-scheme.ts';
import type { Destination, LinkSigner } from '../ports.ts';
import { parseS3Url } from '../s3/s3-url.ts';
import { FsDestination } from './fs.ts';
import { S3Destination } from './s3.ts';

/** What the drivers need: PRISTINE_FILE_ROOTS, who signs links to the file server, and how to reach S3. */
export type DestinationPlaces = {
  roots: readonly string[];
  signer: LinkSigner;
  s3: S3Client;
  /** PRISTINE_SINGLE_WRITER: also where nothing can be created only if it is not there. Default false. */
  singleWriter?: boolean;
  log?: Logger;
};

/** One line a driver. A new one implements Destination and passes test/contract/describe-destination.ts. */
const DRIVERS: Readonly<Record<string, (url: string, places: DestinationPlaces) => Destination>> = {
  file: (url, { roots, signer, ...mode }) =>
    new FsDestination(parseFileUrl(url, 'destination', roots), signer, mode),
  s3: (url, { s3, ...mode }) => new S3Destination(s3, parseS3Url(url, 'destination'), mode),
};

/** The destination at a URL. Contacts nothing. Throws DriverError config.invalid or destination.forbidden. */
export function openDestination(url: string, places: DestinationPlaces): Destination {
  return openByScheme('destination', DRIVERS, url, places);
}
