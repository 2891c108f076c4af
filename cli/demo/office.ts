import { storedZip, type ZipEntry } from './zip.ts';

type OfficeText = { author: string; paragraphs: string[] };

const SCHEMAS = 'http://schemas.openxmlformats.org';
const OFFICE_RELATIONS = `${SCHEMAS}/officeDocument/2006/relationships`;
const OFFICE_TYPE = 'application/vnd.openxmlformats-officedocument';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** A Word document with an author, a last editor and, if asked, a (meaningless) macro project. */
export function docx(text: OfficeText & { macro?: boolean }): Buffer {
  const w = `${SCHEMAS}/wordprocessingml/2006/main`;
  const paragraphs = text.paragraphs.map((p) => `<w:p w:rsidR="00AB12CD"><w:r><w:t>${p}</w:t></w:r></w:p>`);
  return openXml({
    main: { part: 'word/document.xml', type: `${OFFICE_TYPE}.wordprocessingml.document.main+xml` },
    author: text.author,
    files: [
      xml(
        'word/document.xml',
        `<w:document xmlns:w="${w}"><w:body>${paragraphs.join('')}</w:body></w:document>`,
      ),
      ...(text.macro
        ? [{ name: 'word/vbaProject.bin', bytes: Buffer.from('Sub AutoOpen()\nEnd Sub\n') }]
        : []),
    ],
  });
}

