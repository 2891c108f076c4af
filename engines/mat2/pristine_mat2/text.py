"""Text from a hostile file, made safe to show."""

import unicodedata


def shown(value: object, limit: int) -> str:
    """One line of at most `limit` characters: control, format, surrogate, private and unassigned characters and
    line separators are spelled out, so that nothing in it can move a cursor, turn text around or break XML."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    line = ""
    for character in str(value)[: limit * 2].strip():
        category = unicodedata.category(character)
        spelled = category[0] == "C" or category in ("Zl", "Zp")
        line += f"\\u{{{ord(character):x}}}" if spelled else character
        if len(line) >= limit:
            return line[: limit - 1] + "…"
    return line
