/**
 * Payloads as Temporal keeps them when PRISTINE_CODEC_KEYS is set: the whole payload, its metadata too, sealed with
 * AES-256-GCM. What is not sealed is let through, so that anything that can start a workflow still can.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KeyRing, NamedKey } from '../drivers/key-ring.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** Temporal's own word for it, so that its tools show it as what it is. */
const ENCODING = 'binary/encrypted';
/** Names the whole way of sealing. Another way gets another name, and this one stays readable. */
const CIPHER = 'pristine-1-aes-256-gcm';

const SALT_BYTES = 32;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** What a sealed payload shows to everybody. */
const METADATA = { encoding: 'encoding', cipher: 'encryption-cipher', keyId: 'encryption-key-id' } as const;

/** A payload that is sealed and can't be opened. Its message names the key and repeats nothing of the payload. */
export class SealedPayloadError extends Error {}

export type CodecSettings = {
  /** The first seals, all open. */
  keys: KeyRing;
  /** A payload sealed for one namespace opens in no other. */
  namespace: string;
};

export function createPayloadCodec({ keys: [newest, ...older], namespace }: CodecSettings): PayloadCodec {
  const ring = new Map([newest, ...older].map((key) => [key.id, key]));
  return {
    encode: async (payloads) => payloads.map((payload) => seal(payload, newest, namespace)),
    decode: async (payloads) =>
      payloads.map((payload) => (isSealed(payload) ? open(payload, ring, namespace) : payload)),
  };
}

export function isSealed(payload: Payload): boolean {
  return textOf(payload, METADATA.encoding) === ENCODING;
}

function seal(payload: Payload, key: NamedKey, namespace: string): Payload {
  const salt = randomBytes(SALT_BYTES);
  const { secret, nonce } = messageKey(key, salt);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(boundTo(key.id, namespace));
  const text = PayloadMessage.encode(payload).finish();
  return {
    metadata: {
      [METADATA.encoding]: Buffer.from(ENCODING),
      [METADATA.cipher]: Buffer.from(CIPHER),
      [METADATA.keyId]: Buffer.from(key.id),
    },
    data: Buffer.concat([salt, cipher.update(text), cipher.final(), cipher.getAuthTag()]),
  };
}

function open(payload: Payload, ring: ReadonlyMap<string, NamedKey>, namespace: string): Payload {
  if (textOf(payload, METADATA.cipher) !== CIPHER) {
    throw new SealedPayloadError(
      'This payload was encrypted by another program, or a newer version of this one',
    );
  }
  // Whoever wrote the payload chose it: it is shown no longer than an id can be.
  const id = textOf(payload, METADATA.keyId)?.slice(0, 16) ?? '';
  const key = ring.get(id);
  if (key === undefined) {
    throw new SealedPayloadError(
      `This payload was encrypted with key ${JSON.stringify(id)}, which is not in PRISTINE_CODEC_KEYS: put it back, behind the first`,
    );
  }
  const data = Buffer.from(payload.data ?? []);
  const [salt, sealed, tag] = [
    data.subarray(0, SALT_BYTES),
    data.subarray(SALT_BYTES, -TAG_BYTES),
    data.subarray(-TAG_BYTES),
  ];
  try {
    const { secret, nonce } = messageKey(key, salt);
    const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES })
      .setAAD(boundTo(key.id, namespace))
      .setAuthTag(tag);
    return PayloadMessage.decode(Buffer.concat([decipher.update(sealed), decipher.final()]));
  } catch (cause) {
    throw new SealedPayloadError(
      `This payload does not open with key "${id}": it was changed, or encrypted for another namespace or with another secret of that name`,
      { cause },
    );
  }
}

/** A key and nonce of this message alone: random nonces under one key would wear it out after some billions. */
function messageKey({ secret }: NamedKey, salt: Uint8Array): { secret: Buffer; nonce: Buffer } {
  const derived = Buffer.from(hkdfSync('sha256', secret, salt, CIPHER, KEY_BYTES + NONCE_BYTES));
  return { secret: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) };
}

function boundTo(keyId: string, namespace: string): Buffer {
  return Buffer.from(JSON.stringify([CIPHER, keyId, namespace]));
}

function textOf({ metadata }: Payload, name: string): string | undefined {
  const bytes = metadata?.[name];
  return bytes === undefined || bytes === null ? undefined : Buffer.from(bytes).toString();
}
