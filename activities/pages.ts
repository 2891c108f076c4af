/** The listing's own book: one object a page, written once, against which the manifest is checked in the end. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { DriverError } from '../drivers/errors.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { pageKey } from './keys.ts';
import type { ListedPage } from './list-page.ts';

type PageOf = { scanId: string; firstRunId: string; page: number; destination: string };

/**
 * Writes the page down unless a try before this one has, whose page then counts: two tries may have found
 * different files.
 */
export async function keepPage(
  deps: Pick<Dependencies, 'openDestination'>,
  of: PageOf,
  page: ListedPage,
): Promise<ListedPage> {
  const destination = deps.openDestination(of.destination);
  const key = pageKey(of.scanId, of.firstRunId, of.page);
  if (await destination.create(key, JSON.stringify(page))) return page;
  return readPage(destination, key);
}

const nameSchema = z.object({ path: z.string(), pathBase64: z.string().optional() });
const entrySchema = z.looseObject({ name: nameSchema, size: z.number() });
const pageSchema = z.object({
  work: z.array(entrySchema),
  settled: z.array(entrySchema),
  next: nameSchema.nullable(),
});

async function readPage(destination: Destination, key: string): Promise<ListedPage> {
  const found = await destination.read(key);
  const parsed = found === null ? undefined : pageSchema.safeParse(parseJson(await text(found.body)));
  // Its entries' further fields are our own, written a moment ago.
  if (parsed?.success) return parsed.data as unknown as ListedPage;
  throw new DriverError('content.missing', `The listing's page ${key} is gone or can't be read.`, {
    retryable: false,
  });
}

/** The names of one page, in no particular order. Throws content.missing when the page is not there. */
export async function namesOfPage(destination: Destination, key: string): Promise<FileName[]> {
  const { work, settled } = await readPage(destination, key);
  return [...work, ...settled].map((file) => file.name);
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
