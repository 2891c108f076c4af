import { Readable, Transform } from 'node:stream';
import { DriverError } from '../errors.ts';
import { s3Error } from './s3-error.ts';

/**
 * An object's bytes as the store sends them, `size` of them. Fails with DriverError when the connection
 * breaks off or fewer come; destroying it closes the connection.
 */
export function mappedBody(side: 'source' | 'destination', body: unknown, size: number): Readable {
  if (!(body instanceof Readable)) throw new TypeError('the SDK gave no Node stream');
  let seen = 0;
  const mapped = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const short = new DriverError(
        `${side}.unavailable`,
        `The ${side}'s store sent ${seen} of ${size} bytes`,
        {
          retryable: true,
        },
      );
      done(seen === size ? null : short);
    },
  });
  body.once('error', (cause) => mapped.destroy(s3Error(side, cause)));
  mapped.once('close', () => body.destroy());
  return body.pipe(mapped);
}
