/** An HTTP proxy in front of one server, that answers some requests itself, late, or not at all. */
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline, Transform } from 'node:stream';

export type ProxiedRequest = {
  method: string;
  /** Path without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** How many came before it, faults included. */
  number: number;
};

export type HttpFault =
  /** The server is not asked. */
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Forwarded after so many milliseconds. */
  | { delayMs: number }
  /** The connection is cut before the server is asked. */
  | 'cut'
  /** The server is asked and does it; its answer is thrown away and the connection cut. */
  | 'lose-answer'
  /** Nothing comes, ever; the server is not asked. */
  | 'stall'
  /** The answer's body is cut off after so many bytes, and the connection with it. */
  | { cutBodyAfter: number }
  /** The answer's body goes silent after so many bytes and stays open. */
  | { stallBodyAfter: number }
  /** One bit of the answer's body is flipped at this byte. */
  | { flipBit: number }
  /** The answer's body passes through this. */
  | { through: () => Transform };

/** The fault that a request meets, or undefined. */
export type Faults = (request: ProxiedRequest) => HttpFault | undefined;

export type HttpFaultProxyOptions = {
  /** Address to listen on; one that pods reach, where they are to use it. */
  host?: string;
  /** Towards the server: its authority, and who we are. Whoever reaches the proxy has these rights. */
  tls?: https.AgentOptions;
};

/**
 * Forwards to `target`, an http(s) URL without a path, with headers (Host too: signatures hold) and query as they
 * are. Starts without faults.
 */
export async function httpFaultProxy(target: string, options: HttpFaultProxyOptions = {}) {
  const upstream = new URL(target);
  const { host = '127.0.0.1', tls = {} } = options;
  const agent =
    upstream.protocol === 'https:'
      ? new https.Agent({ ...tls, keepAlive: true })
      : new http.Agent({ keepAlive: true });
  const requests: ProxiedRequest[] = [];
  let faults: Faults = () => undefined;

  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://proxy');
    const seen: ProxiedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      number: requests.length,
    };
    requests.push(seen);
    const fault = faults(seen);
    if (fault === 'stall') return;
    if (fault === 'cut') return void request.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault) {
      request.resume();
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    const delay = typeof fault === 'object' && 'delayMs' in fault ? fault.delayMs : 0;
    setTimeout(() => forward(request, response, fault), delay);
  });

  function forward(request: IncomingMessage, response: ServerResponse, fault: HttpFault | undefined): void {
    const send = upstream.protocol === 'https:' ? https.request : http.request;
    const { protocol, hostname, port } = upstream;
    const { method, url: path, headers } = request;
    const sent = send({ protocol, hostname, port, method, path, headers, agent }, (answer) => {
      if (fault === 'lose-answer') {
        // Only once it is whole is it certain that the server has done it.
        answer.resume().on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      response.flushHeaders();
      pipeline([answer, ...between(fault), response], () => response.destroy());
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    /** All so far. */
    requests,
    /** From now on. Without an argument there are none. */
    meet(now: Faults = () => undefined): void {
      faults = now;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}
export type HttpFaultProxy = Awaited<ReturnType<typeof httpFaultProxy>>;

function between(fault: HttpFault | undefined): Transform[] {
  if (typeof fault !== 'object') return [];
  if ('through' in fault) return [fault.through()];
  if ('cutBodyAfter' in fault) return [cutting(fault.cutBodyAfter)];
  if ('stallBodyAfter' in fault) return [stalling(fault.stallBodyAfter)];
  return 'flipBit' in fault ? [flipping(fault.flipBit)] : [];
}

function cutting(after: number): Transform {
  let left = after;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      this.push(chunk.subarray(0, left));
      left -= chunk.length;
      // What was passed on gets a moment to leave.
      if (left < 0) setTimeout(() => done(new Error('cut, as the test wants it')), 20);
      else done();
    },
  });
}

function stalling(after: number): Transform {
  let left = after;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      if (left > 0) this.push(chunk.subarray(0, left));
      left -= chunk.length;
      done();
    },
    flush(done) {
      if (left >= 0) done();
    },
  });
}

function flipping(at: number): Transform {
  let left = at;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      if (left >= 0 && left < chunk.length) chunk[left] = (chunk[left] ?? 0) ^ 1;
      left -= chunk.length;
      done(null, chunk);
    },
  });
}