/** A workbook of one sheet: each paragraph is a row, split into cells at commas. */
export function xlsx(text: OfficeText): Buffer {
  const main = `${SCHEMAS}/spreadsheetml/2006/main`;
  const rows = text.paragraphs.map((row, i) => {
    const cells = row.split(',').map((cell) => `<c t="inlineStr"><is><t>${cell.trim()}</t></is></c>`);
    return `<row r="${i + 1}">${cells.join('')}</row>`;
  });
  return openXml({
    main: { part: 'xl/workbook.xml', type: `${OFFICE_TYPE}.spreadsheetml.sheet.main+xml` },
    author: text.author,
    overrides: [['xl/worksheets/sheet1.xml', `${OFFICE_TYPE}.spreadsheetml.worksheet+xml`]],
    files: [
      xml(
        'xl/workbook.xml',
        `<workbook xmlns="${main}" xmlns:r="${OFFICE_RELATIONS}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
      ),
      relations('xl/_rels/workbook.xml.rels', [[`${OFFICE_RELATIONS}/worksheet`, 'worksheets/sheet1.xml']]),
      xml(
        'xl/worksheets/sheet1.xml',
        `<worksheet xmlns="${main}"><sheetData>${rows.join('')}</sheetData></worksheet>`,
      ),
    ],
  });
}

/** A presentation of one slide with one paragraph per line. */
export function pptx(text: OfficeText): Buffer {
  const p = `${SCHEMAS}/presentationml/2006/main`;
  const a = `${SCHEMAS}/drawingml/2006/main`;
  const names = `xmlns:p="${p}" xmlns:a="${a}" xmlns:r="${OFFICE_RELATIONS}"`;
  const group =
    '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>' +
    '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Text"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>' +
    `${text.paragraphs.map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`).join('')}</p:txBody></p:sp>`;
  return openXml({
    main: { part: 'ppt/presentation.xml', type: `${OFFICE_TYPE}.presentationml.presentation.main+xml` },
    author: text.author,
    overrides: [['ppt/slides/slide1.xml', `${OFFICE_TYPE}.presentationml.slide+xml`]],
    files: [
      xml(
        'ppt/presentation.xml',
        `<p:presentation ${names}><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/></p:presentation>`,
      ),
      relations('ppt/_rels/presentation.xml.rels', [[`${OFFICE_RELATIONS}/slide`, 'slides/slide1.xml']]),
      xml('ppt/slides/slide1.xml', `<p:sld ${names}><p:cSld><p:spTree>${group}</p:spTree></p:cSld></p:sld>`),
    ],
  });
}

/** An OpenDocument text with a generator, an author and an editing time in its metadata. */
export function odt(text: OfficeText): Buffer {
  const type = 'application/vnd.oasis.opendocument.text';
  const oasis = 'urn:oasis:names:tc:opendocument:xmlns';
  const office = `xmlns:office="${oasis}:office:1.0" office:version="1.2"`;
  const paragraphs = text.paragraphs.map((p) => `<text:p>${p}</text:p>`).join('');
  return storedZip([
    { name: 'mimetype', bytes: Buffer.from(type) },
    xml(
      'content.xml',
      `<office:document-content ${office} xmlns:text="${oasis}:text:1.0"><office:body><office:text>${paragraphs}</office:text></office:body></office:document-content>`,
    ),
    xml(
      'meta.xml',
      `<office:document-meta ${office} xmlns:meta="${oasis}:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><meta:generator>Hand-made/1.0</meta:generator><dc:creator>${text.author}</dc:creator><meta:editing-duration>PT4H</meta:editing-duration></office:meta></office:document-meta>`,
    ),
    xml(
      'META-INF/manifest.xml',
      `<manifest:manifest xmlns:manifest="${oasis}:manifest:1.0" manifest:version="1.2">` +
        ['/', 'content.xml', 'meta.xml']
          .map(
            (path) =>
              `<manifest:file-entry manifest:full-path="${path}" manifest:media-type="${path === '/' ? type : 'text/xml'}"/>`,
          )
          .join('') +
        '</manifest:manifest>',
    ),
  ]);
}

/** The package that the three Office formats share (ECMA-376 part 2): types, relations, properties. */
function openXml(document: {
  main: { part: string; type: string };
  author: string;
  overrides?: [part: string, type: string][];
  files: ZipEntry[];
}): Buffer {
  const packageRelations = `${SCHEMAS}/package/2006/relationships/metadata`;
  const overrides: [string, string][] = [
    [document.main.part, document.main.type],
    ...(document.overrides ?? []),
    ['docProps/core.xml', 'application/vnd.openxmlformats-package.core-properties+xml'],
    ['docProps/app.xml', `${OFFICE_TYPE}.extended-properties+xml`],
  ];
  return storedZip([
    xml(
      '[Content_Types].xml',
      `<Types xmlns="${SCHEMAS}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>` +
        overrides.map(([part, type]) => `<Override PartName="/${part}" ContentType="${type}"/>`).join('') +
        '</Types>',
    ),
    relations('_rels/.rels', [
      [`${OFFICE_RELATIONS}/officeDocument`, document.main.part],
      [`${packageRelations}/core-properties`, 'docProps/core.xml'],
      [`${OFFICE_RELATIONS}/extended-properties`, 'docProps/app.xml'],
    ]),
    ...document.files,
    xml(
      'docProps/core.xml',
      `<cp:coreProperties xmlns:cp="${SCHEMAS}/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>${document.author}</dc:creator><cp:lastModifiedBy>${document.author}</cp:lastModifiedBy><cp:revision>7</cp:revision></cp:coreProperties>`,
    ),
    xml(
      'docProps/app.xml',
      `<Properties xmlns="${SCHEMAS}/officeDocument/2006/extended-properties"><Application>Hand-made</Application><Company>Example Ltd</Company></Properties>`,
    ),
  ]);
}

function relations(name: string, targets: [type: string, target: string][]): ZipEntry {
  const entries = targets.map(
    ([type, target], i) => `<Relationship Id="rId${i + 1}" Type="${type}" Target="${target}"/>`,
  );
  return xml(
    name,
    `<Relationships xmlns="${SCHEMAS}/package/2006/relationships">${entries.join('')}</Relationships>`,
  );
}

function xml(name: string, body: string): ZipEntry {
  return { name, bytes: Buffer.from(XML + body) };
}
