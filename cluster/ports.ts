import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { OperatorError } from './operator-error.ts';

/** The ports of the stack. None is a well-known one of the same product: those may be taken on the machine. */
const defaultPorts = {
  ETCD: 12379,
  ETCD_PEER: 12380,
  APISERVER: 16443,
  CONTROLLER_MANAGER: 20257,
  SCHEDULER: 20259,
  KUBELET: 20250,
  KUBELET_HEALTH: 20248,
  PROXY_HEALTH: 20256,
  PROXY_METRICS: 20249,
  TEMPORAL: 7233,
  TEMPORAL_UI: 8233,
  TEMPORAL_HTTP: 7243,
  TEMPORAL_METRICS: 7244,
  REDIS: 16379,
  S3: 7070,
} as const;

/** A port's name as it stands in the environment variable that changes it: `PRISTINE_PORT_<name>`. */
export type PortName = keyof typeof defaultPorts;
export type Ports = Readonly<Record<PortName, number>>;

/** An address that a part listens on: one of the stack's ports, or a number that the part's own settings say. */
export type Listen = { readonly host: string; readonly port: PortName | number };

/** The default ports with those that the environment changes (`PRISTINE_PORT_REDIS=6380`). */
export function portsFrom(env: NodeJS.ProcessEnv): Ports {
  const names = Object.keys(defaultPorts) as PortName[];
  const entries = names.map((name): [PortName, number] => {
    const given = env[`PRISTINE_PORT_${name}`];
    if (given === undefined) return [name, defaultPorts[name]];
    const port = Number(given);
    if (Number.isInteger(port) && port > 0 && port < 65536) return [name, port];
    throw new OperatorError(`PRISTINE_PORT_${name} is "${given}": give a port number from 1 to 65535.`);
  });
  return Object.fromEntries(entries) as Ports;
}

/** Throws an OperatorError that names the process when something listens on an address that `part` needs. */
export async function assertFree(part: string, listens: readonly Listen[], ports: Ports): Promise<void> {
  for (const { host, port } of listens) {
    const number = typeof port === 'number' ? port : ports[port];
    const owner = await occupantOf(host, number);
    if (owner === undefined) continue;
    const another =
      typeof port === 'number' ? '' : `, or choose another port with PRISTINE_PORT_${port}=<number>`;
    throw new OperatorError(
      `Port ${number} on ${host}, which ${part} needs, is used by ${owner}: stop that${another}.`,
    );
  }
}

/** The owner in the output of `ss -H -ltnp`: `name (pid 123)`, or undefined when ss may not or does not say. */
export function parsePortOwner(output: string): string | undefined {
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(output);
  return match === null ? undefined : `${match[1]} (pid ${match[2]})`;
}

function tryListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** A port that is taken while nobody listens on it is that of a connection which is just closing. */
const CLOSING_ROUNDS = 20;

async function occupantOf(host: string, port: number): Promise<string | undefined> {
  for (let round = 0; round < CLOSING_ROUNDS; round++) {
    const error = await tryListen(host, port);
    if (error === undefined) return undefined;
    if (error.code !== 'EADDRINUSE') throw error;
    const { stdout } = await run('ss', ['-H', '-ltnp', `sport = :${port}`]);
    const owner = parsePortOwner(stdout);
    if (owner !== undefined) return owner;
    await sleep(500);
  }
  return 'another program';
}
