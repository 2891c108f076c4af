import { readFileSync } from 'node:fs';
import { addresses } from './addresses.ts';
import { run } from './command.ts';
import type { Layout } from './layout.ts';
import { bridgeNames, ownerOf, rangeOccupant, readLinks } from './network.ts';
import { OperatorError } from './operator-error.ts';

// The kubelet empties this folder and listens there, wherever its own root is.
const deviceSocket = '/var/lib/kubelet/device-plugins/kubelet.sock';

/**
 * Refuses to start where another Kubernetes node lives in the same network, another copy of the repository or a
 * stranger: the two would undo each other's rules. Changes nothing.
 */
export async function refuseOtherNode(layout: Layout): Promise<void> {
  const { node, pods } = bridgeNames(layout.id);
  const occupant = rangeOccupant(await readLinks(), [node, pods]);
  const owner = occupant === undefined ? '' : ownerOf(occupant.ifname);
  if (occupant !== undefined && owner !== '') {
    throw new OperatorError(
      `Another copy of Pristine, ${owner}, is up on this machine: run make down there first ` +
        `(if it is gone, "ip link delete ${occupant.ifname}").`,
    );
  }
  if (occupant !== undefined) {
    throw new OperatorError(
      `The interface ${occupant.ifname} already has an address in ${addresses.range}, which pods need: take it away.`,
    );
  }
  const chains = await run('iptables-save', ['-t', 'nat']);
  const proxy = /^:KUBE-SERVICES /m.test(chains.stdout);
  const kubelet = readFileSync('/proc/net/unix', 'utf8').includes(deviceSocket);
  if (!proxy && !kubelet) return;
  throw new OperatorError(
    `This machine already is a Kubernetes node (${kubelet ? deviceSocket : 'iptables chain KUBE-SERVICES'}), ` +
      'and two would disturb each other: use that one with KUBECONFIG=<its kubeconfig> make up.',
  );
}
