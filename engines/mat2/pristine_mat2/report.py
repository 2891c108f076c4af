"""The report: what the engine did to the file, in XML. Whatever comes from the file is hostile text."""

from html import escape

from .text import shown

ITEMS = 300
NAME = 120
VALUE = 300


def items(found: dict, prefix: str = "") -> list[tuple[str, str]]:
    """mat2's nested metadata as (name, value), members of archives as `member: name`; at most ITEMS + 1."""
    flat: list[tuple[str, str]] = []
    for key, value in found.items():
        name = f"{prefix}{shown(key, NAME)}"
        if isinstance(value, dict):
            flat += items(value, f"{name}: ")
        else:
            flat.append((shown(name, NAME), shown(value, VALUE)))
        if len(flat) > ITEMS:
            break
    return flat


def report(
    *,
    version: str,
    mime: str | None,
    verdict: str,
    reason: str | None = None,
    found: dict | None = None,
    size: tuple[int, int] | None = None,
    same_bytes: bool | None = None,
) -> str:
    """`found` is None when mat2 could not read the metadata; `size` is (input, output) in bytes."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<report version="1">',
        f'  <engine name="mat2" version="{escape(version)}"/>',
        f"  <type>{escape(mime or 'unknown')}</type>",
        f"  <verdict>{escape(verdict)}</verdict>",
    ]
    if reason is not None:
        lines.append(f"  <reason>{escape(shown(reason, 600))}</reason>")
    if size is not None:
        same = "true" if same_bytes else "false"
        lines.append(f'  <bytes input="{size[0]}" output="{size[1]}" same="{same}"/>')
    if verdict == "rebuilt":
        if found is None:
            lines.append('  <removed known="false"/>')
        else:
            flat = items(found)
            more = "true" if len(flat) > ITEMS else "false"
            lines.append(f'  <removed known="true" more="{more}">')
            lines += [f'    <item name="{escape(name)}">{escape(value)}</item>' for name, value in flat[:ITEMS]]
            lines.append("  </removed>")
    lines.append("</report>")
    return "\n".join(lines) + "\n"
