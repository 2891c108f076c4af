import { png, svgWithScript } from './images.ts';
import { jpeg } from './jpeg.ts';
import { docx, odt, pptx, xlsx } from './office.ts';
import { pdfDocument } from './pdf.ts';
import { storedZip } from './zip.ts';

/** `name` is the path below the source, as bytes: one of them is not valid UTF-8. */
export type DemoDocument = { name: Buffer; bytes: Buffer };

/**
 * What `make demo` rebuilds: each kind of document once, and the names and contents that trouble programs
 * which copy files. The same bytes on every run, so that a second run finds every content done.
 */
export function demoDocuments(): DemoDocument[] {
  return [...officeFolders(), ...damaged(), ...oddNames()].map(([name, bytes]) => ({
    name: typeof name === 'string' ? Buffer.from(name) : name,
    bytes,
  }));
}

/** A link out of the folder: it must be reported, never followed. Not a document, so it is on its own. */
export const demoSymlink = { name: 'IT/shortcut to passwd', target: '/etc/passwd' };

type Entry = [name: string | Buffer, bytes: Buffer];
const author = 'Alex Example';

function officeFolders(): Entry[] {
  const logo = gradient({ Author: author, Comment: 'Exported from a private laptop' }, 0);
  return [
    ['Welcome.txt', Buffer.from('Each file in this folder is rebuilt in a pod of its own.\n')],
    [
      'Finance/Invoice 2024-117.pdf',
      pdfDocument({ title: 'Invoice 2024-117', author, lines: ['Invoice 2024-117', 'Total: 1,170.00'] }),
    ],
    ['Finance/Budget.xlsx', xlsx({ author, paragraphs: ['Item, Amount', 'Rent, 1200', 'Coffee, 80'] })],
    ['Finance/Kassenbericht März.odt', odt({ author, paragraphs: ['Kassenbericht', 'Bestand: 42,17 €'] })],
    ['HR/Contract draft.docx', docx({ author, paragraphs: ['Contract', 'Draft seven, not to be shared.'] })],
    ['HR/Order form with macro.docx', docx({ author, paragraphs: ['Order form'], macro: true })],
    ['HR/photos/team.jpg', photo()],
    ['HR/photos/logo.png', logo],
    ['Marketing/Launch deck.pptx', pptx({ author, paragraphs: ['Launch', 'Embargo until Monday'] })],
    ['Marketing/banner.svg', svgWithScript('Launch')],
    [
      'Marketing/archive/old assets.zip',
      storedZip([
        { name: 'readme.txt', bytes: Buffer.from('Old assets.\n') },
        { name: 'logo.png', bytes: gradient({ Author: author }, 40) },
      ]),
    ],
    ['Marketing/archive/2019/q3/drafts/notes.txt', Buffer.from('Deep down in nested folders.\n')],
    ['Marketing/copy of logo.png', logo],
  ];
}

function damaged(): Entry[] {
  const whole = pdfDocument({ title: 'Scan', author, lines: ['Page one of the scan'] });
  return [
    ['IT/firmware.bin', Buffer.from(Array.from({ length: 2048 }, (_, i) => (i * 167 + 13) % 256))],
    ['IT/half a scan.pdf', whole.subarray(0, 150)],
    ['IT/empty.txt', Buffer.alloc(0)],
  ];
}

function oddNames(): Entry[] {
  const text = (what: string) => Buffer.from(`This file's name holds ${what}.\n`);
  return [
    ['odd names/  many   spaces .txt', text('spaces at both ends')],
    ['odd names/two\nlines.txt', text('a newline')],
    [`odd names/she said "it's fine".txt`, text('quotes of both kinds')],
    ['odd names/..hidden..txt', text('two dots that mean nothing')],
    ['odd names/%2e%2e%2fescape.txt', text('a percent-encoded way out')],
    ['odd names/-rf.txt', text('a leading dash')],
    ['odd names/$(touch pwned);`id`.txt', text('what a shell would run')],
    ['odd names/\u001b[31mred\u0007.txt', text('what a terminal would act on')],
    ['odd names/履歴書 – résumé.txt', text('Japanese and French')],
    [Buffer.from('odd names/caf\xe9 in Latin-1.txt', 'latin1'), text('bytes that are not UTF-8')],
  ];
}

function gradient(texts: Record<string, string>, shade: number): Buffer {
  const colour = (x: number, y: number): [number, number, number] => [x * 5, y * 5, 200 - shade];
  return png({ width: 48, height: 48, colour }, texts);
}

function photo(): Buffer {
  return jpeg(
    { columns: 12, rows: 8, brightness: (column, row) => 20 + column * 12 + row * 10 },
    {
      comment: 'Taken at the summer party',
      exif: { artist: author, make: 'Hand-made', model: 'Serial 4711' },
    },
  );
}
