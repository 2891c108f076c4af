/** Names and labels made of digests. Imports nothing, so that any code can call it. */

/** RFC 4648, in lower case, as DNS labels and Kubernetes label values take it. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * `pristine-<40 characters of base32 sha256>-<8 hex of the profile>-a<attempt>`: a DNS label of at most 63
 * characters, the same for every try of one attempt, so that the API server tells us when it is there already.
 * `sha256` is 64 hex, `fingerprint` 8 hex, `attempt` 0-999; throws RangeError otherwise.
 */
export function podName(sha256: string, fingerprint: string, attempt: number): string {
  if (!/^[0-9a-f]{8}$/.test(fingerprint)) throw new RangeError('fingerprint must be 8 lower-case hex digits');
  if (!Number.isInteger(attempt) || attempt < 0 || attempt > 999)
    throw new RangeError('attempt must be a whole number from 0 to 999');
  return `pristine-${base32Digest(sha256).slice(0, 40)}-${fingerprint}-a${attempt}`;
}

/** A sha256 of 64 hex as 52 characters of base32: a label value holds 63. Throws RangeError. */
export function base32Digest(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError('sha256 must be 64 lower-case hex digits');
  let text = '';
  let bits = 0;
  let held = 0;
  for (const digit of sha256) {
    held = (held << 4) | Number.parseInt(digit, 16);
    bits += 4;
    if (bits >= 5) {
      bits -= 5;
      text += ALPHABET[held >> bits];
      held &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? text + ALPHABET[held << (5 - bits)] : text;
}
