import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { LinkSigner } from '../drivers/ports.ts';
import type { LinkKeys } from './link-keys.ts';

/** What one link allows: one method on one file below one root, until then. */
export type Link = Parameters<LinkSigner['sign']>[0];

/** Why a link was refused; for the log only, whoever holds the link is not told. */
export type LinkRefusal =
  | 'malformed'
  | 'unknown-key'
  | 'bad-signature'
  | 'other-method'
  | 'expired'
  | 'other-root';

const payloadSchema = z.strictObject({
  method: z.enum(['GET', 'PUT']),
  root: z.string(),
  path: z.base64url(),
  pod: z.string(),
  expiresAt: z.int(),
  maxBytes: z.int().min(0).optional(),
});

const LINK = /^\/f\/(?<keyId>[a-z0-9]{1,16})\.(?<payload>[\w-]+)\.(?<mac>[\w-]+)$/;

/** Signs links to the file server at `baseUrl` (`http://host:port`). */
export function createLinkSigner(settings: { baseUrl: string; keys: LinkKeys }): LinkSigner {
  const [key] = settings.keys;
  const base = settings.baseUrl.replace(/\/+$/, '');
  return {
    sign({ path, ...rest }) {
      const fields = { ...rest, path: Buffer.from(path).toString('base64url') };
      const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
      return `${base}/f/${key.id}.${payload}.${mac(key, payload)}`;
    },
  };
}

/**
 * Checks a request against the link in its target. `now` (ms since the epoch) is the file server's clock,
 * which alone decides when a link has expired.
 */
export function verifyLink(
  request: { method: string; target: string; now: number },
  settings: { keys: LinkKeys; roots: readonly string[] },
): { link: Link } | { refusal: LinkRefusal; pod?: string } {
  const parts = LINK.exec(request.target)?.groups;
  if (!parts?.keyId || !parts.payload || !parts.mac) return { refusal: 'malformed' };
  const key = settings.keys.find(({ id }) => id === parts.keyId);
  if (!key) return { refusal: 'unknown-key' };
  // As text: base64 has several spellings of the same bytes, a link has one.
  if (!sameText(mac(key, parts.payload), parts.mac)) return { refusal: 'bad-signature' };

  // Nothing of the payload is looked at before the signature stands.
  const parsed = payloadSchema.safeParse(parseJson(Buffer.from(parts.payload, 'base64url').toString()));
  if (!parsed.success) return { refusal: 'malformed' };
  const { path, ...rest } = parsed.data;
  const { pod } = rest;
  if (rest.method !== request.method) return { refusal: 'other-method', pod };
  if (rest.expiresAt <= request.now) return { refusal: 'expired', pod };
  if (!settings.roots.includes(rest.root)) return { refusal: 'other-root', pod };
  return { link: { ...rest, path: Buffer.from(path, 'base64url') } };
}

/** The purpose is part of what is signed: a MAC made with this secret for something else is no link. */
function mac(key: { id: string; secret: string }, payload: string): string {
  return createHmac('sha256', key.secret).update(`pristine-link-1.${key.id}.${payload}`).digest('base64url');
}

function sameText(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
