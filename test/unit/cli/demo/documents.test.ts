import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { demoDocuments } from '../../../../cli/demo/documents.ts';

const documents = new Map(demoDocuments().map(({ name, bytes }) => [name.toString('latin1'), bytes]));

function document(name: string): Buffer {
  const bytes = documents.get(Buffer.from(name).toString('latin1'));
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return bytes;
}

/** Names of a ZIP's entries, read from its central directory; throws where offsets or checksums are wrong. */
function zipEntries(zip: Buffer): string[] {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error('no end record');
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('no directory entry');
    const size = zip.readUInt32LE(at + 20);
    const nameLength = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (zip.toString('utf8', local + 30, local + 30 + nameLength) !== name) throw new Error('two names');
    const data = zip.subarray(local + 30 + nameLength, local + 30 + nameLength + size);
    if (crc32(data) !== zip.readUInt32LE(at + 16)) throw new Error('wrong checksum');
    at += 46 + nameLength;
    return name;
  });
}

describe('the demo documents', () => {
  test('are the same bytes each time', () => {
    expect(demoDocuments()).toEqual(demoDocuments());
  });

  test('have names that differ, none of them absolute, and exactly two with the same content', () => {
    expect(documents.size).toBe(demoDocuments().length);
    expect([...documents.keys()].filter((name) => name.startsWith('/'))).toEqual([]);
    const contents = new Set([...documents.values()].map((bytes) => bytes.toString('latin1')));
    expect(contents.size).toBe(documents.size - 1);
    expect(document('HR/photos/logo.png')).toEqual(document('Marketing/copy of logo.png'));
  });

  test('cover the names that trouble programs', () => {
    const names = [...documents.keys()];
    const utf8 = demoDocuments().map(({ name }) => name.toString('utf8'));
    for (const troublesome of ['\n', '"', "'", '..hidden', '%2e%2e%2f', '/-rf', '$(', '\x1b', '  ']) {
      expect(names.some((name) => name.includes(troublesome))).toBe(true);
    }
    expect(utf8.some((name) => name.includes('履歴書'))).toBe(true);
    expect(utf8.filter((name) => name.includes('\ufffd'))).toHaveLength(1);
  });

  test.each(['Finance/Budget.xlsx', 'HR/Contract draft.docx', 'Marketing/Launch deck.pptx'])(
    '%s is a package whose content types name parts that are there',
    (name) => {
      const bytes = document(name);
      const entries = zipEntries(bytes);
      const types = bytes.toString('latin1').matchAll(/PartName="\/([^"]+)"/g);
      for (const [, part] of types) expect(entries).toContain(part);
      expect(entries[0]).toBe('[Content_Types].xml');
    },
  );

  test('the ODT starts with its stored type, the ZIP holds a picture', () => {
    expect(document('Finance/Kassenbericht März.odt').toString('latin1', 30, 69)).toBe(
      'mimetypeapplication/vnd.oasis.opendocum',
    );
    expect(zipEntries(document('Marketing/archive/old assets.zip'))).toEqual(['readme.txt', 'logo.png']);
  });

  test('the PDF has an action in JavaScript, and a cross-reference table that points at its objects', () => {
    const pdf = document('Finance/Invoice 2024-117.pdf').toString('latin1');
    expect(pdf).toContain('/S /JavaScript');
    const [, start] = /startxref\n(\d+)\n/.exec(pdf) ?? [];
    expect(pdf.slice(Number(start))).toMatch(/^xref\n/);
    const offsets = [...pdf.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset));
    expect(offsets).toHaveLength(7);
    offsets.forEach((offset, i) => {
      expect(pdf.slice(offset).startsWith(`${i + 1} 0 obj\n`)).toBe(true);
    });
  });

  test('the pictures carry metadata, the PNG with right checksums', () => {
    const png = document('HR/photos/logo.png');
    const types: string[] = [];
    for (let at = 8; at < png.length; ) {
      const length = png.readUInt32BE(at);
      types.push(png.toString('latin1', at + 4, at + 8));
      expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
      at += length + 12;
    }
    expect(types).toEqual(['IHDR', 'tEXt', 'tEXt', 'IDAT', 'IEND']);
    const photo = document('HR/photos/team.jpg').toString('latin1');
    expect(photo.startsWith('\xff\xd8')).toBe(true);
    expect(photo).toContain('Exif\0\0');
    expect(photo).toContain('Serial 4711');
    expect(photo.endsWith('\xff\xd9')).toBe(true);
  });

  test('there is something to refuse: nothing at all, half a PDF, an unknown binary, a macro', () => {
    expect(document('IT/empty.txt')).toHaveLength(0);
    expect(document('IT/half a scan.pdf').toString('latin1')).not.toContain('%%EOF');
    expect(document('IT/firmware.bin')).toHaveLength(2048);
    expect(zipEntries(document('HR/Order form with macro.docx'))).toContain('word/vbaProject.bin');
  });
});
