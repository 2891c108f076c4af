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
  PRISTINE_NODE_SELECTOR: 'zone=a, pool=files',
  PRISTINE_TOLERATIONS: '[{"key":"files","operator":"Exists","effect":"NoSchedule"}]',
  PRISTINE_IMAGE_PULL_SECRETS: 'mirror, other.one',
  PRISTINE_PRIORITY_CLASS: 'files-last',
  PRISTINE_FILE_ROOTS: '/srv/in:/srv/out',
  PRISTINE_FILE_SERVER_URL: 'http://files:8480',
  PRISTINE_FILE_SERVER_LISTEN: '0.0.0.0:8480',
  PRISTINE_LINK_KEYS: `new:${secret},old:${secret}`,
  PRISTINE_CODEC_KEYS: `sealing:${secret},opening:${secret}`,
  PRISTINE_DEPLOYMENT_NAME: 'pristine',
  PRISTINE_BUILD_ID: '1.4.0+a1b2',
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
      codec: { keys: undefined },
      deployment: undefined,
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
      kubernetes: {
        nodeSelector: { zone: 'a', pool: 'files' },
        tolerations: [{ key: 'files', operator: 'Exists', effect: 'NoSchedule' }],
        imagePullSecrets: ['mirror', 'other.one'],
        priorityClassName: 'files-last',
      },
      codec: {
        keys: [
          { id: 'sealing', secret },
          { id: 'opening', secret },
        ],
      },
      deployment: { name: 'pristine', buildId: '1.4.0+a1b2' },
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
    ['PRISTINE_SINGLE_WRITER', 'yes'],
    ['AWS_ENDPOINT_URL_S3', 's3.example.com:443'],
    ['PRISTINE_LOG_LEVEL', 'loud'],
    ['PRISTINE_NODE_SELECTOR', 'zone'],
    ['PRISTINE_NODE_SELECTOR', 'zone=a,,'],
    ['PRISTINE_TOLERATIONS', '[{key: files}]'],
    ['PRISTINE_TOLERATIONS', '[{"keys":"files"}]'],
    ['PRISTINE_LOCK_TTL_SECONDS', '1'],
    ['PRISTINE_SEARCH_ATTRIBUTES', 'yes'],
    ['PRISTINE_SHUTDOWN_GRACE_SECONDS', '-1'],
    ['PRISTINE_CODEC_KEYS', secret],
    ['PRISTINE_CODEC_KEYS', 'id:short'],
    ['PRISTINE_CODEC_KEYS', `id:${secret},id:${secret}`],
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
    ['PRISTINE_DEPLOYMENT_NAME', ['PRISTINE_BUILD_ID']],
    ['PRISTINE_BUILD_ID', ['PRISTINE_DEPLOYMENT_NAME']],
  ] as const)('%s without what it needs', (name, partners) => {
    expect(problems({ ...minimal, [name]: full[name] })).toEqual(
      partners.map((partner) => `${partner}: must be set, because ${name} is`),
    );
  });

  test.each([
    ['PRISTINE_DEPLOYMENT_NAME', 'a.b'],
    ['PRISTINE_DEPLOYMENT_NAME', '__unversioned__'],
    ['PRISTINE_BUILD_ID', 'a:b'],
    ['PRISTINE_BUILD_ID', 'a b'],
  ])('%s=%j, which Temporal would not take', (name, value) => {
    expect(problems({ ...full, [name]: value })).toEqual([expect.stringContaining(`${name}: must be`)]);
  });

  test('no message repeats a value: it may be a secret', () => {
    const told = problems({
      ...minimal,
      REDIS_URL: 'http://:s3cret@redis',
      PRISTINE_LINK_KEYS: 'id:s3cret',
      PRISTINE_CODEC_KEYS: 'id:s3cret',
      AWS_ENDPOINT_URL_S3: 's3cret:x',
      PRISTINE_PROFILES_FILE: profilesFile('{"default": {"env": {"LICENCE": "s3cret'),
    });
    expect(told).toHaveLength(5);
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
  expect(printed).toContain('"codec":{"keys":["sealing","opening"]}');
});

