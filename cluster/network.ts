import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { addresses } from './addresses.ts';
import { run, runChecked } from './command.ts';
import type { Layout } from './layout.ts';

// The kernel keeps no more of an interface's alias.
const longestAlias = 255;

const linksSchema = z.array(
  z.object({
    ifname: z.string(),
    master: z.string().optional(),
    addr_info: z.array(z.object({ family: z.string(), local: z.string() })).default([]),
  }),
);

export type Link = {
  readonly ifname: string;
  readonly master: string | undefined;
  readonly addresses: readonly string[];
};

/** The bridge that carries the node's address, and the one that pods are plugged into (at most 15 characters). */
export function bridgeNames(id: string): { node: string; pods: string } {
  return { node: `pr-node-${id}`, pods: `pr-pods-${id}` };
}

/** Reads the output of `ip -json address show`. */
export function parseLinks(json: string): Link[] {
  return linksSchema.parse(JSON.parse(json)).map((link) => ({
    ifname: link.ifname,
    master: link.master,
    addresses: link.addr_info.filter((address) => address.family === 'inet').map((address) => address.local),
  }));
}

/** The repository that a bridge of ours belongs to; empty for anyone else's interface. */
export function ownerOf(link: string): string {
  return readFileSync(`/sys/class/net/${link}/ifalias`, 'utf8').trim();
}

/** The interfaces of the machine. */
export async function readLinks(): Promise<Link[]> {
  return parseLinks(await runChecked('ip', ['-json', 'address', 'show']));
}

/** The first interface, other than our own, that already has an address in the stack's range. */
export function rangeOccupant(links: readonly Link[], own: readonly string[]): Link | undefined {
  const inRange = (address: string): boolean => /^198\.1[89]\./.test(address);
  return links.find((link) => !own.includes(link.ifname) && link.addresses.some(inRange));
}

/** Makes the bridges and the packet filter rules, or what is missing of them. */
export async function ensureNetwork(layout: Layout): Promise<void> {
  const { node, pods } = bridgeNames(layout.id);
  const links = await readLinks();
  for (const bridge of [node, pods]) {
    if (!links.some((link) => link.ifname === bridge))
      await runChecked('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await runChecked('ip', ['link', 'set', bridge, 'alias', layout.repo.slice(0, longestAlias)]);
    // Without IPv6 a pod has no link-local way around the packet filter.
    disableIpv6(bridge);
  }
  await runChecked('ip', ['address', 'replace', `${addresses.node}/32`, 'dev', node]);
  await runChecked('ip', ['link', 'set', node, 'up']);
  await ensureFilter(layout.id, pods);
}

/** Removes bridges, the pods' ends of their cables, and the packet filter rules. */
export async function removeNetwork(layout: Layout): Promise<void> {
  const { node, pods } = bridgeNames(layout.id);
  const links = await readLinks();
  const ours = links.filter((link) => link.master === pods || link.ifname === pods || link.ifname === node);
  // Unplugged cables first; one may vanish by itself with its pod's namespace.
  for (const link of ours.reverse()) await run('ip', ['link', 'delete', link.ifname]);
  await removeFilter(layout.id);
}

/**
 * What a pod may reach and who may reach us:
 * - pods talk to the stack's own range and to nothing else: no packet of theirs leaves the machine or reaches
 *   another address of it;
 * - the range is served to this machine and its pods only, although Linux would answer for it on every interface.
 */
function filterRules(id: string, pods: string): { forward: string[][]; input: string[][] } {
  const [forward, input] = filterChains(id);
  return {
    forward: [
      ['-A', forward, '-s', addresses.pods, '-d', addresses.range, '-j', 'ACCEPT'],
      ['-A', forward, '-s', addresses.range, '-d', addresses.pods, '-j', 'ACCEPT'],
      ['-A', forward, '-s', addresses.pods, '-j', 'REJECT'],
      ['-A', forward, '-d', addresses.pods, '-j', 'DROP'],
    ],
    input: [
      ['-A', input, '-i', 'lo', '-j', 'RETURN'],
      // The answer to a service's address comes from a pod to whatever address the question left from.
      ['-A', input, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'RETURN'],
      ['-A', input, '-i', pods, '-d', addresses.range, '-j', 'RETURN'],
      ['-A', input, '-i', pods, '-j', 'DROP'],
      ['-A', input, '-d', addresses.range, '-j', 'DROP'],
    ],
  };
}

function disableIpv6(link: string): void {
  const setting = `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`;
  if (existsSync(setting)) writeFileSync(setting, '1');
}

function filterChains(id: string): [forward: string, input: string] {
  return [`PRISTINE-FWD-${id}`, `PRISTINE-IN-${id}`];
}

async function ensureFilter(id: string, pods: string): Promise<void> {
  const [forward, input] = filterChains(id);
  const rules = filterRules(id, pods);
  // One transaction: the two chains are emptied and filled, everything else is left alone.
  const text = [
    '*filter',
    `:${forward} - [0:0]`,
    `:${input} - [0:0]`,
    ...[...rules.forward, ...rules.input].map((rule) => rule.join(' ')),
    'COMMIT',
    '',
  ].join('\n');
  await runChecked('iptables-restore', ['--noflush', '--wait'], { input: text });
  await ensureJump('FORWARD', forward);
  await ensureJump('INPUT', input);
}

async function ensureJump(chain: string, target: string): Promise<void> {
  const there = await run('iptables', ['--wait', '-C', chain, '-j', target]);
  if (there.code !== 0) await runChecked('iptables', ['--wait', '-I', chain, '1', '-j', target]);
}

async function removeFilter(id: string): Promise<void> {
  const [forward, input] = filterChains(id);
  for (const [chain, target] of [
    ['FORWARD', forward],
    ['INPUT', input],
  ] as const) {
    await run('iptables', ['--wait', '-D', chain, '-j', target]);
    await run('iptables', ['--wait', '-F', target]);
    await run('iptables', ['--wait', '-X', target]);
  }
}

/** Removes what kube-proxy leaves after its own clean-up: every KUBE- chain and the rules that jump to one. */
export async function removeServiceRules(): Promise<void> {
  for (const family of ['iptables', 'ip6tables']) {
    const saved = await run(`${family}-save`, []);
    if (saved.code !== 0) continue;
    const restore = removalOf(saved.stdout);
    if (restore !== '') await run(`${family}-restore`, ['--noflush', '--wait'], { input: restore });
  }
}

/** The iptables-restore input that removes every KUBE- chain found in the output of iptables-save. */
export function removalOf(saved: string): string {
  const tables = saved.split(/^(?=\*)/m).filter((text) => text.startsWith('*'));
  const removals = tables.map((table) => {
    const lines = table.split('\n');
    const chains = lines.flatMap((line) => /^:(KUBE-\S+) /.exec(line)?.[1] ?? []);
    if (chains.length === 0) return '';
    const jumps = lines
      .filter((line) => /^-A (?!KUBE-)\S+ .*-j KUBE-/.test(line))
      .map((line) => line.replace('-A', '-D'));
    // Naming a chain empties it; only an empty chain that nothing jumps to can be deleted.
    const emptied = chains.map((chain) => `:${chain} - [0:0]`);
    return [lines[0], ...emptied, ...jumps, ...chains.map((chain) => `-X ${chain}`), 'COMMIT', ''].join('\n');
  });
  return removals.join('');
}
