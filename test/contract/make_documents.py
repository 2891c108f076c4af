"""Small documents for the test of the mat2 engine, good and bad: `python3 make_documents.py FOLDER`."""

import base64
import io
import os
import struct
import sys
import tarfile
import zipfile
import zlib

out = sys.argv[1]


def save(name: str, content: bytes | str) -> None:
    with open(os.path.join(out, name), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def archive(members: dict[str, bytes | str], first: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(members, key=lambda name: (name != first, name)):
            kind = zipfile.ZIP_STORED if name == first else zipfile.ZIP_DEFLATED
            target.writestr(zipfile.ZipInfo(name, (2021, 3, 4, 5, 6, 8)), members[name], kind)
    return buffer.getvalue()


def png(text: str = "") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    comment = chunk(b"tEXt", b"Comment\0" + text.encode("latin-1")) if text else b""
    pixels = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * 4 for _ in range(4)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
        + comment
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def pdf(extra: str = "", encrypt: str = "") -> bytes:
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{extra}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R>>",
        "<</Length 22>>stream\n0 0 50 50 re f\n       \nendstream",
        "<</Author(Jane Doe)/Title(Secret plan)/Producer(x)>>",
    ]
    if encrypt:
        objects.append(encrypt)
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj{content}endobj\n".encode("latin-1")
    start = len(body)
    body += f"xref\n0 {len(offsets) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    more = f"/Encrypt {len(objects)} 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]" if encrypt else ""
    return body + f"trailer<</Size {len(offsets) + 1}/Root 1 0 R/Info 5 0 R{more}>>\nstartxref\n{start}\n%%EOF\n".encode()


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument."


def office(parts: dict[str, tuple[str, str]], main: str, **more: bytes | str) -> dict[str, bytes | str]:
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, (kind, _) in parts.items())
    members: dict[str, bytes | str] = {name: content for name, (_, content) in parts.items()}
    members["[Content_Types].xml"] = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    members["_rels/.rels"] = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="{main}"/></Relationships>'
    )
    members.update(more)
    return members


CORE = (
    "application/vnd.openxmlformats-package.core-properties+xml",
    '<?xml version="1.0"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">\n<dc:creator>Jane Doe</dc:creator>\n</cp:coreProperties>',
)
docx = office(
    {
        "word/document.xml": (
            TYPES + "wordprocessingml.document.main+xml",
            f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:body></w:document>',
        ),
        "docProps/core.xml": CORE,
    },
    "word/document.xml",
)
xlsx = office(
    {
        "xl/workbook.xml": (
            TYPES + "spreadsheetml.sheet.main+xml",
            '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>',
        ),
        "docProps/core.xml": CORE,
    },
    "xl/workbook.xml",
)
pptx = office(
    {
        "ppt/presentation.xml": (
            TYPES + "presentationml.presentation.main+xml",
            '<?xml version="1.0"?><p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"/>',
        ),
        "docProps/core.xml": CORE,
    },
    "ppt/presentation.xml",
)
TEXT_DOCUMENT = "application/vnd.oasis.opendocument.text"
odt = {
    "mimetype": TEXT_DOCUMENT,
    "content.xml": '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>',
    "meta.xml": '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>Jane Doe</dc:creator></m>',
    "META-INF/manifest.xml": '<?xml version="1.0"?><m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
}
epub = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": "<container/>",
    "content.opf": '<?xml version="1.0"?><package><metadata><dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Jane</dc:creator></metadata></package>',
    "ch1.xhtml": "<html><head><title>x</title></head><body><p>Hello</p></body></html>",
}
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH+BUphbmUgACwAAAAAAQABAAACAkQBADs=")

# rebuilt
save("good.pdf", pdf(extra="/OpenAction<</S/JavaScript/JS(app.alert(1))>>"))
save("good.png", png("Jane \x1b[2J <&> Doe"))
save("good.gif", GIF)
save("good.docx", archive(docx))
save("good.xlsx", archive(xlsx))
save("good.pptx", archive(pptx))
save("good.odt", archive(odt, first="mimetype"))
save("good.epub", archive(epub, first="mimetype"))
save("good.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" viewBox="0 0 9 9"><script>alert(1)</script><rect width="5" height="5"/></svg>')
save("good.txt", "Grüße\n")
save("good.zip", archive({"a/b.txt": "text", "c.png": png("secret")}))
with tarfile.open(os.path.join(out, "good.tar.gz"), "w:gz") as tar:
    info = tarfile.TarInfo("a.txt")
    info.size, info.uname = 4, "jane"
    tar.addfile(info, io.BytesIO(b"text"))

# refused
save("empty", b"")
save("bitmap.bmp", b"BM" + bytes(60))
save("picture.webp", b"RIFF\x1a\0\0\0WEBPVP8L" + bytes(20))
save("program.exe", b"MZ" + bytes(100))
save("letter.rtf", r"{\rtf1 hello}")
save("page.html", "<!DOCTYPE html><script>alert(1)</script>")
save("hidden.html", "hello " * 200_000 + "<ScRiPt>alert(1)</script>")
save("data.xml", '<?xml version="1.0"?><data/>')
save("script.sh", "#!/bin/sh\necho\n")
save("noise.bin", bytes((n * 7919) & 255 for n in range(5000)))
save("control.bin", b"text, but \0 not only\n")
save("sound.wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(28))
save("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000))
save("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le"))
save("locked.pdf", pdf(encrypt="<</Filter/Standard/V 2/R 3/Length 128/P -4/O<" + "41" * 32 + ">/U<" + "42" * 32 + ">>>"))
save("cut.pdf", pdf()[:60])
save("cut.png", png()[:40])
save("cut.docx", archive(docx)[:300])
save("macro.docx", archive(office({"word/document.xml": ("application/vnd.ms-word.document.macroEnabled.main+xml", "<x/>")}, "word/document.xml")))
save("odd.docx", archive({**docx, "word/embeddings/evil.bin": b"\0\1"}))
save("program.zip", archive({"a.exe": b"MZ"}))
save("page.zip", archive({"a.html": "<p>hi</p><IMG src=x oNerror = alert(1)>"}))
save("climbing.zip", archive({"../../climbed.png": png()}))
locked = bytearray(archive({"a.txt": "text"}))
for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
    locked[locked.index(signature) + at] |= 1
save("locked.zip", bytes(locked))
nested = archive({"a.txt": "text"})
for _ in range(6):
    nested = archive({"inner.zip": nested})
save("nested.zip", nested)
save("bomb.zip", archive({"a.txt": bytes(400 << 20)}))
with tarfile.open(os.path.join(out, "bomb.tar.gz"), "w:gz", compresslevel=1) as tar:
    info = tarfile.TarInfo("a.txt")
    info.size = 400 << 20
    tar.addfile(info, io.BytesIO(bytes(400 << 20)))
