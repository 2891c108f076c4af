/** How many Huffman codes of each length 1-16 there are for the DC categories 0-11 (ITU-T T.81, table K.3). */
const DC_LENGTHS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
/** The codes those lengths give, canonical, by category. */
const DC_CODES = '00 010 011 100 101 110 1110 11110 111110 1111110 11111110 111111110'.split(' ');
/** One AC code only, `0`: end of block. No block holds more than its mean. */
const AC_LENGTHS = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * A baseline grey JPEG in which each 8x8 block has one brightness (`brightness(column, row)`, 0-255), with
 * Exif data and a comment. Blocks without AC coefficients keep the encoder to a screen.
 */
export function jpeg(
  picture: { columns: number; rows: number; brightness: (column: number, row: number) => number },
  metadata: { comment: string; exif: { artist: string; make: string; model: string } },
): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(picture.rows * 8, 0);
  size.writeUInt16BE(picture.columns * 8, 2);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
    segment(0xe1, exif(metadata.exif)),
    segment(0xfe, Buffer.from(metadata.comment, 'latin1')),
    // Quantizer 8 for all: the DC coefficient is then exactly the mean less 128.
    segment(0xdb, Buffer.from([0, ...Array<number>(64).fill(8)])),
    segment(0xc0, Buffer.concat([Buffer.from([8]), size, Buffer.from([1, 1, 0x11, 0])])),
    segment(0xc4, Buffer.from([0x00, ...DC_LENGTHS, ...DC_CODES.keys()])),
    segment(0xc4, Buffer.from([0x10, ...AC_LENGTHS, 0])),
    segment(0xda, Buffer.from([1, 1, 0x00, 0, 63, 0])),
    scanData(picture),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function segment(marker: number, data: Buffer): Buffer {
  const header = Buffer.from([0xff, marker, 0, 0]);
  header.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([header, data]);
}

function scanData(picture: Parameters<typeof jpeg>[0]): Buffer {
  let bits = '';
  let previous = 0;
  for (let row = 0; row < picture.rows; row++) {
    for (let column = 0; column < picture.columns; column++) {
      const mean = Math.round(picture.brightness(column, row)) - 128;
      bits += `${difference(mean - previous)}0`;
      previous = mean;
    }
  }
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const bytes: number[] = [];
  for (let at = 0; at < padded.length; at += 8) {
    const byte = Number.parseInt(padded.slice(at, at + 8), 2);
    bytes.push(byte);
    // A zero byte after 0xff says that it is data, not a marker.
    if (byte === 0xff) bytes.push(0);
  }
  return Buffer.from(bytes);
}

/** Category's code, then the value in that many bits, negative ones as one's complement (T.81, F.1.2.1). */
function difference(value: number): string {
  const category = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
  const shown = value < 0 ? value + 2 ** category - 1 : value;
  return `${DC_CODES[category]}${category === 0 ? '' : shown.toString(2).padStart(category, '0')}`;
}

/** Exif 2.3: a little-endian TIFF header and one directory of ASCII tags in ascending order. */
function exif(tags: { artist: string; make: string; model: string }): Buffer {
  const entries: [tag: number, text: Buffer][] = [
    [0x010f, Buffer.from(`${tags.make}\0\0\0\0`)],
    [0x0110, Buffer.from(`${tags.model}\0\0\0\0`)],
    [0x013b, Buffer.from(`${tags.artist}\0\0\0\0`)],
  ];
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length, 0);
  let offset = 8 + directory.length;
  entries.forEach(([tag, text], i) => {
    const at = 2 + 12 * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(2, at + 2);
    directory.writeUInt32LE(text.length, at + 4);
    directory.writeUInt32LE(offset, at + 8);
    offset += text.length;
  });
  const header = Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  return Buffer.concat([Buffer.from('Exif\0\0'), header, directory, ...entries.map(([, text]) => text)]);
}
