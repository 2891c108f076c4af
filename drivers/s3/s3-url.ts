import { DriverError } from '../errors.ts';

/** A folder in a bucket: `prefix` is empty or ends in a slash. */
export type S3Place = { url: string; bucket: string; prefix: string };

const S3_URL = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>.*))?$/s;

/**
 * Parses `s3://bucket/prefix/`. As in other tools the prefix is the key's own text, not percent-encoded; it
 * is a folder, with or without the slash at its end. Throws DriverError config.invalid.
 */
export function parseS3Url(text: string, side: 'source' | 'destination'): S3Place {
  const parts = S3_URL.exec(text)?.groups;
  if (parts?.bucket === undefined) throw invalid(side, 'is no S3 URL: write s3://bucket/prefix/');
  const folder = (parts.prefix ?? '').replace(/\/$/, '');
  const prefix = folder === '' ? '' : `${folder}/`;
  if (folder !== '' && !isPlainKey(folder)) throw invalid(side, 'has an empty, "." or ".." part');
  return { url: `s3://${parts.bucket}/${prefix}`, bucket: parts.bucket, prefix };
}

/** Whether a key can stand in a URL as it is: clients drop empty and dotted parts, and mean another object. */
export function isPlainKey(key: string): boolean {
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function invalid(side: string, problem: string): DriverError {
  return new DriverError('config.invalid', `The ${side}'s URL ${problem}`, { retryable: false });
}
