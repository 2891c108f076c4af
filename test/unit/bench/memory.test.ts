import { expect, test } from '@jest/globals';
import { memoryCourse, processorSeconds, residentBytes, slope } from '../../../bench/memory.ts';

test('the slope is the rise a step, of one value or none it is 0', () => {
  expect([slope([1, 3, 5, 7]), slope([4, 4, 4]), slope([9]), slope([])]).toEqual([2, 0, 0, 0]);
  expect(slope([0, 10, 0, 10, 0])).toBeCloseTo(0);
});

test('memory that warms up and then is flat has no slope, one that grows has', () => {
  const warm = [100, 150, 190, 200, 200, 200, 200, 200, 200];
  const flat = memoryCourse(warm);
  expect(flat).toEqual({ first: 100, thirds: [150, 200, 200], largest: 200, last: 200, slope: 0 });
  const grows = memoryCourse(warm.map((bytes, at) => bytes + 10 * at));
  // Two samples a second.
  expect(grows.slope).toBeCloseTo(20);
});

test('this process has memory and has computed', async () => {
  expect(await residentBytes(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  expect(await processorSeconds(process.pid)).toBeGreaterThan(0);
});
