"""The engine's contract: /pristine/in/file in; /pristine/out/rebuilt or refused, and report.xml, out; exit code 0
for both. Any other exit code is a crash: ours, or of a pod that ran out of room."""

import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback

from .contents import check_contents
from .kind import TEXT, Kind, find_kind
from .rebuild import rebuild
from .refusal import Refusal
from .report import report
from .text import shown

SOURCE = "/pristine/in/file"
OUT = "/pristine/out"
CRASH = 70  # EX_SOFTWARE


def main() -> int:
    began = time.monotonic()
    version = mat2_version()
    kind: Kind | None = None
    target = os.path.join(OUT, "rebuilt")
    try:
        kind = find_kind(SOURCE)
        if kind == TEXT and os.environ.get("MAT2_PLAIN_TEXT") == "refuse":
            raise Refusal("Plain text is refused by this profile: mat2 would hand it on unchanged.")
        check_contents(SOURCE, kind, room())
        outcome = rebuild(SOURCE, target, kind)
    except Refusal as refusal:
        if os.path.lexists(target):
            os.unlink(target)
        reason = shown(refusal, 600)
        write("report.xml", report(version=version, mime=kind and kind.mime, verdict="refused", reason=reason))
        write("refused", reason + "\n")
        say("engine.refused", type=kind and kind.mime, seconds=round(time.monotonic() - began, 3))
        return 0
    write(
        "report.xml",
        report(
            version=version,
            mime=kind.mime,
            verdict="rebuilt",
            found=outcome.found,
            size=outcome.size,
            same_bytes=outcome.same_bytes,
        ),
    )
    say("engine.rebuilt", type=kind.mime, same=outcome.same_bytes, seconds=round(time.monotonic() - began, 3))
    return 0


def room() -> int:
    """Bytes that may come out of an archive: all that scratch has free, less the copy that mat2 makes of it."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    limit = os.environ.get("MAT2_MAX_UNPACKED_BYTES", "")
    return min(max(free - os.path.getsize(SOURCE), 0), int(limit) if limit.isdecimal() else free)


def mat2_version() -> str:
    """From Debian's list of what is installed: mat2's library does not say its own version."""
    with open("/var/lib/dpkg/status", encoding="utf-8") as status:
        found = re.search(r"^Package: mat2\n(?:\S.*\n| .*\n)*?Version: (\S+)", status.read(), re.M)
    return found[1] if found else "unknown"


def write(name: str, text: str) -> None:
    with open(os.path.join(OUT, name), "x", encoding="utf-8") as file:
        file.write(text)


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


if __name__ == "__main__":
    try:
        code = main()
    except BaseException as error:
        traceback.print_exc(limit=8)
        # The last line is what an operator is shown.
        print(f"The engine failed: {type(error).__name__}: {shown(error, 300)}", flush=True)
        code = CRASH
    # Not sys.exit: a library's exit handler must not turn a verdict into a crash.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
