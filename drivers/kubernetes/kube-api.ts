import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { KubeError, type StatusBody, statusSchema } from './kube-error.ts';

export type Query = Record<string, string | number | boolean | undefined>;
export type KubeRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  /** Absolute path below the server's URL, already percent-encoded. */
  path: string;
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
};

export type KubeApiSettings = {
  /** From the start of a request to the end of its answer; for `open`, to the answer's head. */
  requestTimeoutMs: number;
  /** A page of 500 pods with all their fields is some 5 MB. */
  maxAnswerBytes: number;
};
export const KUBE_API_SETTINGS: KubeApiSettings = {
  requestTimeoutMs: 30_000,
  maxAnswerBytes: 64 * 2 ** 20,
};

/**
 * Requests to one API server on kept connections. client-node's KubeConfig knows how to find the server and how to
 * prove who we are; its own HTTP layer (2.0.1) makes a new agent, so a new TLS connection, for every request, has
 * no timeout, and puts bodies and headers into error messages.
 */
export class KubeApi {
  readonly #config: KubeConfig;
  readonly #settings: KubeApiSettings;
  readonly #agents: { http: http.Agent; https: https.Agent };

  constructor(config: KubeConfig, settings: KubeApiSettings = KUBE_API_SETTINGS) {
    this.#config = config;
    this.#settings = settings;
    // `timeout` closes connections that lie idle before a load balancer forgets them.
    const options = { keepAlive: true, keepAliveMsecs: 15_000, timeout: 30_000, maxSockets: 64 };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  /** The answer's JSON. Throws KubeError for every status but 2xx and when no answer came. */
  async call(request: KubeRequest): Promise<unknown> {
    const { bytes } = await this.read(request);
    try {
      return JSON.parse(bytes.toString());
    } catch {
      throw new KubeError({ message: 'The API server answered something that is not JSON.' });
    }
  }

  /** The answer's bytes; of more than `keepLast` only the last so many. Throws KubeError as `call` does. */
  async read(request: KubeRequest, keepLast?: number): Promise<{ bytes: Buffer }> {
    return this.#within(request.signal, async (signal) => {
      const answer = await this.#send(request, signal);
      const bytes = await collect(answer, keepLast, this.#settings.maxAnswerBytes);
      if (isOk(answer)) return { bytes };
      throw failure(answer, bytes);
    });
  }

  /** An answer without an end, to be read until `signal` fires or the server closes. Throws KubeError. */
  async open(request: KubeRequest & { signal: AbortSignal }): Promise<IncomingMessage> {
    request.signal.throwIfAborted();
    // The timer guards the head only; `request.signal` stays tied to the connection for the body.
    const answer = await this.#within(undefined, (head) =>
      this.#send(request, AbortSignal.any([head, request.signal])),
    );
    if (isOk(answer)) return answer;
    throw failure(answer, await collect(answer, undefined, this.#settings.maxAnswerBytes));
  }

  /** Closes kept connections: after a silence nobody knows whether they still lead anywhere. */
  dropIdleConnections(): void {
    for (const agent of [this.#agents.http, this.#agents.https])
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #within<T>(outer: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const onOuter = () => abort.abort(outer?.reason);
    const timer = setTimeout(() => {
      const message = `No answer within ${this.#settings.requestTimeoutMs} ms.`;
      abort.abort(new KubeError({ message, timedOut: true }));
    }, this.#settings.requestTimeoutMs);
    outer?.addEventListener('abort', onOuter, { once: true });
    try {
      outer?.throwIfAborted();
      return await run(abort.signal);
    } catch (error) {
      if (outer?.aborted) throw outer.reason;
      if (error instanceof KubeError) throw error;
      // What has befallen one kept connection has often befallen them all: else each costs a try of its own.
      this.dropIdleConnections();
      throw abort.signal.aborted ? abort.signal.reason : KubeError.unreachable(error);
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuter);
    }
  }

  async #send(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const { url, options } = await this.#options(request, payload?.length);
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? https.request : http.request;
      const sent = send(url, { ...options, signal }, resolve);
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  async #options(
    { method, path, query }: KubeRequest,
    length: number | undefined,
  ): Promise<{ url: URL; options: RequestOptions }> {
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new KubeError({ message: 'The kubeconfig has no current cluster.' });
    const url = new URL(cluster.server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));

    const options: https.RequestOptions & { headers: http.OutgoingHttpHeaders } = { headers: {} };
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new KubeError({ message: 'The credentials of the kubeconfig can not be used.', cause: error });
    }
    // A proxy needs client-node's own agent, which it keeps.
    if (!cluster.proxyUrl) options.agent = url.protocol === 'https:' ? this.#agents.https : this.#agents.http;
    options.method = method;
    options.headers.accept = 'application/json';
    if (length !== undefined) {
      options.headers['content-type'] = 'application/json';
      // Node gives the body of a DELETE no length, and a server then takes it for the next request.
      options.headers['content-length'] = length;
    }
    return { url, options };
  }
}

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function collect(answer: IncomingMessage, keepLast: number | undefined, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let held = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    held += chunk.length;
    if (keepLast !== undefined)
      while (chunks[0] && held - chunks[0].length >= keepLast) held -= chunks.shift()?.length ?? 0;
    else if (held > max) throw new KubeError({ message: `An answer of more than ${max} bytes.` });
  }
  return keepLast === undefined ? Buffer.concat(chunks) : Buffer.concat(chunks).subarray(-keepLast);
}

function failure(answer: IncomingMessage, bytes: Buffer): KubeError {
  const after = Number(answer.headers['retry-after'] ?? Number.NaN);
  return new KubeError({
    status: answer.statusCode,
    body: statusBody(bytes),
    ...(after >= 0 && { retryAfterMs: after * 1000 }),
  });
}

function statusBody(bytes: Buffer): StatusBody | undefined {
  try {
    return statusSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
}
