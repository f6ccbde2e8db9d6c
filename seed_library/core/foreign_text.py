"""What may be shown of a text that somebody else has written: the error of an API, of a database, of a proxy.

Two rules. A text that seems to hold a part of a secret of ours is not shown at all (`core.traces`). Of any other, only
what reads like language, names and numbers is shown: pieces that could be a token of somebody, or carry one in a coding
that nobody has thought of, are cut out. Both are for what is said about the work; texts of the library are content,
and never come here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from seed_library.core.redaction import Redactor
from seed_library.core.traces import Traces

WITHHELD = "(not shown: it repeats a part of a key)"
CUT = "…"
_LONGEST = 200
_LONGEST_PIECE = 90  # characters: a name with its schema, an address, a list of short names
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_MARKS = re.compile(r"(?:[^\x00-\x7f]|[\w.,:;!?'\"()\[\]<>/=@|&*+%$#{}`-])*")
_ATOM = re.compile(r"[^\W_]+")
# A word, a number, or a part of a uuid. What is not ASCII is fine: no key and no coding of one is written so.
_PLAIN = re.compile(r"[A-Z]?[a-z]{1,30}|[A-Z]{1,30}s?|[A-Z]?[a-z]+(?:[A-Z][a-z]+){1,4}|\d{1,20}|[0-9a-f]{4,12}")
_MIXED = re.compile(r"[A-Za-z0-9]{1,12}")


class ForeignText:
    """Shows what is harmless of foreign texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        secrets = tuple(secrets)
        self._has_trace = Traces(secrets)
        self._redact = Redactor(secrets)

    def sentence(self, said: object, longest: int = _LONGEST) -> str:
        """Return a message in one line; empty where there is none, and no part of it where it holds one of a secret."""
        if not isinstance(said, str) or not said.strip():
            return ""
        if self._has_trace(said):
            return WITHHELD
        pieces = [piece if _reads(piece) else CUT for piece in self._redact(said).split()]
        kept = [piece for place, piece in enumerate(pieces) if piece != CUT or pieces[place - 1 : place] != [CUT]]
        line = " ".join(kept)
        return line if len(line) <= longest else f"{line[:longest]}..."

    def code(self, said: object) -> str:
        """Return a code, a kind or an id; empty where it is none, or holds a part of a secret."""
        if not isinstance(said, str) or not _CODE.fullmatch(said) or self._has_trace(said):
            return ""
        return said


def _reads(piece: str) -> bool:
    """Whether a piece between blanks is made of words, names and numbers; one odd mixture of them may be a name."""
    if len(piece) > _LONGEST_PIECE or not _MARKS.fullmatch(piece):
        return False
    odd = [atom for atom in _ATOM.findall(piece) if atom.isascii() and not _PLAIN.fullmatch(atom)]
    return len(odd) <= 1 and all(map(_MIXED.fullmatch, odd))
