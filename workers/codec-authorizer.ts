/** Who may have payloads decoded. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { CodecServerConfig } from './codec-server-config.ts';

/** `who` goes into the log beside what they had decoded. */
export type Authorized = { who: string } | { refusal: string };
export type Authorizer = (authorization: string | undefined) => Promise<Authorized>;

/** None of the algorithms that one secret both signs and verifies with. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** The issuer's keys did not come, or not as keys. */
const OURS = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code];
/** Between the issuer's clock and ours. */
const CLOCK_SECONDS = 30;

/**
 * The fixed token, or a JSON web token of the issuer that is for us, has not expired, and carries the claim. With
 * neither configured everybody may: the configuration sees to it that nobody but this machine can then ask.
 * Rejects when the issuer's keys can't be had: that is nobody's fault who asks.
 */
export function createAuthorizer({ token, jwt }: Pick<CodecServerConfig, 'token' | 'jwt'>): Authorizer {
  if (token === undefined && jwt === undefined) return async () => ({ who: 'anybody on this machine' });
  const byToken = token === undefined ? () => false : sameAs(token);
  const byJwt = jwt === undefined ? undefined : jwtCheck(jwt);
  return async (authorization) => {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return { refusal: 'no bearer token' };
    if (byToken(given)) return { who: 'the holder of the token' };
    return byJwt === undefined ? { refusal: 'another token' } : byJwt(given);
  };
}

/** In constant time, whatever the lengths. */
function sameAs(token: string): (given: string) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const wanted = hash(token);
  return (given) => timingSafeEqual(hash(given), wanted);
}

function jwtCheck({ jwks, issuer, audience, claim }: NonNullable<CodecServerConfig['jwt']>) {
  const keys = createRemoteJWKSet(jwks);
  return async (given: string): Promise<Authorized> => {
    try {
      const { payload } = await jwtVerify(given, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      if (claim !== undefined && !carries(payload, claim)) return { refusal: `no claim ${claim.name}` };
      return { who: String(payload.sub) };
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || OURS.includes(error.code)) throw error;
      return { refusal: error.code };
    }
  };
}

function carries(payload: JWTPayload, { name, value }: { name: string; value: string }): boolean {
  const held = payload[name];
  return held === value || (Array.isArray(held) && held.includes(value));
}
