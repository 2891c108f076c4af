import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';

/** Asks again for as long as the answer is that Redis is not there: any other error fails the test. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      expect(error).toMatchObject({ name: 'DriverError', code: 'index.unavailable', retryable: true });
      await sleep(20);
    }
  }
}
