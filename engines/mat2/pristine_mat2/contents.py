"""What an archive would become when unpacked, looked at before mat2 unpacks it."""

import bz2
import gzip
import html
import io
import lzma
import re
import tarfile
import tempfile
import zipfile
import zlib
from typing import BinaryIO

from .kind import Kind
from .refusal import Refusal
from .text import shown

DEPTH = 4
MEMBERS = 20_000
ARCHIVES = (".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".odg", ".odc", ".odf", ".odi", ".epub")
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
PAGES = (".html", ".htm", ".xhtml", ".xht")
OPENERS = {".tar.gz": gzip.open, ".tar.bz2": bz2.open, ".tar.xz": lzma.open}

# In a page that mat2 takes over almost as it is. Entities are resolved and white space is dropped before.
ACTIVE = re.compile(r"<(\w+:)?(script|iframe|object|embed|applet|foreignobject)|\bon\w+=|javascript:|vbscript:", re.I)


class Budget:
    """Bytes and members that may still be unpacked, over all levels."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.bytes = 0
        self.members = 0

    def take(self, size: int) -> None:
        self.bytes += size
        self.members += 1
        if self.bytes > self.allowed:
            raise Refusal(f"Unpacked it is too large: more than the {self.allowed >> 20} MiB that this engine allows.")
        if self.members > MEMBERS:
            raise Refusal(f"The archive has too many members: more than {MEMBERS}.")


def check_contents(path: str, kind: Kind, allowed: int) -> None:
    """Raises Refusal for an archive that is too large, too deep, encrypted inside, damaged, or holds a page with
    a script. `allowed` is in bytes. Other kinds pass."""
    try:
        if kind.extension in ARCHIVES:
            with open(path, "rb") as file:
                _zip(file, Budget(allowed), 1)
        elif kind.extension.startswith(".tar"):
            _tar(path, kind.extension, Budget(allowed))
    except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise Refusal("The archive is damaged or cut short.") from error


def _zip(file: BinaryIO, budget: Budget, depth: int) -> None:
    if depth > DEPTH:
        raise Refusal(f"Archives are nested too deep: more than {DEPTH} levels.")
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            budget.take(member.file_size)
            name = member.filename.lower()
            if member.flag_bits & 0x1:
                raise Refusal("An archive inside the archive is encrypted.")
            if name.endswith(PAGES):
                _page(member.filename, archive.read(member))
            elif name.endswith(ARCHIVES):
                with tempfile.TemporaryFile() as inner:
                    # Read again by mat2; here only as far as it is declared, which the budget has allowed.
                    with archive.open(member) as source:
                        while block := source.read(1 << 20):
                            inner.write(block)
                    inner.seek(0)
                    if inner.read(4).startswith(b"PK"):
                        _zip(inner, budget, depth + 1)
            elif name.endswith(TARS):
                raise Refusal(f"A tar archive lies inside the archive: {shown(member.filename, 200)}.")


def _tar(path: str, extension: str, budget: Budget) -> None:
    opener = OPENERS.get(extension)
    if opener:
        with opener(path, "rb") as inside:
            seen = 0
            while block := inside.read(1 << 20):
                seen += len(block)
                if seen > budget.allowed:
                    budget.take(seen)
    with tarfile.open(path) as archive:
        for member in archive:
            budget.take(member.size)
            name = member.name.lower()
            if name.endswith(ARCHIVES + TARS):
                raise Refusal(f"An archive lies inside the archive: {shown(member.name, 200)}.")
            if name.endswith(PAGES) and member.isfile():
                page = archive.extractfile(member) or io.BytesIO()
                _page(member.name, page.read())


def _page(name: str, content: bytes) -> None:
    text = html.unescape(content.decode("utf-8", "replace"))
    if ACTIVE.search(re.sub(r"[\s\x00-\x1f]*([=:])", r"\1", re.sub(r"<[\s/]+", "<", text))):
        raise Refusal(f"A page in the archive holds active content, which mat2 would leave in: {shown(name, 200)}.")
