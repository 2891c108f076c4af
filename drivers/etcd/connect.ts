/** The connection to etcd: never hangs, never crashes the process, goes on with another member, reconnects for ever. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import type { z } from 'zod';
import { DriverError } from '../errors.ts';
import { EVENT, type Logger } from '../events.ts';
import { ANSWER, type TransactionAnswer } from './answers.ts';
import { type Channel, type ChannelCall, openChannel } from './channel.ts';
import { isServiceError, toDriverError } from './etcd-error.ts';
import { type EtcdMethod, METHOD } from './methods.ts';
import { createSignIn } from './sign-in.ts';
import type { Transaction } from './transaction.ts';

export type EtcdConnectionOptions = {
  /** URLs of the members: `http://host[:port]`, or `https://` for TLS. Port 2379 unless it says another. */
  endpoints: readonly string[];
  user?: string | undefined;
  password?: string | undefined;
  /** PEM files, read once: of the authority that Node does not know, and of our own certificate. */
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
  log: Logger;
  /** Milliseconds after which a call without an answer fails as index.unavailable. Default 10,000. */
  timeoutMs?: number | undefined;
};

export type Status = z.infer<typeof ANSWER.status>;
/** Each call rejects with DriverError: index.unavailable or index.invalid. */
export type Etcd = {
  txn(transaction: Transaction): Promise<TransactionAnswer>;
  call<Answer>(method: EtcdMethod, request: object, answer: z.ZodType<Answer>): Promise<Answer>;
  /** Of every member that answers; rejects when none does. */
  statuses(): Promise<Status[]>;
  close(): void;
};

/** Pauses before all members are tried once more, in milliseconds: a member that restarts is back soon. */
const PAUSES_MS = [100, 400];

/** Connects at the first call; check() of a port tells whether it works. Throws config.invalid. */
export function connectEtcd(options: EtcdConnectionOptions): Etcd {
  const tls = readTls(options);
  const members = options.endpoints.map((endpoint) => openMember(endpoint, tls));
  if (members.length === 0) throw invalidEndpoint();
  const timeoutMs = options.timeoutMs ?? 10_000;
  /** The member that answered last is asked first. */
  let first = 0;
  let connected: boolean | undefined;

  const note = (now: boolean, reason?: string) => {
    if (connected === now) return;
    connected = now;
    if (now) options.log.info({ event: EVENT.indexConnected }, 'Connected to etcd');
    else
      options.log.warn(
        { event: EVENT.indexDisconnected, reason },
        'No connection to etcd; it is tried again',
      );
  };

  /** Tries the members in turn until one answers or refuses. Everything that we ask can be asked twice. */
  const send = async (call: ChannelCall): Promise<unknown> => {
    for (let tries = 0; ; tries++) {
      try {
        const answer = await member(first).send(call);
        note(true);
        return answer;
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        first = (first + 1) % members.length;
        const wait = (tries + 1) % members.length === 0 ? PAUSES_MS[(tries + 1) / members.length - 1] : 0;
        if (wait === undefined || Date.now() + wait >= call.deadline) {
          note(false, status[error.code]);
          throw error;
        }
        await pause(wait);
      }
    }
  };
  const { user: name, password } = options;
  const signIn = createSignIn(
    name === undefined
      ? undefined
      : async (deadline) => {
          const request = { name, password: password ?? '' };
          const reply = await send({ method: METHOD.authenticate, request, token: null, deadline });
          return ANSWER.signedIn.parse(reply).token;
        },
  );
  const member = (index: number): Channel => members[index] ?? raise(invalidEndpoint());

  const call: Etcd['call'] = async (method, request, answer) => {
    const deadline = Date.now() + timeoutMs;
    try {
      return answer.parse(
        await signIn.signedIn(deadline, ({ token }) => send({ method, request, token, deadline })),
      );
    } catch (error) {
      throw toDriverError(error);
    }
  };
  return {
    call,
    txn: (transaction) => call(METHOD.txn, transaction, ANSWER.transaction),
    async statuses() {
      const deadline = Date.now() + timeoutMs;
      const askOne = async (one: Channel) => {
        const reply = await signIn.signedIn(deadline, ({ token }) =>
          one.send({ method: METHOD.status, request: {}, token, deadline }),
        );
        return ANSWER.status.parse(reply);
      };
      const asked = await Promise.allSettled(members.map(askOne));
      const answered = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const [failed] = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      if (answered.length === 0) throw toDriverError(failed);
      return answered;
    },
    close() {
      for (const one of members) one.close();
    },
  };
}

function isUnanswered(error: unknown): error is ServiceError {
  return (
    isServiceError(error) && (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED)
  );
}

function openMember(endpoint: string, tls: ChannelCredentials): Channel {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : raise(invalidEndpoint());
  if (url.hostname === '' || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw invalidEndpoint();
  // URL leaves a scheme's own port out.
  const port = /:\d+\/?$/.test(endpoint) ? url.port || (url.protocol === 'https:' ? '443' : '80') : '2379';
  return openChannel(
    `${url.hostname}:${port}`,
    url.protocol === 'https:' ? tls : credentials.createInsecure(),
  );
}

function readTls({ caFile, certFile, keyFile }: EtcdConnectionOptions): ChannelCredentials {
  const read = (variable: string, file: string | undefined) => {
    if (file === undefined) return null;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw invalidConfig(`${variable}: ${file} can't be read`, cause);
    }
  };
  const ca = read('ETCD_CA_FILE', caFile);
  const [key, cert] = [read('ETCD_KEY_FILE', keyFile), read('ETCD_CERT_FILE', certFile)];
  try {
    return credentials.createSsl(ca, key, cert);
  } catch (cause) {
    throw invalidConfig(
      'ETCD_CA_FILE, ETCD_CERT_FILE and ETCD_KEY_FILE must be PEM files that fit together',
      cause,
    );
  }
}

function invalidEndpoint(): DriverError {
  return invalidConfig('ETCD_ENDPOINTS must be URLs such as https://host:2379, separated by commas');
}

function invalidConfig(message: string, cause?: unknown): DriverError {
  return new DriverError('config.invalid', message, { retryable: false, cause });
}

function raise(error: DriverError): never {
  throw error;
}
