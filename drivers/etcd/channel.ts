/** One call to one member of etcd. */
import { type ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import type { EtcdMethod } from './methods.ts';

export type Channel = { send: (call: ChannelCall) => Promise<unknown>; close(): void };
export type ChannelCall = {
  method: EtcdMethod;
  request: object;
  /** What etcd gave at sign-in. */
  token: string | null;
  /** Milliseconds since the epoch. */
  deadline: number;
};

/** Connects when it is first used, and again by itself. A call rejects with gRPC's ServiceError. */
export function openChannel(address: string, credentials: ChannelCredentials): Channel {
  const client = new Client(address, credentials, {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // A connection that swallows calls is dropped, not waited for.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.enable_http_proxy': 0,
    // What is closed here is closed, and no other client of this process hangs on it.
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    send: (call) => (call.method.responseStream ? sendInStream(client, call) : sendAlone(client, call)),
    close: () => client.close(),
  };
}

function sendAlone(client: Client, { method, request, token, deadline }: ChannelCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata(token),
      { deadline },
      (error, reply) => (error === null ? resolve(reply) : reject(error)),
    );
  });
}

/** Some of etcd's calls are streams by their form: one question, one answer, the end. */
function sendInStream(client: Client, { method, request, token, deadline }: ChannelCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata(token),
      { deadline },
    );
    // Stays for what comes after the answer: an error that nobody hears would end the process.
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('etcd ended a stream without an answer')));
    stream.once('data', resolve);
    stream.write(request);
    stream.end();
  });
}

function metadata(token: string | null): Metadata {
  const made = new Metadata();
  if (token !== null) made.set('token', token);
  return made;
}
