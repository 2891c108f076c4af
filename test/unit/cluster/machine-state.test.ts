import { describe, expect, test } from '@jest/globals';
import { parseCgroupMounts } from '../../../cluster/cgroups.ts';
import { mountsBelow } from '../../../cluster/mounts.ts';
import { bridgeNames, parseLinks, rangeOccupant, removalOf } from '../../../cluster/network.ts';
import { parsePortOwner, portsFrom } from '../../../cluster/ports.ts';

describe('mounts', () => {
  const mounts = [
    '/dev/vda / ext4 rw 0 0',
    'tmpfs /r/.pristine/data/kubelet/pods/1/volumes/a tmpfs rw 0 0',
    'overlay /run/p/rootfs overlay rw 0 0',
    'proc /run/p/rootfs/proc proc rw 0 0',
    'tmpfs /run/p-other tmpfs rw 0 0',
    'tmpfs /run/p/with\\040space tmpfs rw 0 0',
    '',
  ].join('\n');

  test('below a folder come deepest first, and no others', () => {
    expect(mountsBelow(mounts, ['/run/p'])).toEqual([
      '/run/p/with space',
      '/run/p/rootfs/proc',
      '/run/p/rootfs',
    ]);
    expect(mountsBelow(mounts, ['/r/.pristine/data/kubelet'])).toHaveLength(1);
    expect(mountsBelow(mounts, ['/nowhere'])).toEqual([]);
  });

  test('of cgroups are found in both versions', () => {
    const both =
      'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0';
    expect(parseCgroupMounts(both)).toEqual(['/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified']);
  });
});

describe('the network', () => {
  const links = parseLinks(
    JSON.stringify([
      {
        ifname: 'lo',
        addr_info: [
          { family: 'inet', local: '127.0.0.1' },
          { family: 'inet6', local: '::1' },
        ],
      },
      { ifname: 'eth0', addr_info: [{ family: 'inet', local: '198.51.100.7' }] },
      { ifname: 'pr-node-abc123', addr_info: [{ family: 'inet', local: '198.19.255.1' }] },
      { ifname: 'veth0', master: 'pr-pods-abc123' },
    ]),
  );

  test('names of bridges fit the kernel', () => {
    expect(bridgeNames('abc123').node.length).toBeLessThan(16);
    expect(bridgeNames('abc123').pods.length).toBeLessThan(16);
  });

  test('our own bridge does not count as occupied, that of another copy does', () => {
    expect(rangeOccupant(links, ['pr-node-abc123', 'pr-pods-abc123'])).toBeUndefined();
    expect(rangeOccupant(links, ['pr-node-000000', 'pr-pods-000000'])).toMatchObject({
      ifname: 'pr-node-abc123',
    });
  });

  test("kube-proxy's chains are removed with the rules that jump to them, and nothing else", () => {
    const saved = [
      '*nat',
      ':PREROUTING ACCEPT [1:2]',
      ':DOCKER - [0:0]',
      ':KUBE-SERVICES - [0:0]',
      ':KUBE-SVC-X - [0:0]',
      '-A PREROUTING -m comment --comment "service portals" -j KUBE-SERVICES',
      '-A PREROUTING -j DOCKER',
      '-A KUBE-SERVICES -d 198.19.0.1/32 -j KUBE-SVC-X',
      'COMMIT',
      '*filter',
      ':INPUT ACCEPT [0:0]',
      '-A INPUT -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n');
    expect(removalOf(saved).split('\n')).toEqual([
      '*nat',
      ':KUBE-SERVICES - [0:0]',
      ':KUBE-SVC-X - [0:0]',
      '-D PREROUTING -m comment --comment "service portals" -j KUBE-SERVICES',
      '-X KUBE-SERVICES',
      '-X KUBE-SVC-X',
      'COMMIT',
      '',
    ]);
    expect(removalOf('*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n')).toBe('');
  });
});

describe('ports', () => {
  test('the owner is named from the output of ss', () => {
    const line = 'LISTEN 0 511 127.0.0.1:6379 0.0.0.0:* users:(("redis-server",pid=77,fd=6))';
    expect(parsePortOwner(line)).toBe('redis-server (pid 77)');
    expect(parsePortOwner('LISTEN 0 511 127.0.0.1:6379 0.0.0.0:*')).toBeUndefined();
  });

  test('are changed by the environment, each on its own', () => {
    expect(portsFrom({ PRISTINE_PORT_REDIS: '6380' })).toEqual({ ...portsFrom({}), REDIS: 6380 });
  });

  test.each(['', 'redis', '0', '65536', '1.5'])('"%s" is refused with the name of the variable', (given) => {
    expect(() => portsFrom({ PRISTINE_PORT_REDIS: given })).toThrow('PRISTINE_PORT_REDIS');
  });

  test('no two are the same', () => {
    const numbers = Object.values(portsFrom({}));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
