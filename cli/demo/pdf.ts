/**
 * A one-page PDF 1.4 with a title, an author and a JavaScript action that runs when it is opened. All ASCII,
 * so that string lengths are byte offsets. Lines must not hold parentheses or backslashes.
 */
export function pdfDocument(document: { title: string; author: string; lines: string[] }): Buffer {
  const text = document.lines.map((line) => `(${line}) Tj T*`).join('\n');
  const content = `BT /F1 14 Tf 72 760 Td 20 TL\n${text}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /OpenAction 6 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    "<< /S /JavaScript /JS (app.launchURL\\('http://tracker.invalid/opened'\\);) >>",
    `<< /Title (${document.title}) /Author (${document.author}) /Producer (Hand-made 1.0) /CreationDate (D:20240229120000Z) >>`,
  ];
  let body = '%PDF-1.4\n';
  const offsets: string[] = [];
  objects.forEach((object, i) => {
    offsets.push(`${String(body.length).padStart(10, '0')} 00000 n `);
    body += `${i + 1} 0 obj\n${object}\nendobj\n`;
  });
  const count = objects.length + 1;
  return Buffer.from(
    `${body}xref\n0 ${count}\n0000000000 65535 f \n${offsets.join('\n')}\n` +
      `trailer\n<< /Size ${count} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
    'latin1',
  );
}
