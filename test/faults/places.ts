/** Where a fault test's files lie: folders of a worker's own, or a bucket. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { openTestStore, putObject, type TestStore } from '../contract/s3-store.ts';

export type Places = {
  /** URLs, as a scan takes them. */
  source: string;
  destination: string;
  /** Puts a file into the source. */
  put(name: string, body: string | Uint8Array): Promise<void>;
  /** Source and destination as folders to look at. */
  see(): Promise<{ source: string; destination: string }>;
  close(): Promise<void>;
};

/** `in` and `out` below a folder that a worker may use. */
export function folders(base: string): Places {
  const [source, destination] = [join(base, 'in'), join(base, 'out')];
  mkdirSync(source, { recursive: true });
  return {
    source: `file://${source}`,
    destination: `file://${destination}`,
    async put(name, body) {
      mkdirSync(join(source, name, '..'), { recursive: true });
      writeFileSync(join(source, name), body);
    },
    see: async () => ({ source, destination }),
    close: async () => {},
  };
}

/** A bucket with `in/` and `out/`. Looking at it copies it into a folder first: names are plain in these tests. */
export async function bucket(): Promise<Places> {
  const store = await openTestStore();
  const copy = mkdtempSync(join(tmpdir(), 'pristine-bucket-'));
  return {
    source: `s3://${store.bucket}/in/`,
    destination: `s3://${store.bucket}/out/`,
    put: (name, body) => putObject(store, `in/${name}`, body),
    async see() {
      rmSync(copy, { recursive: true });
      await copyOut(store, copy);
      return { source: join(copy, 'in'), destination: join(copy, 'out') };
    },
    async close() {
      rmSync(copy, { recursive: true, force: true });
      await store.close();
    },
  };
}

async function copyOut({ client, bucket: Bucket }: TestStore, folder: string): Promise<void> {
  let StartAfter: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, StartAfter }));
    const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
    for (const Key of keys) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      mkdirSync(join(folder, Key, '..'), { recursive: true });
      writeFileSync(join(folder, Key), (await Body?.transformToByteArray()) ?? '');
    }
    StartAfter = page.IsTruncated ? keys.at(-1) : undefined;
  } while (StartAfter !== undefined);
}
