import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { keyRingSchema } from '../../../drivers/key-ring.ts';
import { createCodecServer } from '../../../workers/codec-app.ts';
import { createAuthorizer } from '../../../workers/codec-authorizer.ts';
import { createPayloadCodec } from '../../../workers/payload-codec.ts';
import { recordingLog } from '../../contract/redis-connection.ts';

const TOKEN = 'a-token-of-a-test-with-more-than-32-characters';
const UI = 'https://temporal.example.com';
const keys = keyRingSchema.parse(`test:${'k'.repeat(32)}`);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = { metadata: { encoding: base64('json/plain') }, data: base64('{"source":"s3://inbox/"}') };

const issuer = { keys: await generateKeyPair('ES256'), others: await generateKeyPair('ES256') };
let issuerAnswers = 200;
const { log, lines } = recordingLog();
const servers: Server[] = [];
async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let jwks: string;
let url: string;
let open: string;
beforeAll(async () => {
  const jwk = { ...(await exportJWK(issuer.keys.publicKey)), alg: 'ES256', kid: 'one' };
  jwks = await listen(
    createServer((_request, response) =>
      response.writeHead(issuerAnswers).end(JSON.stringify({ keys: [jwk] })),
    ),
  );
  const jwt = {
    jwks: new URL(jwks),
    issuer: 'https://login.example.com/',
    audience: 'pristine-codec',
    claim: { name: 'groups', value: 'security' },
  };
  const settings = {
    codec: createPayloadCodec({ keys, namespace: 'default' }),
    namespace: 'default',
    origins: [UI],
    logger: log,
  };
  url = await listen(createCodecServer({ ...settings, authorize: createAuthorizer({ token: TOKEN, jwt }) }));
  open = await listen(
    createCodecServer({ ...settings, authorize: createAuthorizer({ token: undefined, jwt: undefined }) }),
  );
});
beforeEach(() => {
  lines.length = 0;
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const usual = {
  'content-type': 'application/json',
  'x-namespace': 'default',
  authorization: `Bearer ${TOKEN}`,
};
const ask = (
  path: string,
  payloads: unknown,
  { headers = {}, at = url, raw }: { headers?: Record<string, string>; at?: string; raw?: string } = {},
) =>
  fetch(`${at}${path}`, {
    method: 'POST',
    headers: { ...usual, ...headers },
    body: raw ?? JSON.stringify({ payloads }),
  });

async function encoded(): Promise<{ metadata: Record<string, string>; data: string }> {
  const { payloads } = (await (await ask('/encode', [plain])).json()) as { payloads: [never] };
  return payloads[0];
}

describe('the protocol', () => {
  test('what /encode has sealed, /decode opens; what is plain passes with all it carries', async () => {
    const sealed = await encoded();
    expect(Buffer.from(sealed.metadata.encoding ?? '', 'base64').toString()).toBe('binary/encrypted');
    expect(JSON.stringify(sealed)).not.toContain(plain.data);
    const other = { ...plain, somethingNew: [{ size: 1 }] };
    const answer = await ask('/decode', [other, sealed, plain]);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.json()).toEqual({ payloads: [other, plain, plain] });
    expect(lines.at(-1)).toMatchObject({ event: 'codec.used', verb: 'decode', payloads: 3 });
  });

  test('none, and one without metadata or data', async () => {
    expect(await (await ask('/decode', [])).json()).toEqual({ payloads: [] });
    expect(await (await ask('/decode', [{}])).json()).toEqual({ payloads: [{}] });
  });

  test('a payload that does not open is 400 and says why, and nothing else of the request comes back', async () => {
    const sealed = await encoded();
    const answer = await ask('/decode', [plain, { ...sealed, data: sealed.data.replace(/^./, '*') }]);
    expect(answer.status).toBe(400);
    const changed = Buffer.from(sealed.data, 'base64').fill(0, 40, 41).toString('base64');
    const tampered = await ask('/decode', [plain, { ...sealed, data: changed }]);
    expect(tampered.status).toBe(400);
    const text = await tampered.text();
    expect(text).toMatch(/does not open with key "test"/);
    expect(text).not.toContain(plain.data);
  });

  test.each(['', '{', '[]', '{"payloads":{}}', '{"payloads":[{"data":7}]}', '{"payloads":[{"data":"%"}]}'])(
    'a body that is none: %j',
    async (raw) => {
      expect((await ask('/decode', [], { raw })).status).toBe(400);
    },
  );

  test('a body that is too large is cut off and answered', async () => {
    const raw = `{"payloads":[{"data":"${'A'.repeat(9 * 1024 * 1024)}"}]}`;
    expect((await ask('/decode', [], { raw })).status).toBe(413);
  });

  test('health, other paths, other methods', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await ask('/', [])).status).toBe(404);
    expect((await ask('/decode/', [])).status).toBe(404);
    expect((await fetch(`${url}/decode`, { headers: usual })).status).toBe(405);
  });
});

