import { expect, test } from '@jest/globals';
import { DriverError } from '../../../../drivers/errors.ts';
import { fromRedis, toDriverError } from '../../../../drivers/redis/redis-error.ts';

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const coded = (code: string) => Object.assign(new Error('connect'), { code });
const script = ' script: 54b70b93be5bdc97e68e879149ffd56569377942, on @user_script:1.';

test.each<[string, Error, string, boolean, RegExp]>([
  [
    'wrong type',
    reply(`WRONGTYPE Operation against a key${script}`),
    'index.invalid',
    false,
    /pristine:\{p\}:\*/,
  ],
  [
    'no module',
    reply(`ERR Unknown Redis command called from script${script}`),
    'index.invalid',
    false,
    /Redis 8/,
  ],
  [
    'no module, plain',
    reply("ERR unknown command 'BF.CARD', with args"),
    'index.invalid',
    false,
    /loadmodule/,
  ],
  ['schema', reply('PRISTINE_SCHEMA 2'), 'index.invalid', false, /schema version 2/],
  ['schema, older Redis', reply('ERR PRISTINE_SCHEMA 2'), 'index.invalid', false, /schema version 2/],
  ['rebuild lost', reply('PRISTINE_BUILD_LOST'), 'index.unavailable', true, /start it again/],
  [
    'no password',
    reply('NOAUTH Authentication required.'),
    'index.unavailable',
    true,
    /password in REDIS_URL/,
  ],
  [
    'wrong password',
    reply('WRONGPASS invalid username-password pair'),
    'index.unavailable',
    true,
    /password/,
  ],
  ['no right', reply('NOPERM this user has no permissions'), 'index.unavailable', true, /NOPERM/],
  [
    'full',
    reply("OOM command not allowed when used memory > 'maxmemory'."),
    'index.unavailable',
    true,
    /maxmemory/,
  ],
  ['loading', reply('LOADING Redis is loading the dataset in memory'), 'index.unavailable', true, /LOADING/],
  [
    'replica',
    reply("READONLY You can't write against a read only replica."),
    'index.unavailable',
    true,
    /READONLY/,
  ],
  ['cluster', reply('CLUSTERDOWN Hash slot not served'), 'index.unavailable', true, /CLUSTERDOWN/],
  ['unheard of', reply('ERR value is not an integer'), 'index.unavailable', true, /ERR/],
  ['refused', coded('ECONNREFUSED'), 'index.unavailable', true, /REDIS_URL \(ECONNREFUSED\)/],
  ['timed out', new Error('Command timed out'), 'index.unavailable', true, /does not answer/],
])('%s', (_name, error, code, retryable, words) => {
  const mapped = toDriverError(error, 'pristine:{p}:*');
  expect(mapped).toBeInstanceOf(DriverError);
  expect(mapped).toMatchObject({ code, retryable, cause: error });
  expect(mapped.message).toMatch(words);
});

test('the message holds no words of the server, which can hold arguments', () => {
  for (const message of [
    "ERR unknown command 'X', with args beginning with: 's3cret'",
    'ERR s3cret',
    's3cret',
    'NOPERM s3cret',
  ]) {
    expect(toDriverError(reply(message), 'pristine:{p}:*').message).not.toContain('s3cret');
    expect(toDriverError(new Error(message), 'pristine:{p}:*').message).not.toContain('s3cret');
  }
  expect(toDriverError(coded('s3cret'), 'x').message).not.toContain('s3cret');
});

test('a DriverError goes through as it is', async () => {
  const error = new DriverError('index.invalid', 'x', { retryable: false });
  await expect(fromRedis(Promise.reject(error), 'x')).rejects.toBe(error);
});
