import { expect } from '@jest/globals';
import type { InMemory, InMemoryFile } from './in-memory.ts';

/** Every path once, none else. */
export function expectEachOnce(memory: InMemory, listed: InMemoryFile[]): void {
  expect(memory.manifest.map((line) => line.name.path).sort()).toEqual(
    listed.map((file) => file.path).sort(),
  );
  expect(memory.locks.size).toBe(0);
}
