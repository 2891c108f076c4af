/** Files that change, move or go between being listed, hashed and fetched. */
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ScanSummary } from '../../workflows/contract.ts';
import { totalOf } from '../../workflows/contract.ts';
import { deleteObject, openTestStore, putObject } from '../contract/s3-store.ts';
import { expectOnlyReceipted, filesBelow, readManifest } from '../integration/oracle.ts';
import type { HttpFault } from './http-fault-proxy.ts';
import { openScene, type Scene, sha256Of } from './scene.ts';
import {
  expectEngineSawOnlyItsContent,
  fileOf,
  filesBehindProxy,
  storeBehindProxy,
} from './transfer-places.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

const outcomesOf = (destination: string, scan: string) =>
  Object.fromEntries(readManifest(destination, scan).map((line) => [line.path, line.outcome]));

test('F31 files change between being hashed and fetched: no result under the wrong hash, seen again later', async () => {
  const { proxy, worker } = await filesBehindProxy(scene);
  const place = scene.inFolders(worker);
  const { source, destination } = await place.see();
  const at = (name: string) => join(source, name);
  const text = (name: string) => `rebuild\n${worker.instance} ${name}\n`;
  const moves: Record<string, () => void> = {
    untouched: () => {},
    rewritten: () => writeFileSync(at('rewritten'), text('REWRITTEN')),
    longer: () => writeFileSync(at('longer'), `${text('longer')}and more\n`),
    truncated: () => truncateSync(at('truncated'), 12),
    replaced: () => {
      writeFileSync(join(worker.folder, 'another'), text('REPLACED'));
      renameSync(join(worker.folder, 'another'), at('replaced'));
    },
    deleted: () => rmSync(at('deleted')),
    renamed: () => renameSync(at('renamed'), at('a-new-name')),
  };
  for (const name of Object.keys(moves)) await place.put(name, text(name));
  const moved = new Set<string>();
  proxy.meet((request) => {
    const name = fileOf(request);
    if (request.method === 'GET' && !moved.has(name)) {
      moved.add(name);
      moves[name]?.();
    }
    return undefined;
  });
  try {
    const scan = await scene.start(worker, place);
    const summary: ScanSummary = await scan.result();
    expect(outcomesOf(destination, scan.workflowId)).toEqual({
      untouched: 'rebuilt',
      rewritten: 'changed',
      longer: 'changed',
      truncated: 'changed',
      replaced: 'changed',
      deleted: 'gone',
      renamed: 'gone',
    });
    expect(totalOf(summary.outcomes)).toBe(summary.listed);
    expectOnlyReceipted(destination);
    expectEngineSawOnlyItsContent(destination);
    expect(filesBelow(join(destination, 'tree'))).toEqual(['untouched']);

    const later = await scene.start(worker, place);
    // The name that went away had a pod already; its bytes are met again under another name.
    const renamed = { [sha256Of(text('renamed'))]: 2 };
    const { outcomes } = await scene.expectSound(worker, place, later, renamed);
    expect(outcomes).toMatchObject({ rebuilt: 5, delivered: 1, changed: 0, gone: 0 });
    expectEngineSawOnlyItsContent(destination);
  } finally {
    await proxy.close();
  }
}, 600_000);

test('F31 objects change between being listed, hashed and fetched: no result under the wrong hash, seen again later', async () => {
  const { proxy, worker } = await storeBehindProxy(scene);
  const place = await scene.inBucket();
  const [, , bucket = ''] = place.source.split('/');
  const store = await openTestStore();
  const behind = { ...store, bucket };
  const text = (name: string) => `rebuild\n${worker.instance} ${name}\n`;
  const change = (name: string) => putObject(behind, `in/${name}`, text(name.toUpperCase()));
  const remove = (name: string) => deleteObject(behind, `in/${name}`);
  const names = ['untouched', 'changed-1', 'gone-1', 'changed-2', 'gone-2'];
  for (const name of names) await place.put(name, text(name));
  const moved = new Set<string>();
  // The request waits at the proxy until the change is certain to be made.
  const wait: HttpFault = { delayMs: 2_000 };
  proxy.meet((request) => {
    const name = fileOf(request);
    const step = request.query.has('X-Amz-Signature') ? '2' : '1';
    if (request.method !== 'GET' || !name.endsWith(step) || moved.has(name)) return undefined;
    moved.add(name);
    void (name.startsWith('gone') ? remove(name) : change(name));
    return wait;
  });
  try {
    const scan = await scene.start(worker, place);
    const summary: ScanSummary = await scan.result();
    const { destination } = await place.see();
    expect(outcomesOf(destination, scan.workflowId)).toEqual({
      untouched: 'rebuilt',
      'changed-1': 'changed',
      'gone-1': 'gone',
      'changed-2': 'changed',
      'gone-2': 'gone',
    });
    expect(totalOf(summary.outcomes)).toBe(summary.listed);
    expectOnlyReceipted(destination);
    expectEngineSawOnlyItsContent(destination);

    const later = await scene.start(worker, place);
    const { outcomes } = await scene.expectSound(worker, place, later);
    expect(outcomes).toMatchObject({ rebuilt: 2, delivered: 1, changed: 0, gone: 0 });
    expectEngineSawOnlyItsContent((await place.see()).destination);
  } finally {
    await proxy.close();
    await store.close();
  }
}, 600_000);
