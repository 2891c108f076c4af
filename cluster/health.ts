import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** Certificates to speak TLS with: files in PEM form. */
export type ClientTls = { readonly ca: string; readonly cert?: string; readonly key?: string };

/** Whether a plain HTTP address answers with a 2xx status within 2 s. */
export async function answersHttp(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000), redirect: 'manual' });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Whether an HTTPS address answers with a 2xx status within 2 s to a client with these certificates. */
export function answersHttps(url: string, tls: ClientTls): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      url,
      {
        ca: readFileSync(tls.ca),
        ...(tls.cert === undefined ? {} : { cert: readFileSync(tls.cert) }),
        ...(tls.key === undefined ? {} : { key: readFileSync(tls.key) }),
        // A pooled connection would keep answering for a server that is shutting down.
        agent: false,
        timeout: 2000,
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(Math.floor((response.statusCode ?? 0) / 100) === 2));
        response.once('error', () => resolve(false));
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
