import { expect, test } from '@jest/globals';
import { afterEnd, afterMissing, LOST_LIMIT } from '../../../workflows/after-end.ts';
import type { InFlight } from '../../../workflows/scan-state.ts';

const file = { name: { path: 'a' }, size: 1, sha256: 'f'.repeat(64), version: 'v' };
const content: InFlight = {
  sha256: file.sha256,
  files: [file, { ...file, name: { path: 'b' } }],
  ours: true,
  lost: 0,
};

test('what a person must mend puts every name back and pauses the scan', () => {
  const { settled, again, pause } = afterEnd(content, { kind: 'blocked', reason: 'no such image' });
  expect(settled).toEqual([]);
  expect(again).toEqual(content.files);
  expect(pause).toMatch(/no such image.*"resume"/);
});

test('a workflow that ended without an answer is begun anew, but not for ever', () => {
  const lost = { kind: 'lost' } as const;
  expect(afterEnd(content, lost).again.map((one) => one.lost)).toEqual([1, 1]);
  const last = afterEnd({ ...content, lost: LOST_LIMIT - 1 }, lost);
  expect(last.again).toEqual([]);
  expect(last.settled.map((one) => one.outcome)).toEqual(['quarantined', 'quarantined']);
});

test('a content that is missing behind its receipt is run once more, then given up with words', () => {
  const first = afterMissing({ ...file, outcome: 'delivered' });
  expect(first.again).toEqual([{ ...file, missing: 1 }]);
  const second = afterMissing({ ...file, outcome: 'rebuilt', missing: 1 });
  expect(second).toMatchObject({ again: [], settled: [{ outcome: 'quarantined' }] });
  expect(second.settled[0]?.reason).toMatch(/pristine verify/);
});
