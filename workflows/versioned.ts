/**
 * What the bundle of a versioned worker exports: the same workflows, and how each goes along when another version of
 * the workers becomes the current one. Not for unversioned workers: Temporal takes no task from one that says so.
 */
import { setWorkflowOptions } from '@temporalio/workflow';
import { rebuildFile, retryQuarantined, scan } from './index.ts';

// They last for days: they move with their next step, so their code must be able to replay what older code began.
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, scan);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, retryQuarantined);
// A file in work ends on the version that began it, with that version's steps.
setWorkflowOptions({ versioningBehavior: 'PINNED' }, rebuildFile);

export { rebuildFile, retryQuarantined, scan };
