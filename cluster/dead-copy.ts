import { existsSync } from 'node:fs';
import { down } from './down.ts';
import { type Layout, layoutOf } from './layout.ts';
import { bridgeNames, ownerOf, rangeOccupant, readLinks } from './network.ts';
import { recordNames } from './pid-file.ts';
import type { Stack } from './stack.ts';
import { isRunning } from './supervise.ts';

/**
 * Another copy of the repository whose every process has died (kill -9, a host that was paused and lost them)
 * leaves its bridges and rules behind. They are taken down as its own `make down` would; a copy of which
 * anything still runs is left alone.
 */
export async function tidyDeadCopy({ layout, versions, progress }: Stack): Promise<void> {
  const { node, pods } = bridgeNames(layout.id);
  const occupant = rangeOccupant(await readLinks(), [node, pods]);
  const owner = occupant === undefined ? '' : ownerOf(occupant.ifname);
  if (owner === '' || !existsSync(owner)) return;
  const other: Layout = layoutOf(owner, process.env);
  if (recordNames(other.run).some((name) => isRunning(other, name))) return;
  progress.line(`${owner} was up and has died: tidying up after it`);
  await down(other, versions, progress.line);
}
