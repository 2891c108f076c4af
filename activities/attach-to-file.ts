import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ChildEnd } from '../workflows/child-end.ts';
import { childEnd } from '../workflows/child-end.ts';
import type { FileResult, ProfileRef } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';

export type AttachToFileInput = { workflowId: string; sha256: string; profile: ProfileRef };

/**
 * Waits for a `rebuildFile` that another run or another scan has started, and takes over its end. The index is told
 * of it: where it had the record, nobody would have asked for the workflow. A wait that is cancelled, as by a worker that
 * stops, throws the signal's reason: Temporal gives it to another.
 */
export async function attachToFile(
  deps: Pick<Dependencies, 'client' | 'index' | 'settings'>,
  input: AttachToFileInput,
  heartbeat: () => void,
  signal: AbortSignal,
): Promise<ChildEnd> {
  const beats = setInterval(heartbeat, deps.settings.heartbeatMs);
  try {
    const result = await resultOf(deps.client, input.workflowId, signal);
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

/** The client ends a call that is under way when the signal fires; between two it does not notice. */
async function resultOf(client: Client, workflowId: string, signal: AbortSignal): Promise<FileResult> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const wait = client.workflow.getHandle(workflowId);
    return await Promise.race([aborted, client.withAbortSignal(signal, () => wait.result())]);
  } finally {
    signal.removeEventListener('abort', onAbort);
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
