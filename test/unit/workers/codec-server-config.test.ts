import { describe, expect, test } from '@jest/globals';
import { printCodecServerConfig, readCodecServerConfig } from '../../../workers/codec-server-config.ts';
import { ConfigError } from '../../../workers/variables.ts';

const secret = 'k3y-'.repeat(8);
const minimal = { PRISTINE_CODEC_KEYS: `new:${secret},old:${secret}` };
const jwt = {
  PRISTINE_CODEC_SERVER_JWKS_URL: 'https://login.example.com/keys',
  PRISTINE_CODEC_SERVER_JWT_ISSUER: 'https://login.example.com/',
  PRISTINE_CODEC_SERVER_JWT_AUDIENCE: 'pristine-codec',
};
const everywhere = { PRISTINE_CODEC_SERVER_LISTEN: '0.0.0.0:8484' };

const wrong = (env: NodeJS.ProcessEnv): string[] => {
  try {
    readCodecServerConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(':')[0] ?? '');
  }
};

test('the least: on this machine, for no browser', () => {
  expect(readCodecServerConfig(minimal)).toMatchObject({
    namespace: 'default',
    listen: { host: '127.0.0.1', port: 8484 },
    tls: undefined,
    origins: [],
    token: undefined,
    jwt: undefined,
  });
});

test('everything ends in its place, and nothing of it that is secret in the log', () => {
  const config = readCodecServerConfig({
    ...minimal,
    ...jwt,
    ...everywhere,
    TEMPORAL_NAMESPACE: 'files',
    PRISTINE_CODEC_SERVER_TLS_CERT_FILE: '/tls/tls.crt',
    PRISTINE_CODEC_SERVER_TLS_KEY_FILE: '/tls/tls.key',
    PRISTINE_CODEC_SERVER_ORIGINS: 'https://ui.example.com, http://localhost:8233',
    PRISTINE_CODEC_SERVER_JWT_CLAIM: 'groups=security team',
    PRISTINE_CODEC_SERVER_TOKEN: 's3cret-'.repeat(8),
  });
  expect(config).toMatchObject({
    namespace: 'files',
    tls: { certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' },
    origins: ['https://ui.example.com', 'http://localhost:8233'],
    jwt: { audience: 'pristine-codec', claim: { name: 'groups', value: 'security team' } },
  });
  const printed = JSON.stringify(printCodecServerConfig(config));
  expect(printed).not.toContain(secret);
  expect(printed).not.toContain('s3cret');
  expect(printed).toContain('"keys":["new","old"]');
});

describe('it is open to nobody', () => {
  test.each(['0.0.0.0:8484', '[::]:8484', '10.0.0.1:8484', 'codec:8484', '[::ffff:127.0.0.1]:8484'])(
    'listening at %s without knowing who asks',
    (at) => {
      const env = { ...minimal, PRISTINE_CODEC_SERVER_LISTEN: at };
      expect(wrong(env)).toEqual(['PRISTINE_CODEC_SERVER_LISTEN']);
      expect(wrong({ ...env, PRISTINE_CODEC_SERVER_TOKEN: '' })).toEqual(['PRISTINE_CODEC_SERVER_LISTEN']);
      expect(wrong({ ...env, PRISTINE_CODEC_SERVER_TOKEN: secret })).toEqual([]);
      expect(wrong({ ...env, ...jwt })).toEqual([]);
    },
  );

  test.each(['127.0.0.1:0', '127.0.0.53:1', 'localhost:1', '[::1]:1'])('%s is this machine', (at) => {
    expect(wrong({ ...minimal, PRISTINE_CODEC_SERVER_LISTEN: at })).toEqual([]);
  });
});

test.each<[string, NodeJS.ProcessEnv, string[]]>([
  ['no keys', { PRISTINE_CODEC_KEYS: undefined }, ['PRISTINE_CODEC_KEYS']],
  ['a short token', { PRISTINE_CODEC_SERVER_TOKEN: 'short' }, ['PRISTINE_CODEC_SERVER_TOKEN']],
  ['any origin', { PRISTINE_CODEC_SERVER_ORIGINS: '*' }, ['PRISTINE_CODEC_SERVER_ORIGINS']],
  ['the null origin', { PRISTINE_CODEC_SERVER_ORIGINS: 'null' }, ['PRISTINE_CODEC_SERVER_ORIGINS']],
  [
    'an origin with a path',
    { PRISTINE_CODEC_SERVER_ORIGINS: 'https://a/' },
    ['PRISTINE_CODEC_SERVER_ORIGINS'],
  ],
  [
    'tokens of anybody',
    { PRISTINE_CODEC_SERVER_JWKS_URL: jwt.PRISTINE_CODEC_SERVER_JWKS_URL },
    ['PRISTINE_CODEC_SERVER_JWT_ISSUER', 'PRISTINE_CODEC_SERVER_JWT_AUDIENCE'],
  ],
  ['a claim of no token', { PRISTINE_CODEC_SERVER_JWT_CLAIM: 'groups=security' }, Object.keys(jwt)],
  [
    'a claim without a value',
    { ...jwt, PRISTINE_CODEC_SERVER_JWT_CLAIM: 'groups' },
    ['PRISTINE_CODEC_SERVER_JWT_CLAIM'],
  ],
  [
    'a certificate without its key',
    { PRISTINE_CODEC_SERVER_TLS_CERT_FILE: '/tls/tls.crt' },
    ['PRISTINE_CODEC_SERVER_TLS_KEY_FILE'],
  ],
  [
    "an issuer's keys over plain HTTP",
    { ...jwt, PRISTINE_CODEC_SERVER_JWKS_URL: 'http://login.example.com/keys' },
    ['PRISTINE_CODEC_SERVER_JWKS_URL'],
  ],
])('%s', (_name, env, names) => {
  expect(wrong({ ...minimal, ...env })).toEqual(names);
});
