/** A TCP proxy whose weather a test makes. For faults that know HTTP see test/faults/http-fault-proxy.ts. */
import type { AddressInfo, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';

export type Weather =
  /** All goes through. */
  | 'fair'
  /** Connections that stand stay open and carry nothing, either way; new ones work. */
  | 'stalled'
  /** As `stalled`, and so is every new connection once it is accepted. */
  | 'frozen'
  /** The far ends of the connections that stand are gone and nobody tells the near ends; new ones work. */
  | 'half-open'
  /** Every connection is cut, and so is each new one. */
  | 'away'
  /** On connections that stand, what is sent arrives; its answer never comes, and the connection is cut. */
  | 'no-answers'
  /** So many bytes a second each way, on all connections. */
  | { slow: number }
  /** On connections that stand, answers are cut off, and the connection with them, after so many bytes more. */
  | { cutAfter: number }
  /** On connections that stand, one bit of the answers is flipped after so many bytes more. */
  | { flipAfter: number };

type Pair = {
  client: Socket;
  upstream: Socket;
  /** Takes what one end has sent to the other; the weather replaces it. */
  carry: (chunk: Buffer, from: Socket, to: Socket) => void;
};

/** Listens on a port of its own at `host` (one that pods reach, where they are to use it) until `close`. */
export async function faultProxy(target: { host: string; port: number }, host = '127.0.0.1') {
  const pairs = new Set<Pair>();
  let weather: Weather = 'fair';
  let accepted = 0;

  const server = createServer((client) => {
    accepted++;
    if (weather === 'away') {
      client.destroy();
      return;
    }
    const upstream = createConnection(target.port, target.host);
    const pair: Pair = { client, upstream, carry: pass };
    pairs.add(pair);
    const end = () => {
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy()).on('close', end);
    client.on('data', (chunk: Buffer) => pair.carry(chunk, client, upstream));
    upstream.on('data', (chunk: Buffer) => pair.carry(chunk, upstream, client));
    if (weather === 'frozen') freeze(pair);
    if (typeof weather === 'object' && 'slow' in weather) pair.carry = slowly(weather.slow);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  return {
    host,
    port,
    /** Connections so far. */
    get accepted() {
      return accepted;
    },
    /** Connections that stand now. */
    get open() {
      return pairs.size;
    },
    /** Frozen, stalled and half-open connections stay as they are whatever comes after. */
    turn(to: Weather): void {
      weather = to;
      for (const pair of [...pairs]) change(pair, to);
    },
    async close(): Promise<void> {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FaultProxy = Awaited<ReturnType<typeof faultProxy>>;

function change(pair: Pair, to: Weather): void {
  if (to === 'stalled' || to === 'frozen') freeze(pair);
  else if (to === 'away') pair.client.destroy();
  else if (to === 'half-open') {
    freeze(pair);
    pair.upstream.removeAllListeners('close').destroy();
  } else if (to === 'no-answers') {
    // TLS stands already on kept connections, so a request arrives whole before it is answered.
    onAnswers(pair, () => pair.client.destroy());
  } else if (typeof to === 'object') {
    if ('slow' in to) pair.carry = slowly(to.slow);
    else if ('cutAfter' in to) onAnswers(pair, cutting(to.cutAfter));
    else onAnswers(pair, flipping(to.flipAfter));
  }
}

function onAnswers(pair: Pair, act: (chunk: Buffer, to: Socket) => void): void {
  pair.carry = (chunk, from, to) => {
    if (from === pair.upstream) act(chunk, to);
    else pass(chunk, from, to);
  };
}

/** Reads on, so that a close is noticed, and drops it all. */
function freeze(pair: Pair): void {
  pair.carry = () => undefined;
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

function slowly(bytesPerSecond: number): Pair['carry'] {
  return (chunk, from, to) => {
    from.pause();
    setTimeout(
      () => {
        if (!to.destroyed) to.write(chunk);
        from.resume();
      },
      (chunk.length / bytesPerSecond) * 1000,
    );
  };
}

function cutting(after: number): (chunk: Buffer, to: Socket) => void {
  let left = after;
  return (chunk, to) => {
    to.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) to.end(() => to.destroy());
  };
}

function flipping(after: number): (chunk: Buffer, to: Socket) => void {
  let left = after;
  return (chunk, to) => {
    const at = left;
    left -= chunk.length;
    if (at >= 0 && left < 0) chunk[at] = (chunk[at] ?? 0) ^ 1;
    to.write(chunk);
  };
}
