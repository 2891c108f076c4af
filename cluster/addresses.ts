/**
 * The addresses of the stack, all inside 198.18.0.0/15, which RFC 2544 sets aside for benchmarking: no network that a
 * machine is really attached to uses it.
 */
export const addresses = {
  range: '198.18.0.0/15',
  pods: '198.18.0.0/16',
  services: '198.19.0.0/20',
  /** The first service address, always the API server's. */
  apiService: '198.19.0.1',
  dnsService: '198.19.0.10',
  /** The node's own address, on a bridge of its own: what pods reach the machine by. */
  node: '198.19.255.1',
  loopback: '127.0.0.1',
} as const;

export const nodeName = 'pristine';

/** The namespace of the file pods. */
export const filesNamespace = 'pristine-files';
