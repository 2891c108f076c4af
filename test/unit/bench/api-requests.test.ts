import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  type ApiRequest,
  auditMark,
  countRequests,
  ownRequests,
  requestsSince,
} from '../../../bench/api-requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PODS = '/api/v1/namespaces/files/pods';

describe('requests in an audit log', () => {
  const event = (stage: string, verb: string, subresource?: string) => {
    const objectRef = { resource: 'pods', subresource, name: 'p1' };
    return `${JSON.stringify({ stage, verb, requestURI: PODS, user: { username: 'worker' }, objectRef })}\n`;
  };

  test('each is taken once and only after the mark: a watch when it began, the others when complete', async () => {
    const file = join(folder, 'audit.log');
    writeFileSync(file, event('ResponseComplete', 'create'));
    const mark = (await auditMark(file)) ?? 0;
    writeFileSync(
      file,
      event('ResponseStarted', 'watch') +
        event('ResponseComplete', 'watch') +
        event('ResponseStarted', 'get') +
        event('ResponseComplete', 'get', 'log'),
      { flag: 'a' },
    );
    const found = await Array.fromAsync(requestsSince(file, mark));
    expect(found).toEqual([
      { user: 'worker', verb: 'watch', resource: 'pods', name: 'p1', uri: PODS },
      { user: 'worker', verb: 'get', resource: 'pods/log', name: 'p1', uri: PODS },
    ]);
  });

  test('there is no mark where there is no log', async () => {
    expect(await auditMark(join(folder, 'none.log'))).toBeNull();
  });
});

test('requests of some users are counted by what they are, those of others not', () => {
  const by = (user: string, verb: string, resource: string) => ({ user, verb, resource, uri: PODS });
  const requests = [
    by('a:1', 'get', 'pods'),
    by('a:2', 'get', 'pods'),
    by('a:2', 'create', 'pods'),
    by('b', 'get', 'pods'),
  ];
  expect(countRequests(requests, (user) => user.startsWith('a:'))).toEqual(
    new Map([
      ['get pods', 2],
      ['create pods', 1],
    ]),
  );
});

describe('requests of one scan', () => {
  const request = (verb: string, resource: string, more: Partial<ApiRequest> = {}): ApiRequest => ({
    ...{ user: 'worker', verb, resource, uri: PODS },
    ...more,
  });
  const scan = { pods: new Set(['ours']), instance: 'bench-1' };

  test('are told by the pod, the selector and who asks; logs and reviews apart', () => {
    const own = ownRequests(
      [
        request('create', 'pods', { name: 'ours' }),
        request('delete', 'pods', { name: 'ours' }),
        request('watch', 'pods', {
          uri: `${PODS}?labelSelector=pristine.dev%2Finstance%3Dbench-1&watch=true`,
        }),
        request('get', 'pods/log', { name: 'ours' }),
        request('get', 'pods/log', { name: 'ours' }),
        request('create', 'selfsubjectaccessreviews'),
        request('get', 'events'),
      ],
      scan,
    );
    expect(Object.fromEntries(Object.entries(own).map(([kind, counts]) => [kind, [...counts]]))).toEqual({
      files: [
        ['create pods', 1],
        ['delete pods', 1],
        ['watch pods', 1],
      ],
      logs: [['get pods/log', 2]],
      access: [['create selfsubjectaccessreviews', 1]],
      other: [['get events', 1]],
    });
  });

  test('are not those of others with our pods, nor those of the same user for other pods', () => {
    const own = ownRequests(
      [
        request('create', 'pods', { name: 'ours' }),
        request('get', 'pods', { name: 'ours', user: 'system:node:a' }),
        request('create', 'pods', { name: 'another' }),
        request('get', 'pods/log', { name: 'another' }),
        request('list', 'pods', { uri: `${PODS}?labelSelector=pristine.dev%2Finstance%3Dpristine` }),
      ],
      scan,
    );
    expect([...own.files]).toEqual([['create pods', 1]]);
    expect([...own.logs, ...own.access, ...own.other]).toEqual([]);
  });
});
