/**
 * File names between bytes (what a source has) and JSON (what workflows, records and manifests hold).
 * A name can be any bytes; this file alone decides how they are written down.
 */
import { isUtf8 } from 'node:buffer';
import type { FileName } from '../workflows/contract.ts';
import type { NameBytes } from './ports.ts';

/** The text where the bytes are valid UTF-8, else a lossy text and the bytes in base64. */
export function toFileName(bytes: NameBytes): FileName {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const path = buffer.toString('utf8');
  return isUtf8(buffer) ? { path } : { path, pathBase64: buffer.toString('base64') };
}

/** The exact bytes that `toFileName` was given. */
export function toBytes(name: FileName): NameBytes {
  return name.pathBase64 === undefined
    ? Buffer.from(name.path, 'utf8')
    : Buffer.from(name.pathBase64, 'base64');
}
