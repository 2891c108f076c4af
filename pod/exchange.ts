/** One HTTP request with bounded time. No redirects: a link names one object, and nothing else is asked for. */
import http from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type TimeLimits = {
  /** Until the connection (with TLS) stands. */
  connectMs: number;
  /** Without a byte in either direction. */
  idleMs: number;
  /** The whole exchange, body included. */
  totalMs: number;
};

/** The pod's own deadline usually comes first; these keep a stalled or dripping server from using all of it. */
export const TIME_LIMITS: TimeLimits = { connectMs: 10_000, idleMs: 60_000, totalMs: 900_000 };

export type Answer = { status: number; body: http.IncomingMessage };

/** A server stopped answering in time. `code` reads like a system error's. */
export class TimeLimitError extends Error {
  readonly code: string;

  constructor(code: 'CONNECT_TIMEOUT' | 'IDLE_TIMEOUT' | 'TOTAL_TIMEOUT') {
    super(code);
    this.name = 'TimeLimitError';
    this.code = code;
  }
}

/**
 * Sends one request and hands the answer to `read`, whose result is returned. The connection is closed on
 * every way out. Rejects with the system error, a TimeLimitError, or what `read` threw.
 */
export async function exchange<T>(
  url: URL,
  request: {
    method: 'GET' | 'PUT';
    headers?: Record<string, string | number>;
    body?: Readable;
  },
  limits: TimeLimits,
  read: (answer: Answer) => Promise<T>,
): Promise<T> {
  const secure = url.protocol === 'https:';
  // TLS takes 15 ms to load: only those who need it pay.
  const send = secure ? (await import('node:https')).request : http.request;
  const sent = send(url, { method: request.method, headers: request.headers ?? {}, agent: false });
  const give = (code: ConstructorParameters<typeof TimeLimitError>[0]) => () =>
    sent.destroy(new TimeLimitError(code));
  const connecting = setTimeout(give('CONNECT_TIMEOUT'), limits.connectMs);
  const total = setTimeout(give('TOTAL_TIMEOUT'), limits.totalMs);
  sent.once('socket', (socket) =>
    socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
  );
  sent.setTimeout(limits.idleMs, give('IDLE_TIMEOUT'));

  try {
    return await new Promise<T>((resolve, reject) => {
      sent.on('error', reject);
      sent.once('response', (body) => {
        read({ status: body.statusCode ?? 0, body }).then(resolve, reject);
      });
      if (!request.body) sent.end();
      // A server may answer (412, 413) and close before it has read everything: then the answer counts.
      else pipeline(request.body, sent).catch(() => undefined);
    });
  } finally {
    clearTimeout(connecting);
    clearTimeout(total);
    sent.destroy();
  }
}
