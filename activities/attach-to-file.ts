import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ChildEnd } from '../workflows/child-end.ts';
import { childEnd } from '../workflows/child-end.ts';
import type { FileResult } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';

/** Waits for a `rebuildFile` that another run or another scan has started, and takes over its end. */
export async function attachToFile(
  deps: Pick<Dependencies, 'client' | 'settings'>,
  input: { workflowId: string },
  heartbeat: () => void,
): Promise<ChildEnd> {
  const beats = setInterval(heartbeat, deps.settings.heartbeatMs);
  try {
    const result: FileResult = await deps.client.workflow.getHandle(input.workflowId).result();
    return { kind: 'result', result };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'lost' };
    if (error instanceof WorkflowFailedError) return childEnd(error.cause);
    throw error;
  } finally {
    clearInterval(beats);
  }
}
