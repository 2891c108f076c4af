import { crc32 } from 'node:zlib';

export type ZipEntry = { name: string; bytes: Buffer };

/** 1980-01-01 00:00, the earliest time a ZIP can hold: the same bytes on every run. */
const EPOCH = { time: 0, date: 0x0021 };
/** General purpose bit 11: names are UTF-8. */
const UTF8 = 0x0800;
/** Version 2.0, the oldest that every reader accepts. */
const VERSION = 20;

/** A ZIP of stored (uncompressed) entries in the order given (PKWARE APPNOTE 4.3). */
export function storedZip(entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const fields = sharedFields(entry.bytes, name.length);
    const local = Buffer.concat([uint32(0x04034b50), fields, name, entry.bytes]);
    directory.push(
      Buffer.concat([
        uint32(0x02014b50),
        uint16(VERSION),
        fields,
        // Comment length, disk, internal and external attributes: none.
        Buffer.alloc(10),
        uint32(offset),
        name,
      ]),
    );
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.concat([
    uint32(0x06054b50),
    uint16(0, 0, entries.length, entries.length),
    uint32(central.length, offset),
    uint16(0),
  ]);
  return Buffer.concat([...bodies, central, end]);
}

/** What the local header and the central directory say in the same words. */
function sharedFields(bytes: Buffer, nameLength: number): Buffer {
  return Buffer.concat([
    uint16(VERSION, UTF8, 0, EPOCH.time, EPOCH.date),
    uint32(crc32(bytes), bytes.length, bytes.length),
    uint16(nameLength, 0),
  ]);
}

function uint16(...values: number[]): Buffer {
  const buffer = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => {
    buffer.writeUInt16LE(value, 2 * i);
  });
  return buffer;
}

function uint32(...values: number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    buffer.writeUInt32LE(value, 4 * i);
  });
  return buffer;
}
