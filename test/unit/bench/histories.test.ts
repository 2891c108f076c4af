import { describe, expect, test } from '@jest/globals';
import { activityTimes, eventFamilies, type PastEvent } from '../../../bench/histories.ts';

test('events by what they are about', () => {
  expect(
    eventFamilies([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_COMPLETED',
      'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
      'CHILD_WORKFLOW_EXECUTION_STARTED',
      'CHILD_WORKFLOW_EXECUTION_COMPLETED',
      'ACTIVITY_TASK_SCHEDULED',
      'TIMER_STARTED',
    ]),
  ).toEqual({ child: 3, workflowTask: 2, activity: 1, timer: 1, other: 1 });
});

describe('where the time went', () => {
  const scheduled = (at: number, activity: string): PastEvent => ({
    type: 'ACTIVITY_TASK_SCHEDULED',
    at,
    activity,
  });
  const completed = (at: number, began: number): PastEvent => ({
    type: 'ACTIVITY_TASK_COMPLETED',
    at,
    began,
  });

  test('side by side counts for each activity, and once against the idle time', () => {
    const { totalMs, idleMs, activities } = activityTimes([
      { type: 'WORKFLOW_EXECUTION_STARTED', at: 0 },
      scheduled(10, 'listPage'),
      completed(30, 1),
      scheduled(40, 'listPage'),
      scheduled(50, 'settleFiles'),
      completed(60, 3),
      completed(90, 4),
      { type: 'WORKFLOW_EXECUTION_COMPLETED', at: 100 },
    ]);
    expect([totalMs, idleMs]).toEqual([100, 30]);
    expect(activities).toEqual(
      new Map([
        ['listPage', { times: 2, busyMs: 40 }],
        ['settleFiles', { times: 1, busyMs: 40 }],
      ]),
    );
  });

  test('an activity that never ended took no time that is known', () => {
    const { idleMs, activities } = activityTimes([scheduled(0, 'listPage'), { type: 'TIMER_FIRED', at: 5 }]);
    expect([idleMs, activities.size]).toEqual([5, 0]);
  });
});
