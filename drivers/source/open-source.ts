import type { S3Client } from '@aws-sdk/client-s3';
import { parseFileUrl } from '../file-system/file-url.ts';
import { openByScheme } from '../open-by-scheme.ts';
import type { LinkSigner, Source } from '../ports.ts';
import { parseS3Url } from '../s3/s3-url.ts';
import { FsSource } from './fs.ts';
import { S3Source } from './s3.ts';

/** What the drivers need: PRISTINE_FILE_ROOTS, who signs links to the file server, and how to reach S3. */
export type SourcePlaces = { roots: readonly string[]; signer: LinkSigner; s3: S3Client };

/** One line a driver. A new one implements Source and passes test/contract/describe-source.ts. */
const DRIVERS: Readonly<Record<string, (url: string, places: SourcePlaces) => Source>> = {
  file: (url, { roots, signer }) => new FsSource(parseFileUrl(url, 'source', roots), signer),
  s3: (url, { s3 }) => new S3Source(s3, parseS3Url(url, 'source')),
};

/** The source at a URL. Contacts nothing. Throws DriverError config.invalid or source.forbidden. */
export function openSource(url: string, places: SourcePlaces): Source {
  return openByScheme('source', DRIVERS, url, places);
}