describe('where Redis is', () => {
  const { REDIS_URL: _, ...elsewhere } = minimal;
  const sentinel = {
    ...elsewhere,
    REDIS_SENTINELS: 'one:26380, two,[::1]:26379',
    REDIS_SENTINEL_MASTER: 'main',
    REDIS_SENTINEL_USERNAME: 'watcher',
    REDIS_SENTINEL_PASSWORD: 's3cret-sentinel',
    REDIS_USERNAME: 'worker',
    REDIS_PASSWORD: 's3cret-redis',
    REDIS_TLS: 'true',
    REDIS_TLS_CA_FILE: '/tls/ca.pem',
  };

  test('behind Sentinels', () => {
    expect(readConfig(sentinel).redis).toEqual({
      keyPrefix: 'pristine',
      url: undefined,
      cluster: false,
      sentinel: {
        sentinels: [
          { host: 'one', port: 26_380 },
          { host: 'two', port: 26_379 },
          { host: '::1', port: 26_379 },
        ],
        master: 'main',
        username: 'watcher',
        password: 's3cret-sentinel',
        tls: true,
      },
      username: 'worker',
      password: 's3cret-redis',
      tlsFiles: { ca: '/tls/ca.pem', cert: undefined, key: undefined },
    });
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['one node and the word', { REDIS_URL: 'redis://one:7000', REDIS_CLUSTER: 'true' }],
    ['some nodes', { REDIS_URL: 'rediss://one:7000, rediss://:s3cret@two:7000', REDIS_TLS_CA_FILE: '/ca' }],
    ['a password beside the URL', { REDIS_URL: 'redis://one:7000', REDIS_PASSWORD: 's3cret' }],
    ['a certificate to show', { ...full, REDIS_TLS_CERT_FILE: '/crt', REDIS_TLS_KEY_FILE: '/key' }],
  ])('%s', (_name, env) => {
    expect(problems({ ...minimal, ...env })).toEqual([]);
  });

  test('printed without a password', () => {
    for (const env of [
      sentinel,
      { ...minimal, REDIS_URL: 'redis://:s3cret@one:7000,redis://u:s3cret@two' },
      { ...minimal, REDIS_PASSWORD: 's3cret' },
    ]) {
      expect(JSON.stringify(printConfig(readConfig(env)))).not.toContain('s3cret');
    }
    expect(
      printConfig(readConfig({ ...minimal, REDIS_URL: 'redis://:x@one:7000,redis://two' })),
    ).toMatchObject({
      redis: { url: 'redis://one:7000,redis://two', keyPrefix: 'pristine' },
    });
    expect(printConfig(readConfig(sentinel))).toMatchObject({
      redis: { sentinel: { master: 'main', password: 'redacted' }, password: 'redacted' },
    });
  });

  test.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['nowhere', { REDIS_URL: '' }, ['REDIS_URL']],
    ['in two ways', { ...sentinel, REDIS_URL: minimal.REDIS_URL }, ['REDIS_SENTINELS']],
    ['Sentinels without a master', { ...sentinel, REDIS_SENTINEL_MASTER: '' }, ['REDIS_SENTINEL_MASTER']],
    ['a master without Sentinels', { REDIS_SENTINEL_MASTER: 'main' }, ['REDIS_SENTINELS']],
    ['Sentinels’ password without them', { REDIS_SENTINEL_PASSWORD: 'x' }, ['REDIS_SENTINELS']],
    ['Sentinels that watch a Cluster', { ...sentinel, REDIS_CLUSTER: 'true' }, ['REDIS_CLUSTER']],
    ['Sentinels with a path', { ...sentinel, REDIS_SENTINELS: 'one:1/x' }, ['REDIS_SENTINELS']],
    ['Sentinels on no port', { ...sentinel, REDIS_SENTINELS: 'one:65536,two' }, ['REDIS_SENTINELS']],
    ['an empty Sentinel', { ...sentinel, REDIS_SENTINELS: 'one,' }, ['REDIS_SENTINELS']],
    ['a user without a password', { REDIS_USERNAME: 'worker' }, ['REDIS_PASSWORD']],
    ['two passwords', { REDIS_URL: 'redis://:x@one', REDIS_PASSWORD: 'y' }, ['REDIS_PASSWORD']],
    ['nodes of two schemes', { REDIS_URL: 'redis://one,rediss://two' }, ['REDIS_URL']],
    ['a Cluster with a database', { REDIS_URL: 'redis://one/2,redis://two' }, ['REDIS_URL']],
    ['nodes, one of them empty', { REDIS_URL: 'redis://one,' }, ['REDIS_URL']],
    ['a database that is none', { REDIS_URL: 'redis://one/first' }, ['REDIS_URL']],
    ['a CA without TLS', { REDIS_TLS_CA_FILE: '/ca' }, ['REDIS_TLS_CA_FILE']],
    ['a CA for Sentinels without TLS', { ...sentinel, REDIS_TLS: 'false' }, ['REDIS_TLS_CA_FILE']],
    ['TLS in the wrong place', { REDIS_TLS: 'true' }, ['REDIS_TLS']],
    ['half a certificate', { ...full, REDIS_TLS_KEY_FILE: '/key' }, ['REDIS_TLS_CERT_FILE']],
  ])('%s', (_name, env, names) => {
    const told = problems({ ...('REDIS_SENTINELS' in env ? elsewhere : minimal), ...env });
    expect(told.map((line) => line.split(/[:.]/)[0])).toEqual(names);
  });
});

