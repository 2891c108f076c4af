/** An HTTP server that answers as an S3 store may, for what a healthy one never does. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../../../drivers/s3/client.ts';

export type FakeStore = { client: S3Client; requests: string[]; close(): Promise<void> };
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Each request gets the next of `answers`; the last one stays. */
export async function fakeStore(...answers: [Answer, ...Answer[]]): Promise<FakeStore> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const client = createS3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  });
  return {
    client,
    requests,
    async close() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A failure as S3 words it. */
export function failure(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>a secret detail</Message></Error>`,
    );
  };
}

/** An answer to ListObjectsV2. */
export function listing(
  keys: readonly string[],
  rest: { truncated?: boolean; token?: string; encoding?: 'url'; etag?: string } = {},
): Answer {
  const { truncated = false, token, encoding, etag = '&quot;e&quot;' } = rest;
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><Size>1</Size>${etag && `<ETag>${etag}</ETag>`}<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>`,
  );
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${truncated}</IsTruncated>${contents.join('')}` +
        `${token ? `<NextContinuationToken>${token}</NextContinuationToken>` : ''}` +
        `${encoding ? `<EncodingType>${encoding}</EncodingType>` : ''}</ListBucketResult>`,
    );
  };
}
