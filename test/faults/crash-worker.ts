/**
 * A worker for tests that kills itself, as SIGKILL does, when it reaches a crash point for the nth time:
 * TEST_CRASH_AT=pod.created:1. TEST_HISTORY_LIMIT makes scans continue as new after so many events.
 * TEST_LOG_BYTES of its log may wait to be taken from stdout. TEST_WORKFLOW_BUNDLE is a file with the workflows bundled before: many starts cost less.
 */
import { z } from 'zod';
import { CRASH_POINTS } from '../../activities/crash-points.ts';
import { readConfig } from '../../workers/config.ts';
import { runWorker } from '../../workers/run-worker.ts';

const settings = z
  .object({
    TEST_CRASH_AT: z.templateLiteral([z.enum(CRASH_POINTS), ':', z.int().min(1)]).optional(),
    TEST_HISTORY_LIMIT: z.coerce.number().int().positive().optional(),
    TEST_LOG_BYTES: z.coerce.number().int().positive().optional(),
    TEST_WORKFLOW_BUNDLE: z.string().optional(),
  })
  .parse({ ...process.env, TEST_CRASH_AT: process.env.TEST_CRASH_AT || undefined });
const [point, nth] = settings.TEST_CRASH_AT?.split(':') ?? [];

let times = 0;
await runWorker(readConfig(process.env), {
  reached(here) {
    if (here === point && ++times === Number(nth)) process.kill(process.pid, 'SIGKILL');
  },
  historyLimit: settings.TEST_HISTORY_LIMIT,
  maxWaitingLog: settings.TEST_LOG_BYTES,
  workflowBundle: settings.TEST_WORKFLOW_BUNDLE ? { codePath: settings.TEST_WORKFLOW_BUNDLE } : undefined,
});