test('nothing else of the worker reads the environment', () => {
  const root = join(import.meta.dirname, '../../..');
  const readers = ['workers', 'activities', 'drivers', 'fileserver', 'workflows'].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(part, file))
      .filter((file) => readFileSync(join(root, file), 'utf8').includes('process.env')),
  );
  // Each the entry of a process.
  expect(readers.sort()).toEqual(['workers/codec-server.ts', 'workers/main.ts']);
  expect(Object.keys(environmentSchema.shape)).toContain('REDIS_URL');
});

describe('where etcd is', () => {
  const { REDIS_URL: _, ...elsewhere } = minimal;
  const least = { ...elsewhere, PRISTINE_INDEX: 'etcd', ETCD_ENDPOINTS: 'http://etcd:2379' };
  const secure = {
    ...least,
    ETCD_ENDPOINTS: 'https://one:2379, https://two,https://[::1]:2379/',
    ETCD_USER: 'pristine',
    ETCD_PASSWORD: 's3cret-etcd',
    ETCD_CA_FILE: '/tls/ca.crt',
    ETCD_CERT_FILE: '/tls/tls.crt',
    ETCD_KEY_FILE: '/tls/tls.key',
  };

  test('Redis is what index and locks are on unless etcd is asked for, which then needs no Redis', () => {
    expect(readConfig(minimal).indexStore).toBe('redis');
    expect(readConfig(least)).toMatchObject({
      indexStore: 'etcd',
      etcd: { endpoints: ['http://etcd:2379'], user: undefined, keyPrefix: 'pristine' },
    });
  });

  test('users, passwords and TLS', () => {
    expect(readConfig(secure).etcd).toEqual({
      endpoints: ['https://one:2379', 'https://two', 'https://[::1]:2379/'],
      user: 'pristine',
      password: 's3cret-etcd',
      caFile: '/tls/ca.crt',
      certFile: '/tls/tls.crt',
      keyFile: '/tls/tls.key',
      keyPrefix: 'pristine',
    });
    const printed = JSON.stringify(printConfig(readConfig(secure)));
    expect(printed).not.toContain('s3cret');
    expect(printed).toContain('https://one:2379');
  });

  test.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['neither of the two', { PRISTINE_INDEX: 'memory' }, ['PRISTINE_INDEX']],
    ['no address', { ETCD_ENDPOINTS: undefined }, ['ETCD_ENDPOINTS']],
    ['an address that is none', { ETCD_ENDPOINTS: 'etcd:2379' }, ['ETCD_ENDPOINTS']],
    ['addresses, one of them empty', { ETCD_ENDPOINTS: 'http://etcd:2379,' }, ['ETCD_ENDPOINTS']],
    ['a password in the address', { ETCD_ENDPOINTS: 'http://u:s3cret@etcd' }, ['ETCD_ENDPOINTS']],
    ['addresses of two schemes', { ETCD_ENDPOINTS: 'http://one,https://two' }, ['ETCD_ENDPOINTS']],
    ['a user without a password', { ETCD_USER: 'u' }, ['ETCD_PASSWORD']],
    ['a password without a user', { ETCD_PASSWORD: 's3cret' }, ['ETCD_USER']],
    ['a certificate without its key', { ...secure, ETCD_KEY_FILE: undefined }, ['ETCD_KEY_FILE']],
    ['a key without its certificate', { ...secure, ETCD_CERT_FILE: undefined }, ['ETCD_CERT_FILE']],
    ['an authority without TLS', { ETCD_CA_FILE: '/ca' }, ['ETCD_CA_FILE']],
    [
      'all of it wrong at once',
      { ETCD_ENDPOINTS: 'etcd', ETCD_PASSWORD: 's3cret', ETCD_KEY_FILE: '/key', PRISTINE_ROLES: 'none' },
      ['PRISTINE_ROLES', 'ETCD_ENDPOINTS', 'ETCD_USER', 'ETCD_CERT_FILE'],
    ],
  ])('%s', (_name, more, names) => {
    const told = problems({ ...least, ...more });
    expect(told.map((line) => line.split(/[:.]/)[0]).sort()).toEqual([...names].sort());
    expect(told.join()).not.toContain('s3cret');
  });
});
