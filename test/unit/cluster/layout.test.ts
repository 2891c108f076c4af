import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { targetFrom } from '../../../cluster/environment.ts';
import { layoutOf } from '../../../cluster/layout.ts';
import { readVersions } from '../../../cluster/versions.ts';

const folder = mkdtempSync(join(tmpdir(), 'layout-'));
const versions = readVersions(join(import.meta.dirname, '../../..'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the layout', () => {
  test('keeps two copies of the repository apart', () => {
    const [one, two] = ['one', 'two'].map((name) => {
      mkdirSync(join(folder, name));
      return layoutOf(join(folder, name), {});
    });
    expect(one?.id).toMatch(/^[0-9a-f]{6}$/);
    expect(one?.id).not.toBe(two?.id);
  });

  test("keeps the kubelet's sockets within the length that the kernel allows, however deep the repository lies", () => {
    const deep = join(folder, 'd'.repeat(60));
    mkdirSync(deep);
    for (const place of [folder, deep]) {
      const { kubeletRoot, volatile } = layoutOf(place, {});
      expect(join(kubeletRoot, 'pod-resources/kubelet.sock').length).toBeLessThanOrEqual(107);
      expect(join(volatile, 'containerd.sock.ttrpc').length).toBeLessThanOrEqual(107);
    }
  });

  test('takes another cache when told to', () => {
    expect(layoutOf(folder, { PRISTINE_CACHE: '/somewhere' }).cache).toBe('/somewhere');
  });
});

describe('the cluster that is meant', () => {
  const layout = layoutOf(folder, {});
  const stack = { layout, versions };

  test('is the local one without KUBECONFIG, and with that of .pristine/env', () => {
    expect(targetFrom({}, stack).local).toBe(true);
    expect(
      targetFrom({ KUBECONFIG: layout.kubeconfig, PRISTINE_HOST_ADDRESS: '198.19.255.1' }, stack).local,
    ).toBe(true);
  });

  test("is the caller's with their KUBECONFIG and an address that its pods reach", () => {
    const file = join(import.meta.dirname, 'layout.test.ts');
    const target = targetFrom({ KUBECONFIG: file, PRISTINE_HOST_ADDRESS: '192.0.2.9' }, stack);
    expect(target).toMatchObject({
      local: false,
      kubeconfig: file,
      workerKubeconfig: file,
      host: '192.0.2.9',
    });
  });

  test('is refused with what to do when the file or the address is missing', () => {
    expect(() => targetFrom({ KUBECONFIG: '/nowhere' }, stack)).toThrow('/nowhere, which is not there');
    expect(() => targetFrom({ KUBECONFIG: import.meta.filename }, stack)).toThrow('PRISTINE_HOST_ADDRESS');
  });
});
