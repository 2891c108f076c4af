import { existsSync } from 'node:fs';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import { importArchive } from './containerd.ts';
import { applyManifest, type Kubectl } from './kubectl.ts';
import type { Stack } from './stack.ts';
import type { Versions } from './versions.ts';

export function corednsImageRef(versions: Versions): string {
  return `pristine.local/coredns:${versions.COREDNS_VERSION}`;
}

/** Installs CoreDNS if its image is built. Returns whether it was. */
export async function installCoredns(stack: Stack, cluster: Kubectl): Promise<boolean> {
  const { layout, versions } = stack;
  const archive = builtFiles(layout, versions).corednsImage;
  if (!existsSync(archive)) return false;
  const image = corednsImageRef(versions);
  await importArchive(layout, archive, image);
  await applyManifest(cluster, layout.repo, 'coredns', { IMAGE: image, ADDRESS: addresses.dnsService });
  return true;
}
