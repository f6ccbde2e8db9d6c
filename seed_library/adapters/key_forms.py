"""How a key comes back from a column of another type than text: `1` for "007", lower-case uuid, no blanks of a char(n).

A catalog's key has to be written as the database gives it back, or its row would never be recognised: every run would
pay for it again. Where our functions are installed the database itself says so; here it is known of the column's type.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN_TEXT = {"text", "character varying", "varchar", "name", "citext"}
_INTEGERS = {"smallint", "integer", "bigint"}


def comes_back(kind: str, key: str) -> bool | None:
    """Whether a column of this type gives a key back as it was written; None where that is not known.

    `kind` is a type as `format_type` spells it, with or without its length.
    """
    name = re.sub(r"\(.*\)", "", kind).strip()
    if name in _PLAIN_TEXT:
        return True
    if name in {"character", "char", "bpchar"}:
        return key == key.rstrip(" ")
    if name in _INTEGERS:
        return bool(_WHOLE.fullmatch(key))
    if name == "uuid":
        return bool(_UUID.fullmatch(key))
    if name == "boolean":
        return key in {"true", "false"}
    return None
