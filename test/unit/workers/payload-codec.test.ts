import { describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import { keyRingSchema } from '../../../drivers/key-ring.ts';
import { createPayloadCodec, isSealed, SealedPayloadError } from '../../../workers/payload-codec.ts';

const OLD = `old:${'o'.repeat(32)}`;
const NEW = `new:${'n'.repeat(32)}`;
const codecOf = (keys: string, namespace = 'default') =>
  createPayloadCodec({ keys: keyRingSchema.parse(keys), namespace });
const codec = codecOf(OLD);

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
async function sealed(value: unknown, by = codec): Promise<Payload> {
  const [payload] = await by.encode([payloadOf(value)]);
  if (payload === undefined) throw new Error('one in, one out');
  return payload;
}
const opened = async (payload: Payload, by = codec): Promise<unknown> =>
  (await by.decode([payload])).map((one) => defaultPayloadConverter.fromPayload(one))[0];
const textIn = ({ metadata, data }: Payload) =>
  [...Object.values(metadata ?? {}), data ?? new Uint8Array()]
    .map((b) => Buffer.from(b).toString('latin1'))
    .join();
const withMetadata = (payload: Payload, name: string, value: string): Payload => ({
  ...payload,
  metadata: { ...payload.metadata, [name]: Buffer.from(value) },
});
const withData = (payload: Payload, change: (data: Buffer) => Uint8Array): Payload => ({
  ...payload,
  data: change(Buffer.from(payload.data ?? [])),
});

describe('what is sealed', () => {
  test.each([[{ path: 'finance/q3.xlsx' }], ['text'], [null], [undefined], [new Uint8Array([0, 255])], ['']])(
    'opens as it was: %j',
    async (value) => {
      expect(await opened(await sealed(value))).toEqual(value);
    },
  );

  test('shows nothing of the value, nor of what kind it is', async () => {
    const shown = textIn(await sealed({ path: 'finance/q3.xlsx' }));
    expect(shown).not.toContain('finance');
    expect(shown).not.toContain('json/plain');
    expect(shown).toContain('old');
  });

  test('is never the same twice', async () => {
    expect(textIn(await sealed('same'))).not.toBe(textIn(await sealed('same')));
  });

  test('none, and many in their order', async () => {
    expect(await codec.encode([])).toEqual([]);
    const many = await codec.encode(['a', 'b', 'c'].map(payloadOf));
    expect((await codec.decode(many)).map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(
      ['a', 'b', 'c'],
    );
  });

  test('what is not sealed passes as it is, beside what is', async () => {
    const plain = payloadOf({ source: 's3://inbox/' });
    const decoded = await codec.decode([plain, await sealed('x')]);
    expect(decoded[0]).toBe(plain);
    expect(decoded.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual([
      { source: 's3://inbox/' },
      'x',
    ]);
    expect(isSealed(plain)).toBe(false);
  });
});

describe('keys', () => {
  test('the first seals, all open', async () => {
    const before = await sealed('x');
    const rotated = codecOf(`${NEW},${OLD}`);
    expect(await opened(before, rotated)).toBe('x');
    const after = await sealed('y', rotated);
    expect(await opened(after, codecOf(NEW))).toBe('y');
    await expect(opened(after)).rejects.toThrow(/key "new", which is not in PRISTINE_CODEC_KEYS/);
  });

  test('another secret under the same name opens nothing', async () => {
    const payload = await sealed('x');
    await expect(opened(payload, codecOf(`old:${'x'.repeat(32)}`))).rejects.toThrow(SealedPayloadError);
  });
});

describe('what was tampered with does not open', () => {
  test('every single byte of it counts', async () => {
    const payload = await sealed('x');
    const length = payload.data?.length ?? 0;
    expect(length).toBeGreaterThan(48);
    for (let at = 0; at < length; at++) {
      const changed = withData(payload, (data) => data.fill((data[at] ?? 0) ^ 1, at, at + 1));
      await expect(opened(changed)).rejects.toThrow(SealedPayloadError);
    }
  });

  test.each([0, 1, 31, 32, 47, 48, -1])('cut after byte %i', async (end) => {
    await expect(opened(withData(await sealed('x'), (data) => data.subarray(0, end)))).rejects.toThrow(
      SealedPayloadError,
    );
  });

  test('with something behind it', async () => {
    const longer = withData(await sealed('x'), (data) => Buffer.concat([data, Buffer.from([0])]));
    await expect(opened(longer)).rejects.toThrow(SealedPayloadError);
  });

  test('under the name of another key that is in the ring, with the very same secret', async () => {
    const twins = codecOf(`one:${'s'.repeat(32)},two:${'s'.repeat(32)}`);
    const renamed = withMetadata(await sealed('x', twins), 'encryption-key-id', 'two');
    await expect(opened(renamed, twins)).rejects.toThrow(SealedPayloadError);
  });

  test('of another namespace', async () => {
    await expect(opened(await sealed('x', codecOf(OLD, 'other')))).rejects.toThrow(/another namespace/);
  });

  test('the head of one on the body of another', async () => {
    const [one, other] = [await sealed('one'), await sealed('other')];
    const mixed = withData(one, (data) =>
      Buffer.concat([data.subarray(0, 32), Buffer.from(other.data ?? []).subarray(32)]),
    );
    await expect(opened(mixed)).rejects.toThrow(SealedPayloadError);
  });

  test.each(['', 'AES', 'pristine-2-aes-256-gcm'])('by a way of sealing called %j', async (cipher) => {
    await expect(opened(withMetadata(await sealed('x'), 'encryption-cipher', cipher))).rejects.toThrow(
      /another program/,
    );
  });

  test('one bad one among good ones: none is given out', async () => {
    const bad = withData(await sealed('x'), (data) => data.subarray(1));
    await expect(codec.decode([await sealed('y'), bad])).rejects.toThrow(SealedPayloadError);
  });

  test('no message repeats what it was given', async () => {
    const long = withMetadata(await sealed('x'), 'encryption-key-id', `evil\u001b[31m${'x'.repeat(5_000)}`);
    const message = await opened(long).catch((error: Error) => error.message);
    expect(message).not.toContain('\u001b');
    expect(String(message).length).toBeLessThan(300);
  });
});
