import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  ChildWorkflowFailure,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { attachStep } from './activity-proxies.ts';
import type { ChildEnd } from './child-end.ts';
import { childEnd } from './child-end.ts';
import type { FileResult, ScanInput } from './contract.ts';
import { fileWorkflowId, SEARCH_ATTRIBUTE } from './contract.ts';
import { rebuildFile } from './rebuild-file.ts';
import type { InFlight, ScanState } from './scan-state.ts';
import { shortName } from './short-name.ts';

/** Starts the content's child. `attach`: one of that ID is there already, another scan's or an earlier one. */
export async function startContent(
  input: ScanInput,
  state: ScanState,
  content: InFlight,
): Promise<{ kind: 'started'; result: Promise<FileResult> } | { kind: 'attach' }> {
  const [file] = content.files;
  if (file === undefined) throw new Error('a content in work has at least one name');
  const { opened } = state;
  const { workflowId: scanId } = workflowInfo();
  const missing = (file.missing ?? 0) > 0;
  const keyword = (name: string, value: string) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  });
  try {
    const child = await startChild(rebuildFile, {
      workflowId: fileWorkflowId(content.sha256, opened.profile.fingerprint),
      // It outlives this run, which may continue as new, and a scan that is terminated: what was begun is
      // finished, committed and cleaned up.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      // One run is one counted attempt: how often and how late again is Temporal's to keep.
      retry: {
        maximumAttempts: input.retries + 1,
        initialInterval: '1s',
        backoffCoefficient: 2,
        maximumInterval: '30s',
      },
      // A closed one that has an answer is asked for it, unless that answer's content went missing.
      workflowIdReusePolicy: missing
        ? WorkflowIdReusePolicy.ALLOW_DUPLICATE
        : WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      staticSummary: shortName(file.name),
      staticDetails: `Scan \`${scanId}\`, profile \`${opened.profile.name}\`, ${file.size} bytes`,
      ...(opened.searchAttributes
        ? {
            typedSearchAttributes: [
              keyword(SEARCH_ATTRIBUTE.scan, scanId),
              keyword(SEARCH_ATTRIBUTE.sha256, content.sha256),
              keyword(SEARCH_ATTRIBUTE.profile, opened.profile.name),
            ],
          }
        : {}),
      args: [
        {
          scanId,
          sha256: content.sha256,
          size: file.size,
          profile: opened.profile,
          source: opened.source,
          name: file.name,
          destination: opened.destination,
          retries: input.retries,
          maxTier: opened.maxTier,
          podSeconds: opened.startDeadlineSeconds + opened.runDeadlineSeconds,
          heartbeatMs: opened.heartbeatMs,
          searchAttributes: opened.searchAttributes,
          ...(missing || input.mode === 'force' ? { ignoreRecord: true } : {}),
        },
      ],
    });
    return { kind: 'started', result: child.result() };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'attach' };
    throw error;
  }
}

/** The end of a child that this run started. */
export async function endOfStarted(result: Promise<FileResult>): Promise<ChildEnd> {
  try {
    return { kind: 'result', result: await result };
  } catch (error) {
    if (error instanceof ChildWorkflowFailure) return childEnd(error.cause);
    throw error;
  }
}

/** The end of a child that an earlier run or another scan started. */
export async function endOfAttached(state: ScanState, sha256: string): Promise<ChildEnd> {
  return attachStep({
    summary: 'wait for a file in work',
    heartbeatMs: state.opened.heartbeatMs,
  }).attachToFile({
    workflowId: fileWorkflowId(sha256, state.opened.profile.fingerprint),
    sha256,
    profile: state.opened.profile,
  });
}
