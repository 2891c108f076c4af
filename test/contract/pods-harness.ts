/** What the contract suite of Pods needs of the one it tests. */
import type { FilePodRequest, Pods } from '../../drivers/ports.ts';

/** How a pod of the suite behaves. Unless said otherwise the engine rebuilds its file. */
export const BEHAVIOURS = [
  'rebuild',
  'refuse',
  'refuse-by-exit',
  'crash',
  'nothing',
  'memory',
  /** Does not end while the suite runs. */
  'hang',
  /** Would not end, but for its deadline. */
  'reach-deadline',
  'changed',
  'source-gone',
  'link-refused',
  'destination-away',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export type PodsHarness = {
  pods: Pods;
  /** A request for a content of its own. */
  request(behaviour: Behaviour, more?: Partial<FilePodRequest>): FilePodRequest;
  /** What the engine's rebuilt file has, for a request. */
  rebuiltSize(request: FilePodRequest): number;
  /** A pod of that name that is not ours. */
  plantForeign(name: string): Promise<void>;
  close(): Promise<void>;
};
