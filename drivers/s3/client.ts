import { S3Client } from '@aws-sdk/client-s3';

/** How to reach an S3 store. Credentials come the SDK's usual ways unless they are given. */
export type S3Settings = {
  /** Base URL of the store; without it AWS' own for the region. Pods must reach it too: links name it. */
  endpoint?: string | undefined;
  region: string;
  /** Bucket in the path, not in the host name: what most stores other than AWS need. */
  forcePathStyle: boolean;
  /** Until a connection stands. Default 5 seconds. */
  connectMs?: number | undefined;
  /** Without a byte in either direction. Default 60 seconds. */
  idleMs?: number | undefined;
  /** Tries of one request, the first included. Default 3; beyond that Temporal retries. */
  maxAttempts?: number | undefined;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
};

/** Every failure comes as an error; without a logger of ours the SDK writes some to the console as well. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Makes a client. The caller destroys it. */
export function createS3Client(settings: S3Settings): S3Client {
  const { endpoint, region, forcePathStyle, credentials, maxAttempts = 3 } = settings;
  return new S3Client({
    region,
    forcePathStyle,
    maxAttempts,
    logger: SILENT,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    // We compare sha256 ourselves. By default a CRC32 would also go into every presigned PUT.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: settings.connectMs ?? 5_000,
      socketTimeout: settings.idleMs ?? 60_000,
      httpAgent: { keepAlive: true, maxSockets: 64 },
      httpsAgent: { keepAlive: true, maxSockets: 64 },
    },
  });
}
