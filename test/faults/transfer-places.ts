/** A worker whose pods meet a proxy on their way to its files, and what the engine made of each. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { receiptSchema } from '../../activities/receipt.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { stackVariable } from '../contract/stack.ts';
import { filesBelow } from '../integration/oracle.ts';
import { type HttpFaultProxy, httpFaultProxy, type ProxiedRequest } from './http-fault-proxy.ts';
import type { Scene } from './scene.ts';

/** Pods reach the worker's file server through the proxy only. */
export async function filesBehindProxy(scene: Scene, more: Record<string, string> = {}) {
  const host = stackVariable('PRISTINE_HOST_ADDRESS');
  const listen = `${host}:${await freePort(host)}`;
  const proxy = await httpFaultProxy(`http://${listen}`, { host });
  const worker = await scene.worker({
    PRISTINE_FILE_SERVER_LISTEN: listen,
    PRISTINE_FILE_SERVER_URL: proxy.url,
    ...more,
  });
  return { proxy, worker };
}

/** Worker and pods reach the store through the proxy; a place's own client does not. */
export async function storeBehindProxy(scene: Scene) {
  const host = stackVariable('PRISTINE_HOST_ADDRESS');
  const proxy: HttpFaultProxy = await httpFaultProxy(stackVariable('AWS_ENDPOINT_URL_S3'), { host });
  const worker = await scene.worker({ AWS_ENDPOINT_URL_S3: proxy.url });
  return { proxy, worker };
}

/** The last part of the name of the file that a link to the file server or to S3 leads to. */
export function fileOf({ path }: ProxiedRequest): string {
  const [, payload] = /^\/f\/[a-z0-9]+\.([\w-]+)\./.exec(path) ?? [];
  if (payload === undefined) return decodeURIComponent(path).split('/').at(-1) ?? '';
  const link: { path: string } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return Buffer.from(link.path, 'base64url').toString().split('/').at(-1) ?? '';
}

/**
 * The faulty engine puts a line in front of what it was given, so that what it was given can be told from what it
 * made: never anything but the content that the receipt is for.
 */
export function expectEngineSawOnlyItsContent(destination: string): void {
  const content = join(destination, 'content');
  if (!existsSync(content)) return;
  for (const file of filesBelow(content).filter((each) => each.endsWith('receipt.json'))) {
    const receipt = receiptSchema.parse(JSON.parse(readFileSync(join(content, file), 'utf8')));
    if (receipt.rebuilt === undefined) continue;
    const made = readFileSync(join(destination, receipt.rebuilt.key));
    const given = made.subarray(Buffer.byteLength('rebuilt by faulty\n'));
    const sha256 = createHash('sha256').update(given).digest('hex');
    expect([receipt.rebuilt.key, sha256]).toEqual([receipt.rebuilt.key, receipt.sha256]);
  }
}
