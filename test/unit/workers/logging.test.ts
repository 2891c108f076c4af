import { describe, expect, test } from '@jest/globals';
import { createLogger, logSdkLine, withoutSecrets } from '../../../workers/logging.ts';

const recorded = (level = 'debug') => {
  const lines: string[] = [];
  const logger = createLogger({ level }, { write: (line) => void lines.push(line) });
  return { logger, parsed: () => lines.map((line): Record<string, unknown> => JSON.parse(line)), lines };
};
const presigned =
  'https://s3.example.com/in/a.pdf?X-Amz-Algorithm=AWS4&X-Amz-Credential=AKIA%2F2026&X-Amz-Expires=60&X-Amz-Security-Token=tok3n&X-Amz-Signature=d00d';
const link = 'http://files:8480/f/local.eyJtZXRob2QiOiJHRVQi.c2lnbmF0dXJl';

describe('a line', () => {
  test('is JSON with an ISO time and a level by its name', () => {
    const { logger, parsed } = recorded();
    logger.info({ event: 'pod.created', pod: 'p1' }, 'pod created');
    const [line] = parsed();
    expect(line).toMatchObject({ level: 'info', event: 'pod.created', pod: 'p1', msg: 'pod created' });
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('below the level is not written', () => {
    const { logger, lines } = recorded('warn');
    logger.info('quiet');
    logger.warn('loud');
    expect(lines).toHaveLength(1);
  });

  test('an error is written with its cause', () => {
    const { logger, parsed } = recorded();
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(JSON.stringify(parsed()[0])).toMatch(/outer.*inner/);
  });
});

describe('secrets', () => {
  test.each(['password', 'secret', 'apiKey', 'authorization'])('a field called %s', (name) => {
    const { logger, lines } = recorded();
    logger.info({ [name]: 's3cret', deep: { [name]: 's3cret' } }, 'x');
    expect(lines.join()).not.toContain('s3cret');
  });

  test.each([
    ['a link of the file server', link, 'http://files:8480/f/redacted'],
    ['a password in a URL', 'rediss://user:pw@redis:6379/0', 'rediss://redacted@redis:6379/0'],
    ['a password without a user', 'redis://:pw@redis', 'redis://redacted@redis'],
    ['a URL with nothing secret', 'http://host:80/a@b', 'http://host:80/a@b'],
    ['a name with a colon and an at', 'file:///srv/a:b@c', 'file:///srv/a:b@c'],
  ])('%s', (_name, text, left) => {
    expect(withoutSecrets(text)).toBe(left);
  });

  test.each([
    ['letters', 'a'.repeat(2 ** 16)],
    ['a scheme and colons', `x://${':'.repeat(2 ** 16)}`],
    ['many schemes', 'x://a:'.repeat(2 ** 14)],
  ])('hostile text costs no more than in proportion to its length: %s', (_name, text) => {
    const began = process.cpuUsage().user;
    expect(withoutSecrets(text)).toBe(text);
    // A millisecond; in proportion to the square it would be 15 seconds.
    expect(process.cpuUsage().user - began).toBeLessThan(3_000_000);
  });

  test('what signs a presigned link', () => {
    const left = withoutSecrets(presigned);
    for (const secret of ['AKIA', 'tok3n', 'd00d']) expect(left).not.toContain(secret);
    expect(left).toContain('https://s3.example.com/in/a.pdf?X-Amz-Algorithm=AWS4&');
    expect(left).toContain('X-Amz-Expires=60');
  });

  test('in messages, fields and errors alike, quoted or not, and the line stays JSON', () => {
    const { logger, lines, parsed } = recorded();
    for (const text of [
      link,
      presigned,
      `"${link}"`,
      `'${presigned}' and`,
      `${link}\n${presigned}`,
      `${link}\\`,
    ]) {
      logger.warn(
        { url: text, deep: [{ text }], err: new Error(`no answer from ${text}`) },
        `refused ${text}`,
      );
    }
    expect(parsed()).toHaveLength(6);
    for (const secret of ['c2lnbmF0dXJl', 'eyJtZXRob2Qi', 'AKIA', 'tok3n', 'd00d']) {
      expect(lines.join()).not.toContain(secret);
    }
  });
});

test('a line of the SDK is one of ours, without what it carries of inputs', () => {
  const { logger, parsed } = recorded();
  const meta = { error: new Error('boom'), workflowId: 'scan-1', taskQueue: 'pristine', args: ['s3cret'] };
  const timestampNanos = 0n;
  logSdkLine(logger, { level: 'WARN', timestampNanos, message: 'Activity failed', meta });
  logSdkLine(logger, { level: 'ERROR', timestampNanos, message: 'no meta' });
  expect(parsed()[0]).toMatchObject({
    level: 'warn',
    event: 'sdk.logged',
    msg: 'Activity failed',
    reason: 'boom',
    workflowId: 'scan-1',
    taskQueue: 'pristine',
  });
  expect(parsed()[0]).not.toHaveProperty('args');
  expect(parsed()[1]).toMatchObject({ level: 'error', msg: 'no meta' });
});
