/**
 * Runs every scenario on the Temporal of the local stack and keeps its histories for the replay tests:
 * `node test/replay/record.ts`, with the stack up. One folder a shape: name it after the release, leave the older ones as they
 * are. A history is Temporal's own protobuf message, compressed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { stackVariable } from '../contract/stack.ts';
import { openHarness } from '../workflow/harness.ts';
import { SCENARIOS } from './scenarios.ts';

const folder = join(import.meta.dirname, 'histories', process.argv[2] ?? 'next');
mkdirSync(folder, { recursive: true });
const { env, harness } = await openHarness();
const connection = await Connection.connect({ address: stackVariable('TEMPORAL_ADDRESS') });
const client = new Client({ connection });
try {
  for (const scenario of SCENARIOS) {
    for (const [name, workflowId] of Object.entries(await scenario(harness))) await keep(name, workflowId);
  }
} finally {
  await connection.close();
  await env.teardown();
}

/** All runs of the workflow, oldest first. */
async function keep(name: string, workflowId: string): Promise<void> {
  const runs: string[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = "${workflowId}"` }))
    runs.unshift(runId);
  if (runs.length === 0) throw new Error(`${workflowId} is not to be found`);
  for (const [at, runId] of runs.entries()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    withoutPlace(history);
    const file = `${name}${runs.length > 1 ? `.run-${at + 1}` : ''}.pb.gz`;
    writeFileSync(
      join(folder, file),
      gzipSync(proto.temporal.api.history.v1.History.encode(history).finish()),
    );
    console.log(`${file}: ${history.events?.length} events`);
  }
}

/** Who ran it where, and in which folder the code lay, is nobody's business and no part of the way. */
function withoutPlace(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && /^(identity|stackTrace)$/.test(key)) Reflect.set(value, key, '');
    else withoutPlace(inner);
  }
}
