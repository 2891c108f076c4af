import { expect, test } from '@jest/globals';
import { rootMessage } from '../../../cli/scan-client.ts';

test('what a scan failed for is told without the layers that passed it on', () => {
  const root = new Error('The source is not there.');
  const error = new Error('Workflow execution failed', {
    cause: new Error('Activity task failed', { cause: root }),
  });
  expect(rootMessage(error)).toBe('The source is not there.');
  expect(rootMessage(root)).toBe('The source is not there.');
});
