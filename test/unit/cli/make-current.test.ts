import { expect, test } from '@jest/globals';
import type { WorkflowService } from '@temporalio/client';
import proto from '@temporalio/proto';
import { goneOnLongEnough, makeCurrentOnce } from '../../../cli/make-current.ts';
import { readDeploymentSettings } from '../../../workers/deployment-settings.ts';

const { RoutingConfigUpdateState } = proto.temporal.api.enums.v1;
const settings = readDeploymentSettings({
  TEMPORAL_ADDRESS: 'temporal:7233',
  PRISTINE_DEPLOYMENT_NAME: 'pristine',
  PRISTINE_BUILD_ID: 'two',
});

/** Temporal with a deployment whose version `two` polls every queue. */
function temporal(current: string, state: keyof typeof RoutingConfigUpdateState) {
  const made: string[] = [];
  const service = {
    describeTaskQueue: async () => ({
      pollers: [{ deploymentOptions: { deploymentName: 'pristine', buildId: 'two' } }],
    }),
    describeWorkerDeployment: async () => ({
      workerDeploymentInfo: {
        routingConfig: { currentDeploymentVersion: { buildId: current } },
        routingConfigUpdateState: RoutingConfigUpdateState[state],
      },
    }),
    setWorkerDeploymentCurrentVersion: async ({ buildId }: { buildId: string }) => made.push(buildId),
  } as unknown as WorkflowService;
  return { made, service };
}

test('what is current is left as it is, and waited for until every queue goes by it', async () => {
  const spread = temporal('two', 'ROUTING_CONFIG_UPDATE_STATE_COMPLETED');
  expect(await makeCurrentOnce(spread.service, settings)).toEqual({
    found: { buildId: 'two', spreading: false },
  });
  const spreading = temporal('two', 'ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS');
  expect((await makeCurrentOnce(spreading.service, settings)).waitsFor?.message).toMatch(/every task queue/);
  expect([...spread.made, ...spreading.made]).toEqual([]);
});

test('a server that does not say how far it is is believed', async () => {
  const { service } = temporal('two', 'ROUTING_CONFIG_UPDATE_STATE_UNSPECIFIED');
  expect((await makeCurrentOnce(service, settings)).waitsFor).toBeUndefined();
});

test('another one is replaced, and looked at once more', async () => {
  const { made, service } = temporal('one', 'ROUTING_CONFIG_UPDATE_STATE_COMPLETED');
  const { found, waitsFor } = await makeCurrentOnce(service, settings);
  expect([made, found?.buildId, waitsFor?.message]).toEqual([
    ['two'],
    'one',
    'Temporal has not told every task queue yet',
  ]);
});

test('whether every queue knows is waited for a minute at most, and never beyond the end', () => {
  expect(goneOnLongEnough(undefined, 0, 1)).toBe(false);
  expect([59_999, 60_000].map((now) => goneOnLongEnough(0, 240_000, now))).toEqual([false, true]);
  expect([9_999, 10_000].map((now) => goneOnLongEnough(0, 10_000, now))).toEqual([false, true]);
});