describe('who may ask', () => {
  const token = (
    changes: Record<string, unknown> = {},
    by = issuer.keys.privateKey,
    header: { alg: string; kid: string } = { alg: 'ES256', kid: 'one' },
  ) =>
    new SignJWT({
      iss: 'https://login.example.com/',
      aud: 'pristine-codec',
      sub: 'ada',
      groups: ['staff', 'security'],
      exp: Math.floor(Date.now() / 1000) + 60,
      ...changes,
    })
      .setProtectedHeader(header)
      .sign(by);
  const status = async (jwt: string) =>
    (await ask('/decode', [], { headers: { authorization: `Bearer ${jwt}` } })).status;

  test('a token of the issuer, for us, with the claim; and the log says who', async () => {
    expect(await status(await token())).toBe(200);
    expect(lines.at(-1)).toMatchObject({ event: 'codec.used', who: 'ada' });
    expect(await status(await token({ groups: 'security' }))).toBe(200);
  });

  test.each<[string, () => Promise<string>]>([
    ['expired', () => token({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['that never expires', () => token({ exp: undefined })],
    ['of nobody', () => token({ sub: undefined })],
    ['of another issuer', () => token({ iss: 'https://evil.example.com/' })],
    ['for another service', () => token({ aud: 'another' })],
    ['without the claim', () => token({ groups: ['staff'] })],
    ['with the claim as a part of a word', () => token({ groups: 'security-guests' })],
    ['signed by another', () => token({}, issuer.others.privateKey)],
    ['signed by nobody', async () => `${(await token()).split('.').slice(0, 2).join('.')}.`],
    [
      'that says it needs no signature',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token()).split('.')[1]}.`,
    ],
    ['of another fixed one', async () => `${TOKEN}x`],
    ['that is a part of the fixed one', async () => TOKEN.slice(0, -1)],
  ])('a token %s: 401, and logged', async (_name, make) => {
    const given = await make();
    expect(await status(given)).toBe(401);
    expect(lines.at(-1)).toMatchObject({ event: 'codec.refused', status: 401 });
    expect(JSON.stringify(lines)).not.toContain(given);
  });

  test.each(['', 'Basic YTpi', TOKEN, `Bearer  `])('authorization: %j is none', async (authorization) => {
    expect((await ask('/decode', [], { headers: { authorization } })).status).toBe(401);
    expect((await ask('/encode', [], { headers: { authorization } })).status).toBe(401);
  });

  test("the issuer's keys can't be had: an error, not a yes", async () => {
    issuerAnswers = 500;
    const authorize = createAuthorizer({
      token: undefined,
      jwt: { jwks: new URL(jwks), issuer: 'i', audience: 'a', claim: undefined },
    });
    await expect(authorize(`Bearer ${await token()}`)).rejects.toThrow();
    issuerAnswers = 200;
  });

  test.each(['other', ''])('the namespace %j is not the one of these keys: 403', async (namespace) => {
    expect((await ask('/decode', [], { headers: { 'x-namespace': namespace } })).status).toBe(403);
  });
});

describe('browsers', () => {
  test('a page of the Web UI may ask, with its headers and its cookies', async () => {
    const preflight = await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin: UI } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(UI);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*x-namespace/);
    const answer = await ask('/decode', [], { headers: { origin: UI } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
    expect(answer.headers.get('vary')?.toLowerCase()).toContain('origin');
  });

  // The one that needs no token is the one that any page in a browser of this machine would try.
  test.each(['https://evil.example.com', 'null', `${UI}.evil.example.com`, 'http://127.0.0.1:1'])(
    'another page, %s, gets nothing',
    async (origin) => {
      for (const at of [url, open]) {
        const preflight = await fetch(`${at}/decode`, { method: 'OPTIONS', headers: { origin } });
        expect(preflight.status).toBe(403);
        expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
        const answer = await ask('/decode', [plain], { at, headers: { origin } });
        expect(answer.status).toBe(403);
        expect(await answer.text()).not.toContain(plain.data);
      }
    },
  );

  test('a form can send neither the type nor the header', async () => {
    const asForm = { at: open, headers: { 'content-type': 'text/plain' } };
    expect((await ask('/decode', [], asForm)).status).toBe(415);
  });
});
