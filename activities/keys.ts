/** Every key under a destination, spelled once. See "Destination" in docs/architecture.md. */
import { createHash } from 'node:crypto';
import { toBytes } from '../drivers/file-name.ts';
import type { FileName } from '../workflows/contract.ts';

type Content = { sha256: string; fingerprint: string };

function contentKey({ sha256, fingerprint }: Content): string {
  return `content/${sha256.slice(0, 2)}/${sha256}/${fingerprint}`;
}

export function receiptKey(content: Content): string {
  return `${contentKey(content)}/receipt.json`;
}

/** Why a content is quarantined: an operator's to clear, and not a receipt. */
export function quarantineKey(content: Content): string {
  return `${contentKey(content)}/quarantined.json`;
}

export function slotKey(content: Content, slot: string, file: string): string {
  return `${contentKey(content)}/${slot}/${file}`;
}

export function slotPrefix(content: Content, slot: string): string {
  return `${contentKey(content)}/${slot}/`;
}

export function treeKey(name: FileName): Uint8Array {
  return Buffer.concat([Buffer.from('tree/'), toBytes(name)]);
}

export function reportKey(name: FileName, extension: 'xml' | 'json'): Uint8Array {
  return Buffer.concat([Buffer.from('reports/'), toBytes(name), Buffer.from(`.${extension}`)]);
}

export function scanKey(scan: string, file: string): string {
  return `scans/${scanFolder(scan)}/${file}`;
}

/** What one listing of a page found, whoever lists it again. */
export function pageKey(scan: string, firstRunId: string, page: number): string {
  return scanKey(scan, `pages/${firstRunId}/${String(page).padStart(7, '0')}.json`);
}

/** Each start of a scan has parts of its own, so that a second one never mixes with the first. */
export function partKey(scan: string, firstRunId: string, part: number): string {
  return scanKey(scan, `parts/${firstRunId}/${String(part).padStart(7, '0')}.jsonl`);
}

const FOLDER_LIMIT = 200;

/** A workflow ID may hold anything: what is not plain is percent-encoded, so that it stays one folder. */
function scanFolder(scan: string): string {
  const plain = [...Buffer.from(scan)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  const folder = plain.startsWith('.') ? `%2E${plain.slice(1)}` : plain;
  if (folder.length <= FOLDER_LIMIT) return folder;
  return `${folder.slice(0, FOLDER_LIMIT - 17)}-${createHash('sha256').update(scan).digest('hex').slice(0, 16)}`;
}

const CONTENT_KEY = /^content\/([0-9a-f]{2})\/(\1[0-9a-f]{62})\/([0-9a-f]{8})\/(.+)$/s;

/** The content that a key belongs to, and what comes after its folder; null for keys that are none of ours. */
export function parseContentKey(key: Uint8Array): (Content & { rest: string }) | null {
  const [, , sha256, fingerprint, rest] = CONTENT_KEY.exec(Buffer.from(key).toString('latin1')) ?? [];
  if (sha256 === undefined || fingerprint === undefined || rest === undefined) return null;
  return { sha256, fingerprint, rest };
}

/** The workflow ID whose scan has this folder; null when the folder does not tell, as that of a long ID does not. */
export function scanOfFolder(folder: string): string | null {
  try {
    const scan = decodeURIComponent(folder);
    return folder.length < FOLDER_LIMIT && scanFolder(scan) === folder ? scan : null;
  } catch {
    return null;
  }
}
