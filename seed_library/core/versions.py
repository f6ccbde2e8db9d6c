"""The version of a stored text: what a write over it was decided on.

A write over a row is refused where the row holds another version by then: somebody has changed it meanwhile. Tables
have no version of their own that everybody keeps (a person at the dashboard moves no `updated_at`), so it is made of
what would be written over: the title, the text and the columns generated beside it, empty where they are null.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping

_LINE_END = re.compile("\r\n|\r|\n")
_BYTES = 12  # 96 bits: a collision is out of reach, and a column of a spreadsheet stays readable


def version_of(title: str, text: str, generated: Mapping[str, str]) -> str:
    """Return the version as 24 hexadecimal digits; the order of the columns does not matter."""
    content = json.dumps([title, text, sorted(generated.items())], ensure_ascii=False)
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def settled(text: str) -> str:
    """Return a text without what programs change while they save it: line ends, normal form, blanks at an end.

    Two texts that settle to the same one are the same to a reader.
    """
    return "\n".join(map(str.rstrip, _LINE_END.split(unicodedata.normalize("NFC", text)))).rstrip()
