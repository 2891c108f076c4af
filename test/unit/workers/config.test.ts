import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ConfigError, environmentSchema, printConfig, readConfig } from '../../../workers/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'pristine-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const profilesFile = (content: unknown): string => {
  const file = join(folder, `${readdirSync(folder).length}.json`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

const secret = 'k3y-'.repeat(8);
const minimal = {
  TEMPORAL_ADDRESS: 'temporal:7233',
  REDIS_URL: 'redis://redis:6379',
  PRISTINE_POD_IMAGE: 'pristine/pod:1',
  PRISTINE_PROFILES_FILE: profilesFile({ default: { image: 'engine:1' } }),
};
const full = {
  ...minimal,
  TEMPORAL_API_KEY: 's3cret-api-key',
  TEMPORAL_TLS_CA_FILE: '/tls/ca.pem',
  TEMPORAL_TLS_CERT_FILE: '/tls/tls.crt',
  TEMPORAL_TLS_KEY_FILE: '/tls/tls.key',
  REDIS_URL: 'rediss://user:s3cret-password@redis:6380/2?password=s3cret-too',
  PRISTINE_FILE_ROOTS: '/srv/in:/srv/out',
  PRISTINE_FILE_SERVER_URL: 'http://files:8480',
  PRISTINE_FILE_SERVER_LISTEN: '0.0.0.0:8480',
  PRISTINE_LINK_KEYS: `new:${secret},old:${secret}`,
  AWS_SECRET_ACCESS_KEY: 's3cret-aws',
};
/** The problems that this environment has, one a line. */
const problems = (env: NodeJS.ProcessEnv): string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
};

describe('what is given', () => {
  test('the least has sensible defaults', () => {
    expect(readConfig(minimal)).toMatchObject({
      temporal: { address: 'temporal:7233', namespace: 'default', taskQueue: 'pristine', tls: undefined },
      roles: ['orchestrate', 'files', 'pods'],
      redis: { url: 'redis://redis:6379', keyPrefix: 'pristine' },
      kubernetes: { kubeconfig: undefined, namespace: 'pristine-files', instance: 'pristine' },
      files: { roots: [] },
      fileServer: { url: undefined, listen: undefined, linkKeys: undefined },
      s3: { endpoint: undefined, forcePathStyle: false },
      http: { host: '127.0.0.1', port: 9464 },
      searchAttributes: 'auto',
    });
  });

  test('everything ends in its place', () => {
    expect(
      readConfig({ ...full, PRISTINE_LOCK_TTL_SECONDS: '90', PRISTINE_BLOOM_ERROR_RATE: '1e-4' }),
    ).toMatchObject({
      temporal: { tls: { caFile: '/tls/ca.pem', certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' } },
      files: { roots: ['/srv/in', '/srv/out'] },
      fileServer: {
        url: 'http://files:8480',
        listen: { host: '0.0.0.0', port: 8480 },
        linkKeys: [
          { id: 'new', secret },
          { id: 'old', secret },
        ],
      },
      timing: { lockTtlMs: 90_000 },
      bloom: { errorRate: 0.0001 },
    });
  });

  test('a variable that is set to nothing is not set', () => {
    expect(
      readConfig({ ...minimal, KUBECONFIG: '', PRISTINE_LINK_KEYS: '', PRISTINE_FILE_ROOTS: '' }),
    ).toEqual(readConfig(minimal));
    expect(problems({ ...minimal, TEMPORAL_ADDRESS: '' })).toEqual(['TEMPORAL_ADDRESS: must be set']);
  });

  test('roles are any of the three', () => {
    expect(readConfig({ ...minimal, PRISTINE_ROLES: 'pods, files,pods' }).roles).toEqual(['pods', 'files']);
  });

  test('an IPv6 address stands in brackets', () => {
    expect(readConfig({ ...minimal, PRISTINE_HTTP_LISTEN: '[::1]:80' }).http).toEqual({
      host: '::1',
      port: 80,
    });
  });
});

describe('what is wrong', () => {
  test('is all told at once, each by its name', () => {
    const told = problems({
      REDIS_URL: 'http://redis',
      PRISTINE_ROLES: 'cook',
      PRISTINE_LINK_KEYS: 'id:short',
      PRISTINE_FILE_ROOTS: 'relative',
      PRISTINE_HTTP_LISTEN: 'nowhere',
      PRISTINE_PROFILES_FILE: '/does/not/exist',
    });
    expect(told.map((line) => line.split(/[:.]/)[0]).sort()).toEqual([
      'PRISTINE_FILE_ROOTS',
      'PRISTINE_FILE_SERVER_URL',
      'PRISTINE_HTTP_LISTEN',
      'PRISTINE_LINK_KEYS',
      'PRISTINE_POD_IMAGE',
      'PRISTINE_PROFILES_FILE',
      'PRISTINE_ROLES',
      'REDIS_URL',
      'TEMPORAL_ADDRESS',
    ]);
  });

  test.each([
    ['REDIS_URL', 'redis:6379'],
    ['REDIS_URL', 'redis://'],
    ['PRISTINE_KEY_PREFIX', 'a{b}'],
    ['PRISTINE_BLOOM_CAPACITY', '1e6'],
    ['PRISTINE_BLOOM_CAPACITY', ' '],
    ['PRISTINE_BLOOM_CAPACITY', '0'],
    ['PRISTINE_BLOOM_ERROR_RATE', '0'],
    ['PRISTINE_BLOOM_ERROR_RATE', '1'],
    ['PRISTINE_BLOOM_ERROR_RATE', '0.1%'],
    ['PRISTINE_ROLES', 'pods,'],
    ['PRISTINE_HTTP_LISTEN', '127.0.0.1'],
    ['PRISTINE_HTTP_LISTEN', '127.0.0.1:65536'],
    ['PRISTINE_HTTP_LISTEN', '::1:80'],
    ['PRISTINE_S3_PATH_STYLE', 'yes'],
    ['AWS_ENDPOINT_URL_S3', 's3.example.com:443'],
    ['PRISTINE_LOG_LEVEL', 'loud'],
    ['PRISTINE_LOCK_TTL_SECONDS', '1'],
    ['PRISTINE_SEARCH_ATTRIBUTES', 'yes'],
    ['PRISTINE_SHUTDOWN_GRACE_SECONDS', '-1'],
  ])('%s=%j', (name, value) => {
    const told = problems({ ...minimal, [name]: value });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(new RegExp(`^${name}[:.]`));
  });

  test.each([
    ['PRISTINE_FILE_SERVER_LISTEN', ['PRISTINE_LINK_KEYS', 'PRISTINE_FILE_ROOTS']],
    ['PRISTINE_FILE_SERVER_URL', ['PRISTINE_LINK_KEYS']],
    ['PRISTINE_FILE_ROOTS', ['PRISTINE_FILE_SERVER_URL', 'PRISTINE_LINK_KEYS']],
    ['TEMPORAL_TLS_CERT_FILE', ['TEMPORAL_TLS_KEY_FILE']],
    ['TEMPORAL_TLS_KEY_FILE', ['TEMPORAL_TLS_CERT_FILE']],
  ] as const)('%s without what it needs', (name, partners) => {
    expect(problems({ ...minimal, [name]: full[name] })).toEqual(
      partners.map((partner) => `${partner}: must be set, because ${name} is`),
    );
  });

  test('no message repeats a value: it may be a secret', () => {
    const told = problems({
      ...minimal,
      REDIS_URL: 'http://:s3cret@redis',
      PRISTINE_LINK_KEYS: 'id:s3cret',
      AWS_ENDPOINT_URL_S3: 's3cret:x',
      PRISTINE_PROFILES_FILE: profilesFile('{"default": {"env": {"LICENCE": "s3cret'),
    });
    expect(told).toHaveLength(4);
    expect(told.join()).not.toContain('s3cret');
  });
});

describe('the profiles file', () => {
  test.each([
    ['no default', { other: { image: 'engine:1' } }, /has no "default"/],
    ['a profile without an image', { default: {} }, /default\.image/],
    ['an unknown setting', { default: { image: 'engine:1', imagee: 'x' } }, /default/],
    ['a list', [], /PRISTINE_PROFILES_FILE/],
    ['no JSON', '{', /is not JSON/],
  ])('%s', (_name, content, words) => {
    const told = problems({ ...minimal, PRISTINE_PROFILES_FILE: profilesFile(content) });
    expect(told).toEqual([expect.stringMatching(words)]);
    expect(told[0]).toMatch(/^PRISTINE_PROFILES_FILE: /);
  });

  test('is not there', () => {
    expect(problems({ ...minimal, PRISTINE_PROFILES_FILE: '/does/not/exist' })).toEqual([
      "PRISTINE_PROFILES_FILE: /does/not/exist can't be read (ENOENT)",
    ]);
  });

  test('is read with its defaults', () => {
    expect(readConfig(minimal).profiles.default).toMatchObject({ image: 'engine:1', maxTier: 2 });
  });
});

test('what is printed holds no secret, and says where Redis is', () => {
  const printed = JSON.stringify(printConfig(readConfig(full)));
  expect(printed).not.toContain('s3cret');
  expect(printed).not.toContain(secret);
  expect(printed).toContain('rediss://redis:6380/2');
  expect(printed).toContain('"linkKeys":["new","old"]');
});

test('nothing else of the worker reads the environment', () => {
  const root = join(import.meta.dirname, '../../..');
  const readers = ['workers', 'activities', 'drivers', 'fileserver', 'workflows'].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(part, file))
      .filter((file) => readFileSync(join(root, file), 'utf8').includes('process.env')),
  );
  expect(readers).toEqual(['workers/main.ts']);
  expect(Object.keys(environmentSchema.shape)).toContain('REDIS_URL');
});
