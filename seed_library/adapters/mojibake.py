"""The marks that a text bears which was read in another encoding than it was written in, or saved in a smaller one.

What is stored for the same item is the best witness: a text that becomes exactly the new one by a wrong reading, or by
being saved where some of its characters do not exist, has been damaged so. Without a witness, ftfy knows which rows of
characters come about by a wrong reading only (it weighs hundreds of pairs, and spares "Spaß“" and "MAÇÃ…").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from seed_library.core.versions import settled

# What spreadsheets and editors take a file for that does not say it: "sloppy" knows no undefined bytes, as they do.
_READ_AS = ("sloppy-windows-1252", "latin-1", "mac-roman", "cp850", "cp437", "sloppy-windows-1250")
_LOST = "\N{REPLACEMENT CHARACTER}"
_IN_A_WORD = re.compile(r"[^\W\d_]\?+[^\W\d_]")
_SHOWN = 30  # characters around a mark


def mark_of_wrong_decoding(text: str, before: str) -> str:
    """Return the passage by which a text shows that it was wrongly decoded; empty where it bears no mark.

    `before` is what is stored in its place; empty where nothing is. Marks that it bears, too, do not count.
    """
    import ftfy.bad_codecs
    from ftfy.badness import badness

    ftfy.bad_codecs.ok()
    new, old = settled(text), settled(before)
    if new.isascii() and "?" not in new:
        return ""
    if new.count(_LOST) > old.count(_LOST):
        return _around(new, new.index(_LOST))
    if not old.isascii() and new in map(settled, _damaged(old)):
        return _around(new, _first_difference(new, old))
    if badness(new) > badness(old):
        return _around(new, next(place for place, one in enumerate(new) if not one.isascii()))
    return _question_mark(new, old)


def _damaged(text: str) -> Iterator[str]:
    """Yield what may have become of a text."""
    for encoding in _READ_AS:
        yield text.encode().decode(encoding, "replace")
        saved = text.encode(encoding, "replace")
        yield from (saved.decode(other, "replace") for other in _READ_AS)


def _question_mark(new: str, old: str) -> str:
    """Return a word with a question mark inside, where the stored text may have had a letter; addresses are none."""
    if old.isascii():
        return ""
    words = [word for word in new.split() if _IN_A_WORD.search(word) and not re.search("[/=]", word)]
    return next((word[:_SHOWN] for word in words if word not in old), "")


def _first_difference(new: str, old: str) -> int:
    return next((place for place, (one, other) in enumerate(zip(new, old, strict=False)) if one != other), 0)


def _around(text: str, place: int) -> str:
    start = max(0, place - _SHOWN // 2)
    return unicodedata.normalize("NFC", text[start : start + _SHOWN])
