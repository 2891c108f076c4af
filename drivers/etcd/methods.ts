/** etcd's calls, as gRPC needs them: path and both ways of its messages, from etcd.proto. */
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

type Method = MethodDefinition<object, object>;

const PROTO = new URL('./etcd.proto', import.meta.url).pathname;
// Numbers of 64 bits as texts, every field there, names as etcd spells them.
const definitions = loadSync(PROTO, { keepCase: true, longs: String, enums: String, defaults: true });

function method(service: string, name: string): Method {
  const definition = definitions[`etcdserverpb.${service}`];
  const found: unknown = definition === undefined ? undefined : Reflect.get(definition, name);
  if (typeof found !== 'object' || found === null || !('requestSerialize' in found)) {
    throw new TypeError(`etcd.proto has no ${service}.${name}`);
  }
  return found as Method;
}

export const METHOD = {
  txn: method('KV', 'Txn'),
  leaseGrant: method('Lease', 'LeaseGrant'),
  leaseRevoke: method('Lease', 'LeaseRevoke'),
  leaseKeepAlive: method('Lease', 'LeaseKeepAlive'),
  leaseTimeToLive: method('Lease', 'LeaseTimeToLive'),
  status: method('Maintenance', 'Status'),
  authenticate: method('Auth', 'Authenticate'),
} as const;
export type EtcdMethod = Method;
