import { expect, test } from '@jest/globals';
import { usedBetween, workerMetrics } from '../../../bench/worker-metrics.ts';

const text = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 14.8
process_resident_memory_bytes 4.0e+8
temporal_long_request_total{namespace="default",operation="PollActivityTaskQueue",task_queue="a b"} 214
temporal_long_request_total{namespace="default",operation="PollWorkflowTaskQueue",task_queue="a"} 6
temporal_long_request_latency_milliseconds_count{operation="PollWorkflowTaskQueue"} 1000
temporal_request_total{operation="GetSystemInfo"} 1
temporal_request_total{operation="RecordWorkerHeartbeat"} 20
`;

test('the series of a counter are added, its like-named ones are not', () => {
  expect(workerMetrics(text)).toEqual({ cpuSeconds: 14.8, residentBytes: 4e8, polls: 220, calls: 21 });
});

test.each(['process_cpu_seconds_total', 'temporal_long_request_total', 'temporal_request_total'])(
  'without %s nothing is said',
  (name) => {
    const without = text.replaceAll(new RegExp(`^${name}.*\n`, 'gm'), '');
    expect(() => workerMetrics(without)).toThrow(name);
  },
);

test('what several workers used is added; of memory, what they have now', () => {
  const at = (cpuSeconds: number, residentBytes: number, polls: number, calls: number) => ({
    ...{ cpuSeconds, residentBytes, polls, calls },
  });
  const before = [at(1, 100, 10, 5), at(2, 200, 20, 6)];
  const after = [at(1.5, 90, 14, 5), at(3, 250, 21, 8)];
  expect(usedBetween(before, after)).toEqual(at(1.5, 340, 5, 2));
});

test('a worker that has started again, or was not there before, gives no figure', () => {
  const now = { cpuSeconds: 1, residentBytes: 1, polls: 1, calls: 1 };
  expect(() => usedBetween([{ ...now, polls: 2 }], [now])).toThrow('started again');
  expect(() => usedBetween([], [now])).toThrow('started again');
});
