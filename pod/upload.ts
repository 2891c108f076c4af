/** `upload`: what the engine left goes into this attempt's slot, and the pod says what it sent. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { UploadReport } from '../drivers/ports.ts';
import { attempt, Hiccup, PATIENCE, type Patience, worthRetrying } from './attempts.ts';
import type { UploadOrder } from './environment.ts';
import { exchange, TIME_LIMITS, type TimeLimits } from './exchange.ts';
import { type OutputFile, openOutput } from './output.ts';
import { EXIT, TERMINATION_MESSAGE_LIMIT } from './protocol.ts';
import { type Ending, type Log, Stop } from './stop.ts';

export type UploadSetting = {
  /** Folder with the engine's output. */
  folder: string;
  log: Log;
  limits?: TimeLimits;
  patience?: Patience;
};

/**
 * Creates each object of the slot and returns the UploadReport as the termination message.
 * Throws Stop: badOutput, linkRefused (401, 403), destinationFull (507), transfer.
 */
export async function uploadOutput(order: UploadOrder, setting: UploadSetting): Promise<Ending> {
  const { folder, log, limits = TIME_LIMITS, patience = PATIENCE } = setting;
  const output = await openOutput(folder, order);
  try {
    const report: UploadReport = { verdict: output.verdict, reason: output.reason, files: [] };
    for (const file of output.files) {
      const began = performance.now();
      const sha256 = await attempt('upload', patience, log, () => put(order.urls[file.name], file, limits));
      report.files.push({ name: file.name, size: file.size, sha256 });
      log('upload.done', { name: file.name, bytes: file.size, ms: Math.round(performance.now() - began) });
    }
    return { code: EXIT.ok, message: terminationMessage(report) };
  } finally {
    await Promise.all(output.files.map(({ handle }) => handle.close()));
  }
}

/** JSON of at most TERMINATION_MESSAGE_LIMIT bytes: what is longer Kubernetes cuts, and cut JSON says nothing. */
export function terminationMessage(report: UploadReport): string {
  let { reason } = report;
  for (;;) {
    const text = JSON.stringify({ ...report, reason });
    if (Buffer.byteLength(text) <= TERMINATION_MESSAGE_LIMIT || !reason) return text;
    const characters = [...reason];
    reason = `${characters.slice(0, Math.floor(characters.length / 2)).join('')}…`;
  }
}

/** Returns the sha256 of the bytes that were sent (or, when the object was there already, of the file's). */
async function put(url: URL, { handle, size }: OutputFile, limits: TimeLimits): Promise<string> {
  const hash = createHash('sha256');
  let sent = 0;
  async function* body() {
    for await (const chunk of read(handle, size)) {
      hash.update(chunk);
      sent += chunk.length;
      yield chunk;
    }
  }
  const status = await exchange(
    url,
    {
      method: 'PUT',
      headers: {
        'content-length': size,
        'content-type': 'application/octet-stream',
        // The link creates one object and never replaces it: a late or repeated upload finds 412, changes nothing.
        ...(isForAnyPut(url) ? {} : { 'if-none-match': '*' }),
      },
      body: Readable.from(body(), { objectMode: false }),
    },
    limits,
    async (answer) => {
      answer.body.resume();
      return answer.status;
    },
  );
  if (status >= 200 && status < 300 && sent === size) return hash.digest('hex');
  if (status === 412) return sha256Of(handle, size);
  if (status === 401 || status === 403)
    throw new Stop(
      EXIT.linkRefused,
      `The destination refused the link (HTTP ${status}): expired, or not made for this.`,
    );
  if (status === 507) throw new Stop(EXIT.destinationFull, 'The destination is full (HTTP 507).');
  if (status === 413)
    throw new Stop(EXIT.badOutput, 'The destination takes no object of this size (HTTP 413).');
  if (worthRetrying(status)) throw new Hiccup(`HTTP ${status}`);
  throw new Stop(EXIT.transfer, `The destination answered HTTP ${status}.`);
}

/** A presigned link that does not sign the condition is to a store that takes no request with it. */
function isForAnyPut(url: URL): boolean {
  const signed = url.searchParams.get('X-Amz-SignedHeaders');
  return signed !== null && !signed.split(';').includes('if-none-match');
}

async function sha256Of(handle: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of read(handle, size)) hash.update(chunk);
  return hash.digest('hex');
}

/** Exactly `size` bytes from the start, or throws: the length has been promised to the server. */
async function* read(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(64 * 1024, size - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new Stop(EXIT.badOutput, "The engine's output shrank while it was read.");
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
