const UNKNOWN_AUTHORITY = 'its certificate is signed by nobody that is trusted here: name its authority';
const OURS_EXPIRED = 'it says that our certificate has expired: renew it';

/** By the codes of Node and OpenSSL. */
const TROUBLE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it there',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: look at the clocks of both sides',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the one in the address',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: OURS_EXPIRED,
};

/** What is wrong with a certificate, in words that say what to do; undefined where it is something else. */
export function certificateTrouble(error: unknown): string | undefined {
  // By shape: an SDK passes errors on as causes, and some are not made by this realm's Error.
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown };
    const found = typeof code === 'string' ? TROUBLE[code] : undefined;
    if (found !== undefined) return found;
    at = cause;
  }
  return undefined;
}
