/** What the engine left, opened as the work of an attacker: no link followed, nothing but plain files read. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, OUTPUT } from './protocol.ts';
import { firstLine } from './reason.ts';
import { errorCode, Stop } from './stop.ts';

export type OutputName = 'rebuilt' | 'report.xml' | 'report.json';
export type OutputFile = { name: OutputName; handle: FileHandle; size: number };
export type Output = { verdict: 'rebuilt' | 'refused'; reason?: string; files: OutputFile[] };

/** Of `refused` only the first line counts; an engine may write more. */
const REFUSED_BYTES_READ = 4096;

/**
 * Opens what is to be uploaded; `close` each handle. Other entries in the folder are left alone.
 * Throws Stop(EXIT.badOutput) with one sentence when the contract is broken.
 */
export async function openOutput(
  folder: string,
  limits: { maxRebuiltBytes: number; maxReportBytes: number },
): Promise<Output> {
  const opened: FileHandle[] = [];
  const look = async (name: string, maxBytes: number) => {
    const found = await openPlainFile(folder, name, maxBytes);
    if (found) opened.push(found.handle);
    return found;
  };
  try {
    const rebuilt = await look(OUTPUT.rebuilt, limits.maxRebuiltBytes);
    const refused = await look(OUTPUT.refused, Number.MAX_SAFE_INTEGER);
    const xml = await look(OUTPUT.reportXml, limits.maxReportBytes);
    const json = await look(OUTPUT.reportJson, limits.maxReportBytes);

    if (rebuilt && refused) throw bad('The engine left both rebuilt and refused.');
    if (xml && json) throw bad('The engine left two reports, report.xml and report.json.');
    const files: OutputFile[] = [];
    if (xml) files.push({ name: OUTPUT.reportXml, ...xml });
    if (json) files.push({ name: OUTPUT.reportJson, ...json });
    if (refused) {
      const head = Buffer.alloc(REFUSED_BYTES_READ);
      const { bytesRead } = await refused.handle.read(head, 0, head.length, 0);
      await refused.handle.close();
      return { verdict: 'refused', reason: firstLine(head.subarray(0, bytesRead)), files };
    }
    if (!rebuilt) throw bad('The engine left neither rebuilt nor refused.');
    if (rebuilt.size === 0) throw bad('The engine left an empty rebuilt.');
    return { verdict: 'rebuilt', files: [...files, { name: OUTPUT.rebuilt, ...rebuilt }] };
  } catch (error) {
    await Promise.all(opened.map((handle) => handle.close()));
    throw error;
  }
}

async function openPlainFile(
  folder: string,
  name: string,
  maxBytes: number,
): Promise<{ handle: FileHandle; size: number } | null> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
    handle = await open(
      join(folder, name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw bad(`The engine's ${name} is a link.`);
    throw bad(`The engine's ${name} can't be opened (${code ?? 'no reason given'}).`);
  }
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw bad(`The engine's ${name} is not a plain file.`);
    if (info.nlink !== 1)
      throw bad(`The engine's ${name} has ${info.nlink} names; only a file of its own is taken.`);
    if (info.size > maxBytes)
      throw bad(`The engine's ${name} has ${info.size} bytes; at most ${maxBytes} are allowed.`);
    return { handle, size: info.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function bad(message: string): Stop {
  return new Stop(EXIT.badOutput, message);
}
