import { describe, expect, test } from '@jest/globals';
import { barLine, knownFileLines, memoryLines, newFileLines, perFile } from '../../../bench/cost-lines.ts';
import type { Run } from '../../../bench/histories.ts';
import { podsMade } from '../../../bench/known-scan.ts';
import { podName } from '../../../drivers/kubernetes/pod-name.ts';

const words = (lines: readonly string[]) => lines.map((line) => line.trim().split(/\s{2,}/));
const run = (...types: string[]): Run => ({
  runId: 'r',
  events: types.map((type, at) => ({ type, at: at * 1000 })),
  children: [],
});

test('a figure at its bar meets it, one above does not', () => {
  expect(words([barLine('what', 3, 3), barLine('what', 3.01, 3)]).map((line) => line.at(-1))).toEqual([
    'met',
    'MISSED',
  ]);
});

test('counts a file, the most first, small ones with more digits', () => {
  const counts = new Map([
    ['lookup', 3],
    ['claim', 100],
  ]);
  expect(perFile(counts, 100)).toBe('claim 1.00, lookup 0.030');
});

describe('new files', () => {
  const child = ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', 'CHILD_WORKFLOW_EXECUTION_STARTED'];
  const costs = {
    files: 2,
    commands: new Map([['claim', 6]]),
    requests: {
      files: new Map([['create pods', 5]]),
      logs: new Map([['get pods/log', 6]]),
      access: new Map(),
      other: new Map(),
    },
    children: [
      { events: 36, pods: 1, lostTasks: 0 },
      { events: 41, pods: 1, lostTasks: 0 },
      { events: 44, pods: 1, lostTasks: 1 },
      { events: 80, pods: 2, lostTasks: 0 },
    ],
    runs: [run(...child, ...child), run('TIMER_STARTED', 'TIMER_FIRED')],
  };

  test('each figure against its bar; a child that needed two pods or lost a workflow task is not an ordinary one', () => {
    const verdicts = words(newFileLines(costs)).filter((line) => /^(met|MISSED)$/.test(line.at(-1) ?? ''));
    expect(verdicts).toEqual([
      ['Redis round trips a file', '3.00', '3', 'met'],
      ['requests to the Kubernetes API a file', '2.50', '2.2', 'MISSED'],
      ['history events of a child, the most', '41', '41', 'met'],
      ['history events of the scan about a child', '2.00', '3', 'met'],
    ]);
    expect(newFileLines(costs).join('\n')).toContain('of the 2 of 4 children');
  });

  test('requests that were not counted are no small number of requests', () => {
    const lines = newFileLines({ ...costs, requests: null }).join('\n');
    expect(lines).toContain('no audit log');
    expect(lines).not.toContain('requests to the Kubernetes API a file');
  });
});

describe('known files', () => {
  test('the time is compared with each sum of the least work', () => {
    const lines = words(
      knownFileLines({
        files: 1000,
        seconds: 6,
        processorSeconds: 2,
        commands: new Map([['lookup', 11]]),
        runs: [run('WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_EXECUTION_COMPLETED')],
        others: { first: 9, second: 8, empty: 4 },
        least: { find: 0.5, lookUp: 0.5, hash: 1, copy: 2 },
      }),
    );
    expect(lines).toContainEqual(['Redis round trips a file', '0.0110', '0.01', 'MISSED']);
    expect(lines).toContainEqual(['time against find and the index', '6.0', '3', 'MISSED']);
    expect(lines).toContainEqual(['find -printf + index + sha256sum', '2.000', '3.0']);
    expect(lines).toContainEqual(['find -printf + index + sha256sum + cp -r, sync', '4.000', '1.5']);
    expect(lines).toContainEqual(['these files beside that', '2.000']);
    expect(lines).toContainEqual(['an empty folder: what each scan takes', '4.000']);
    expect(lines).toContainEqual(['no activity under way', '1.000', '100 %']);
  });

  test('a pod of one of them is found among all requests', () => {
    const documents = [{ sha256: '1'.repeat(64) }];
    const ofPod = { user: 'worker', verb: 'create', resource: 'pods', uri: '' };
    const name = podName('1'.repeat(64), 'abcdef01', 1);
    const other = podName('2'.repeat(64), 'abcdef01', 1);
    expect(podsMade([{ ...ofPod, name: other }], documents, 'abcdef01')).toBe(0);
    expect(podsMade([{ ...ofPod, name }], documents, 'abcdef01')).toBe(1);
  });
});

test('memory of few files has no slope', () => {
  const samples = [2 ** 20, 2 ** 20, 2 ** 20];
  expect(memoryLines('x', 10, 1, samples)).toHaveLength(1);
  expect(memoryLines('x', 1000, 1, samples)[1]).toContain('0.00 MiB for 1,000 files');
});
