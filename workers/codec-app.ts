/**
 * Temporal's remote codec protocol: POST /encode and /decode for the Web UI and the temporal CLI. Whoever it answers
 * can read every payload of the namespace.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Payload, PayloadCodec } from '@temporalio/common';
import Koa, { type Context } from 'koa';
import { z } from 'zod';
import { EVENT, type Logger } from '../drivers/events.ts';
import type { Authorizer } from './codec-authorizer.ts';
import type { Certificate } from './codec-tls.ts';
import { SealedPayloadError } from './payload-codec.ts';

export type CodecServerSettings = {
  codec: PayloadCodec;
  namespace: string;
  authorize: Authorizer;
  /** Of the pages whose scripts may ask. Programs that are no browser send none. */
  origins: readonly string[];
  logger: Logger;
};

/** Temporal answers with at most 4 MB at a time; base64 makes a third more of it. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

// Base64, as JSON has a payload's bytes. What else a payload carries goes back as it came.
const bytes = z.base64();
const payloadSchema = z.looseObject({
  metadata: z.record(z.string(), bytes).optional(),
  data: bytes.optional(),
});
const bodySchema = z.object({ payloads: z.array(payloadSchema) });
type JsonPayload = z.infer<typeof payloadSchema>;

const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000 };

/** Makes the server, which speaks TLS where it gets a certificate; the caller lets it listen and closes it. */
export function createCodecServer(settings: CodecServerSettings): Server;
export function createCodecServer(settings: CodecServerSettings, certificate: Certificate): TlsServer;
export function createCodecServer(settings: CodecServerSettings, certificate?: Certificate) {
  const { logger } = settings;
  const app = new Koa();
  app.on('error', (error) => logger.error({ event: EVENT.codecRefused, err: error }, 'request failed'));
  app.use(async (ctx) => {
    ctx.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    if (ctx.method === 'GET' && ctx.path === '/healthz') return answer(ctx, 200, 'ok');
    if (ctx.path !== '/encode' && ctx.path !== '/decode') return answer(ctx, 404, 'not found');
    if (!allowsOrigin(ctx, settings.origins)) return refuse(ctx, settings, 403, 'another origin');
    if (ctx.method === 'OPTIONS') return answerPreflight(ctx);
    if (ctx.method !== 'POST') return answer(ctx, 405, 'only POST');
    return convert(ctx, settings);
  });
  const server =
    certificate === undefined
      ? createServer(LIMITS, app.callback())
      : createTlsServer({ ...LIMITS, ...certificate }, app.callback());
  server.maxHeadersCount = 64;
  return server;
}

async function convert(ctx: Context, settings: CodecServerSettings): Promise<void> {
  const { codec, namespace, authorize, logger } = settings;
  const authorized = await authorize(ctx.get('authorization') || undefined);
  if ('refusal' in authorized) {
    ctx.set('www-authenticate', 'Bearer');
    return refuse(ctx, settings, 401, authorized.refusal);
  }
  // A form on a page of anybody's can't send this type, nor the header below, without asking first.
  if (!ctx.is('application/json')) return refuse(ctx, settings, 415, 'the body must be application/json');
  if (ctx.get('x-namespace') !== namespace) {
    return refuse(ctx, settings, 403, `X-Namespace must be ${namespace}: it is the one these keys are for`);
  }
  const text = await readBody(ctx);
  if (text === undefined) return refuse(ctx, settings, 413, `at most ${MAX_BODY_BYTES} bytes`);
  const given = parseBody(text);
  if (given === undefined) return refuse(ctx, settings, 400, 'the body must be {"payloads": […]}');
  const verb = ctx.path === '/encode' ? 'encode' : 'decode';
  try {
    ctx.body = { payloads: await converted(given, (payloads) => codec[verb](payloads)) };
  } catch (error) {
    if (!(error instanceof SealedPayloadError)) throw error;
    return refuse(ctx, settings, 400, error.message);
  }
  const { who } = authorized;
  logger.info({ event: EVENT.codecUsed, verb, payloads: given.length, who }, 'payloads converted');
}

async function converted(
  given: readonly JsonPayload[],
  convertAll: (payloads: Payload[]) => Promise<Payload[]>,
): Promise<JsonPayload[]> {
  const payloads = given.map(fromJson);
  const results = await convertAll(payloads);
  // Those that passed as they are keep what fromJson does not know.
  return results.map((result, i) => (result === payloads[i] ? (given[i] ?? toJson(result)) : toJson(result)));
}

function fromJson({ metadata, data }: JsonPayload): Payload {
  const entries = Object.entries(metadata ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')]);
  return {
    metadata: Object.fromEntries(entries),
    ...(data === undefined ? {} : { data: Buffer.from(data, 'base64') }),
  };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const base64 = (value: Uint8Array) => Buffer.from(value).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return {
    metadata: Object.fromEntries(entries),
    ...(data === undefined || data === null ? {} : { data: base64(data) }),
  };
}

/** undefined: more than may be. */
async function readBody(ctx: Context): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Not destroyed when it is left: the answer goes over the same connection.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    // The rest is not read: the connection ends with the answer.
    if (length > MAX_BODY_BYTES) {
      ctx.set('connection', 'close');
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string): JsonPayload[] | undefined {
  try {
    return bodySchema.parse(JSON.parse(text)).payloads;
  } catch {
    return undefined;
  }
}

/** No origin: no browser. An allowed one is told so; `vary` keeps a cache from telling others. */
function allowsOrigin(ctx: Context, origins: readonly string[]): boolean {
  ctx.vary('origin');
  const origin = ctx.get('origin');
  if (origin === '') return true;
  if (!origins.includes(origin)) return false;
  // Credentials: where a proxy in front tells people by their cookie.
  ctx.set({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
  return true;
}

function answerPreflight(ctx: Context): void {
  ctx.set({
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, x-namespace',
    'access-control-max-age': '600',
  });
  ctx.status = 204;
}

function refuse(ctx: Context, { logger }: CodecServerSettings, status: number, reason: string): void {
  logger.warn({ event: EVENT.codecRefused, status, reason }, 'request refused');
  answer(ctx, status, reason);
}

function answer(ctx: Context, status: number, text: string): void {
  ctx.status = status;
  ctx.body = `${text}\n`;
}
