/**
 * The way into and out of a file system for pods: one signed link, one file, one method. It lists nothing
 * and has no other route than /f/<link> and /healthz.
 */
import { createServer, type Server, STATUS_CODES } from 'node:http';
import Koa, { type Context } from 'koa';
import { EVENT, type Logger } from '../drivers/events.ts';
import { openFolder } from '../drivers/file-system/anchor.ts';
import { normalizeRoot } from '../drivers/file-system/file-url.ts';
import { removeAbandoned } from '../drivers/file-system/temp-file.ts';
import type { LinkKeys } from './link-keys.ts';
import { type Link, verifyLink } from './links.ts';
import { receiveFile } from './receive-file.ts';
import { type Served, sendFile } from './send-file.ts';

export type FileServerSettings = {
  /** The folders that links may lead into, absolute: PRISTINE_FILE_ROOTS. */
  roots: readonly string[];
  keys: LinkKeys;
  /** The largest upload, whatever a link allows. */
  maxUploadBytes: number;
  /** Takes uploads also where a file system has no hard links: PRISTINE_SINGLE_WRITER. Default false. */
  singleWriter?: boolean;
  logger: Logger;
  /** A connection without a byte in either direction is closed after this. Default one minute. */
  idleMs?: number;
  /** A client that has not sent its request's head by then is cut off. Default 10 seconds. */
  headersMs?: number;
  /** Milliseconds since the epoch. Its clock decides when links expire. */
  now?: () => number;
};

/** How long the rest of a refused upload is read and dropped, so that its sender gets to see the answer. */
const LINGER_MS = 5_000;

/** Makes the server; the caller lets it listen and closes it. */
export function createFileServer(settings: FileServerSettings): Server {
  const { logger } = settings;
  const roots = settings.roots.map(normalizeRoot);
  const app = new Koa();
  app.on('error', (error) => logger.error({ event: EVENT.linkFailed, err: error }, 'request failed'));
  app.use(async (ctx) => {
    ctx.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    closeAfterAnswer(ctx);
    const target = ctx.req.url ?? '';
    if (target.startsWith('/f/')) return serveLink(ctx, target, { ...settings, roots });
    answer(ctx, ctx.method === 'GET' && target === '/healthz' ? 200 : 404);
  });

  const { headersMs = 10_000, idleMs = 60_000 } = settings;
  const limits = {
    // Room for a link with a name of 4,096 bytes.
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersMs,
    // An upload may take long; it ends with its link or when nothing comes any more.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
  };
  const server = createServer(limits, app.callback());
  server.timeout = idleMs;
  server.maxHeadersCount = 64;
  server.once('listening', () => void sweep(roots, logger));
  return server;
}

async function serveLink(ctx: Context, target: string, settings: FileServerSettings): Promise<void> {
  const { logger, maxUploadBytes, singleWriter = false, now = Date.now } = settings;
  const checked = verifyLink({ method: ctx.method, target, now: now() }, settings);
  if ('refusal' in checked) {
    const { refusal, pod } = checked;
    logger.warn({ event: EVENT.linkRefused, reason: refusal, pod, method: ctx.method }, 'link refused');
    return answer(ctx, 403);
  }
  const { link } = checked;
  const fields = { pod: link.pod, method: link.method };
  try {
    const signal = AbortSignal.timeout(Math.min(link.expiresAt - now(), 2 ** 31 - 1));
    const maxBytes = Math.min(link.maxBytes ?? maxUploadBytes, maxUploadBytes);
    const served = await serve(ctx, link, { maxBytes, singleWriter }, signal);
    logger.info({ event: EVENT.linkServed, ...fields, ...served }, 'link served');
    if (ctx.respond !== false) answer(ctx, served.status);
  } catch (error) {
    logger.warn({ event: EVENT.linkFailed, ...fields, err: error }, 'transfer failed');
    if (!ctx.headerSent) answer(ctx, 500);
  }
}

function serve(
  ctx: Context,
  link: Link,
  limits: { maxBytes: number; singleWriter: boolean },
  signal: AbortSignal,
): Promise<Served> {
  return link.method === 'GET' ? sendFile(ctx, link, signal) : receiveFile(ctx, link, limits, signal);
}

/** A status and its standard text, so that no two reasons for one status look different. */
function answer(ctx: Context, status: number): void {
  ctx.status = status;
  ctx.body = `${STATUS_CODES[status] ?? status}\n`;
}

/** Whoever goes on sending after the answer is cut off, but not so soon that the answer gets lost. */
function closeAfterAnswer(ctx: Context): void {
  const { req, res } = ctx;
  res.once('finish', () => {
    if (req.complete) return;
    setTimeout(() => {
      if (!req.complete) req.socket.destroy();
    }, LINGER_MS).unref();
  });
}

/** Removes uploads that a file server that died has left half written. */
async function sweep(roots: readonly string[], logger: Logger): Promise<void> {
  for (const base of roots) {
    try {
      const root = await openFolder({ base, below: [] }, []);
      await removeAbandoned(root).finally(() => root.close());
    } catch (error) {
      logger.warn({ event: EVENT.leftoversKept, err: error }, 'temporary files could not be removed');
    }
  }
}
