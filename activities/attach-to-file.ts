import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ChildEnd } from '../workflows/child-end.ts';
import { childEnd } from '../workflows/child-end.ts';
import type { FileResult, ProfileRef } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';

export type AttachToFileInput = { workflowId: string; sha256: string; profile: ProfileRef };

/**
 * Waits for a `rebuildFile` that another run or another scan has started, and takes over its end. The index is told
 * of it: where it had the record, nobody would have asked for the workflow.
 */
export async function attachToFile(
  deps: Pick<Dependencies, 'client' | 'index' | 'settings'>,
  input: AttachToFileInput,
  heartbeat: () => void,
): Promise<ChildEnd> {
  const beats = setInterval(heartbeat, deps.settings.heartbeatMs);
  try {
    const result: FileResult = await deps.client.workflow.getHandle(input.workflowId).result();
    await recordAgain(deps, input, result);
    return { kind: 'result', result };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'lost' };
    if (error instanceof WorkflowFailedError) return childEnd(error.cause);
    throw error;
  } finally {
    clearInterval(beats);
  }
}

async function recordAgain(
  { index }: Pick<Dependencies, 'index'>,
  { sha256, profile }: AttachToFileInput,
  { outcome, destination, fingerprint }: FileResult,
): Promise<void> {
  if (destination === undefined || (outcome !== 'rebuilt' && outcome !== 'refused')) return;
  await index.add(
    { sha256, profile: indexProfile(profile) },
    { verdict: outcome, destination, ...(fingerprint === undefined ? {} : { fingerprint }) },
  );
}
