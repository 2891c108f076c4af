"""mat2 on one file. What a parser throws at damaged input is a refusal; what means that we ran out of room is not."""

import errno
import filecmp
import logging
import os
import re
import shutil
import subprocess
import tempfile

import cairo
from libmat2 import UnknownMemberPolicy, parser_factory

from .kind import NEEDS_FFMPEG, Kind, unsupported
from .refusal import Refusal
from .text import shown

# System errors that are the machine's and not the file's.
OURS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,
    errno.EIO,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
}


class Spoken(logging.Handler):
    """What mat2 says through `logging` when it gives up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < 20:
            self.lines.append(record.getMessage())


class Outcome:
    """What came of a file that was rebuilt. `found` is None when mat2 could not read the metadata."""

    def __init__(self, found: dict | None, size: tuple[int, int], same_bytes: bool) -> None:
        self.found = found
        self.size = size
        self.same_bytes = same_bytes


def rebuild(source: str, target: str, kind: Kind) -> Outcome:
    """Writes the rebuilt file to `target`. Raises Refusal, or what says that the machine and not the file failed."""
    if kind.mime in NEEDS_FFMPEG and shutil.which("ffmpeg") is None:
        raise unsupported(f"{kind.mime} (this image has no ffmpeg)")
    spoken = Spoken()
    logging.getLogger().addHandler(spoken)
    with tempfile.TemporaryDirectory() as folder:
        named = os.path.join(folder, "document" + kind.extension)
        if kind.mime.startswith("audio/"):
            # mat2 changes a copy in place, and a copy of a read-only file is read-only.
            shutil.copyfile(source, named)
        else:
            os.symlink(source, named)
        try:
            parser, _ = parser_factory.get_parser(named)
            if parser is None:
                raise unsupported(kind.mime)
            parser.lightweight_cleaning = False
            parser.unknown_member_policy = UnknownMemberPolicy.ABORT
            # The pod is the sandbox. Without privileges bubblewrap could not make one in it, and it is not installed.
            parser.sandbox = False
            found = _metadata(parser)
            done = parser.remove_all()
        except Refusal:
            raise
        except Exception as error:
            _raise_if_ours(error)
            raise Refusal(_sentence(error, kind, folder)) from error
        if any("died with <Signals" in line for line in spoken.lines):
            raise RuntimeError(f"a program that mat2 runs was killed: {shown(spoken.lines[-1], 300)}")
        if not done:
            raise Refusal(_complaint(spoken.lines, kind, folder))
        result = parser.output_filename
        if os.path.islink(result) or not os.path.isfile(result):
            raise RuntimeError("mat2 said that it succeeded and left no file")
        size = (os.path.getsize(source), os.path.getsize(result))
        if size[1] == 0:
            raise Refusal("Nothing was left of the file after cleaning.")
        same = filecmp.cmp(source, result, shallow=False)
        shutil.copyfile(result, target)
        return Outcome(found, size, same)


def _metadata(parser) -> dict | None:
    try:
        return parser.get_meta()
    except Exception as error:
        _raise_if_ours(error)
        return None


def _raise_if_ours(error: BaseException) -> None:
    """mat2 turns much into a bare ValueError: what it was lies in the chain."""
    cause: BaseException | None = error
    while cause is not None:
        # cairo says "out of memory" to a damaged PNG.
        if isinstance(cause, MemoryError) and not isinstance(cause, cairo.Error):
            raise error
        if isinstance(cause, OSError) and cause.errno in OURS:
            raise error
        if isinstance(cause, subprocess.CalledProcessError) and cause.returncode < 0:
            raise error
        cause = cause.__cause__ or cause.__context__


def _sentence(error: BaseException, kind: Kind, folder: str) -> str:
    if isinstance(error, RecursionError):
        return "The file is nested too deep."
    words = []
    cause: BaseException | None = error
    while cause is not None and len(words) < 3:
        if isinstance(cause, cairo.Error) and isinstance(cause, MemoryError):
            words.append("a PNG picture can't be read")
        elif text := _plain(str(cause), folder):
            words.append(text)
        cause = cause.__cause__ or cause.__context__
    said = "; ".join(dict.fromkeys(words))
    if re.search(r"encrypted|password", said, re.I):
        return "The document is encrypted with a password."
    return f"The file is damaged, or not the {_name(kind)} that it looks like" + (f": {said}." if said else ".")


def _complaint(lines: list[str], kind: Kind, folder: str) -> str:
    said = [_plain(re.sub(r"^In file [^,]*, ", "", line), folder) for line in lines]
    for text in said:
        if part := re.fullmatch(r"element (.*)'s format \((.*)\) isn't supported", text):
            return f"It contains {part[1]} ({part[2]}), a type that mat2 does not support."
    last = next((text for text in reversed(said) if text), None)
    return f"mat2 could not clean this {_name(kind)}" + (f": {last}." if last else ".")


def _name(kind: Kind) -> str:
    return kind.extension[1:].upper()


def _plain(text: str, folder: str) -> str:
    """Without the paths of this pod's scratch, which mean nothing to a reader."""
    text = text.replace(f"{folder}/", "")
    text = re.sub(r"/tmp/tmp[a-z0-9_]+/", "", text)
    text = re.sub(r" in document\.[a-z0-9.]+", "", text)
    return shown(text, 250).rstrip(".")
