/** `fetch`: one link in, one verified file under a neutral name out. */
import { createHash } from 'node:crypto';
import { chmod, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { attempt, Hiccup, PATIENCE, type Patience, worthRetrying } from './attempts.ts';
import type { FetchOrder } from './environment.ts';
import { type Answer, exchange, TIME_LIMITS, type TimeLimits } from './exchange.ts';
import { EXIT, INPUT_FILE } from './protocol.ts';
import { type Ending, type Log, Stop } from './stop.ts';

export type FetchSetting = {
  /** Folder to put the file into. */
  folder: string;
  log: Log;
  limits?: TimeLimits;
  patience?: Patience;
};

/** What came instead of the wanted content: its sha256, or `longer` when there was more than that. */
type Other = { other: string };

/**
 * Downloads until the bytes are those ordered, then puts them at `folder/file`, read-only. The engine can't see
 * a part of a file or other bytes: those lie under another name and go before this ends.
 * Throws Stop: changed (other content twice alike, or 412), gone (404, 410), linkRefused (401, 403), transfer.
 */
export async function fetchFile(order: FetchOrder, setting: FetchSetting): Promise<Ending> {
  const { folder, log, limits = TIME_LIMITS, patience = PATIENCE } = setting;
  const part = join(folder, `.${INPUT_FILE}.part`);
  const began = performance.now();
  const seen = new Set<string>();
  try {
    await attempt('download', patience, log, async () => {
      await rm(part, { force: true });
      const other = await exchange(order.url, { method: 'GET' }, limits, (answer) =>
        receive(answer, order, part),
      );
      if (other === null) return;
      if (seen.has(other.other))
        throw new Stop(EXIT.changed, 'The source has other bytes than when the file was listed.');
      seen.add(other.other);
      throw new Hiccup('other bytes than those listed');
    });
    await chmod(part, 0o444);
    await rename(part, join(folder, INPUT_FILE));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  log('fetch.done', { bytes: order.size, ms: Math.round(performance.now() - began) });
  return { code: EXIT.ok, message: '' };
}

async function receive({ status, body }: Answer, order: FetchOrder, part: string): Promise<Other | null> {
  if (status !== 200) refuse(status);
  const hash = createHash('sha256');
  let received = 0;
  // Exclusive: it goes through no link.
  const file = await open(part, 'wx', 0o600);
  try {
    await pipeline(
      body,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          received += chunk.length;
          if (received > order.size) throw new Longer();
          hash.update(chunk);
          yield chunk;
        }
      },
      file.createWriteStream(),
    );
  } catch (error) {
    if (error instanceof Longer) return { other: 'longer' };
    throw error;
  }
  const sha256 = hash.digest('hex');
  return received === order.size && sha256 === order.sha256 ? null : { other: sha256 };
}

class Longer extends Error {}

function refuse(status: number): never {
  if (status === 404 || status === 410)
    throw new Stop(EXIT.gone, `The file is not in the source any more (HTTP ${status}).`);
  if (status === 412) throw new Stop(EXIT.changed, 'The file is another than when it was listed (HTTP 412).');
  if (status === 401 || status === 403)
    throw new Stop(
      EXIT.linkRefused,
      `The source refused the link (HTTP ${status}): expired, or not made for this pod.`,
    );
  if (worthRetrying(status)) throw new Hiccup(`HTTP ${status}`);
  throw new Stop(EXIT.transfer, `The source answered HTTP ${status}.`);
}
