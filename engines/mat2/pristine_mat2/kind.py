"""Which type of file this is, by its content: the pod gives it a neutral name, and mat2 goes by the extension."""

import bz2
import codecs
import gzip
import lzma
import re
import xml.parsers.expat
import zipfile
import zlib
from typing import BinaryIO, NamedTuple

from .refusal import Refusal


class Kind(NamedTuple):
    """`extension` makes mat2 choose its parser for `mime`."""

    extension: str
    mime: str


OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = Kind(".docx", OFFICE + "wordprocessingml.document")
XLSX = Kind(".xlsx", OFFICE + "spreadsheetml.sheet")
PPTX = Kind(".pptx", OFFICE + "presentationml.presentation")
OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.graphics": ".odg",
    "application/vnd.oasis.opendocument.chart": ".odc",
    "application/vnd.oasis.opendocument.formula": ".odf",
    "application/vnd.oasis.opendocument.image": ".odi",
}
SVG = Kind(".svg", "image/svg+xml")
TEXT = Kind(".txt", "text/plain")

# (offset, bytes, kind or the name of a type that mat2 has no parser for)
MAGIC: list[tuple[int, bytes, Kind | str]] = [
    (0, b"\x89PNG\r\n\x1a\n", Kind(".png", "image/png")),
    (0, b"\xff\xd8\xff", Kind(".jpg", "image/jpeg")),
    (0, b"GIF87a", Kind(".gif", "image/gif")),
    (0, b"GIF89a", Kind(".gif", "image/gif")),
    (0, b"II*\x00", Kind(".tiff", "image/tiff")),
    (0, b"MM\x00*", Kind(".tiff", "image/tiff")),
    (4, b"ftypheic", Kind(".heic", "image/heic")),
    (4, b"ftypheix", Kind(".heic", "image/heic")),
    (4, b"ftypmif1", Kind(".heic", "image/heic")),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", Kind(".mp4", "video/mp4")),
    (0, b"fLaC", Kind(".flac", "audio/flac")),
    (0, b"OggS", Kind(".ogg", "audio/ogg")),
    (0, b"ID3", Kind(".mp3", "audio/mpeg")),
    (0, b"\xff\xfb", Kind(".mp3", "audio/mpeg")),
    (0, b"\xff\xf3", Kind(".mp3", "audio/mpeg")),
    (0, b"\xff\xf2", Kind(".mp3", "audio/mpeg")),
    (8, b"WAVE", Kind(".wav", "audio/x-wav")),
    (8, b"AVI ", Kind(".avi", "video/x-msvideo")),
    (8, b"AIFF", Kind(".aiff", "audio/x-aiff")),
    (8, b"WEBP", "image/webp"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind(".wmv", "video/x-ms-wmv")),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (257, b"ustar", Kind(".tar", "application/x-tar")),
    (0, b"d8:announce", Kind(".torrent", "application/x-bittorrent")),
    (0, b"BM", "image/bmp"),
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a Linux program"),
    (0, b"\xca\xfe\xba\xbe", "a Java or macOS program"),
    (0, b"Rar!", "application/x-rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"#!", "a script"),
    (0, b"<?php", "a PHP script"),
]

# These mat2 hands to ffmpeg.
NEEDS_FFMPEG = {"video/mp4", "audio/x-wav", "video/x-msvideo", "audio/x-aiff", "video/x-ms-wmv"}

COMPRESSED = [
    (b"\x1f\x8b", "gzip", ".tar.gz", gzip.open),
    (b"BZh", "bzip2", ".tar.bz2", bz2.open),
    (b"\xfd7zXZ\x00", "xz", ".tar.xz", lzma.open),
]

HEAD = 64 * 1024
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
HTML = re.compile(
    r"<\s{0,20}(!doctype|html|head|body|script|iframe|object|embed|applet|svg|img|link|meta|form|style|base)\b", re.I
)


def unsupported(name: str) -> Refusal:
    return Refusal(f"mat2 does not support this type: {name}.")


def find_kind(path: str) -> Kind:
    """Raises Refusal for what is empty, damaged, encrypted, or of a type that mat2 has no parser for."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
        if not head:
            raise Refusal("The file is empty.")
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
            return _zip(path)
        if b"%PDF-" in head[:1024]:
            return Kind(".pdf", "application/pdf")
        if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            return _compound(file)
        for magic, name, extension, opener in COMPRESSED:
            if head.startswith(magic):
                return _compressed(path, name, extension, opener)
        for offset, magic, kind in MAGIC:
            if head.startswith(magic, offset):
                if isinstance(kind, str):
                    raise unsupported(kind)
                return kind
        return _text(file, head)


def _zip(path: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if any(member.flag_bits & 0x1 for member in archive.infolist()):
                raise Refusal("The archive is encrypted.")
            if "mimetype" in names:
                mime = _member(archive, "mimetype", 200).decode("ascii", "replace").strip()
                if mime == "application/epub+zip":
                    return Kind(".epub", mime)
                if mime in OPEN_DOCUMENT:
                    return Kind(OPEN_DOCUMENT[mime], mime)
            types = _member(archive, "[Content_Types].xml", 1 << 20) if "[Content_Types].xml" in names else b""
            if b"macroEnabled" in types or any(name.endswith("vbaProject.bin") for name in names):
                raise Refusal("The document contains macros.")
            # Without its content types it is a damaged document: mat2 says so.
            for part, kind in (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX)):
                if any(name.startswith(part) for name in names):
                    return kind
            if "META-INF/MANIFEST.MF" in names:
                raise unsupported("a Java archive")
            return Kind(".zip", "application/zip")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise Refusal("The ZIP archive is damaged or cut short.") from error


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as member:
        return member.read(limit)


def _compound(file: BinaryIO) -> Kind:
    # An OOXML document with a password is a compound file with this stream in it.
    file.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in file.read(4 << 20):
        raise Refusal("The document is encrypted with a password.")
    raise unsupported("an Office document in the binary format of before 2007, or another OLE compound file")


def _compressed(path: str, name: str, extension: str, opener) -> Kind:
    try:
        with opener(path, "rb") as inside:
            block = inside.read(512)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Refusal(f"The {name} file is damaged or cut short.") from error
    if block[257:262] == b"ustar":
        return Kind(extension, f"application/x-tar+{extension.rsplit('.', 1)[1]}")
    raise unsupported(f"{name}, without a tar archive in it")


def _text(file: BinaryIO, head: bytes) -> Kind:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        raise unsupported("text/html (mat2 would leave its scripts in)")
    if start.startswith(b"<"):
        root = _root_element(head)
        if root == "svg":
            return SVG
        if root == "html":
            raise unsupported("text/html (mat2 would leave its scripts in)")
        if root or start.startswith(b"<?xml"):
            raise unsupported("XML" + (f" with the root element {root}" if root else ""))
    if _is_plain_text(file):
        return TEXT
    raise unsupported("unknown binary data")


def _root_element(head: bytes) -> str | None:
    """Local name of the first element; None when there is none. Parses no further and loads nothing."""

    class Found(Exception):
        pass

    parser = xml.parsers.expat.ParserCreate()

    def start(name: str, _attributes: object) -> None:
        raise Found(name)

    parser.StartElementHandler = start
    try:
        parser.Parse(head, False)
    except Found as found:
        return re.sub(r"[^\w.-]", "?", str(found).rsplit(":", 1)[-1])[:50]
    except xml.parsers.expat.ExpatError:
        pass
    return None


def _is_plain_text(file: BinaryIO) -> bool:
    """UTF-8 throughout, without control characters other than those that lay text out. Raises Refusal for text with
    HTML in it: the file's own name, which is not known here, may end in .html."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    tail = ""
    try:
        while block := file.read(1 << 20):
            text = tail + decoder.decode(block)
            if CONTROL.search(text):
                return False
            if HTML.search(text):
                raise unsupported("text with HTML in it (mat2 would leave its scripts in)")
            tail = text[-40:]
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
