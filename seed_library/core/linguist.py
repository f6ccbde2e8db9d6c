"""What the gates ask of libraries: where words end in scripts without blanks, and what language a sentence is in.

The core knows no vendor. `adapters.languages` answers with the libraries that are installed; `UNAIDED` knows nothing,
and gates that cannot do without an answer stand aside (`core.gates.aside`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Linguist(Protocol):
    """Answers for any text; whether it can is said beforehand, without loading anything."""

    @property
    def segments(self) -> bool:
        """Whether it knows words that no blanks set apart."""

    @property
    def identifies(self) -> bool:
        """Whether it knows languages at all."""

    def knows(self, language: str) -> bool:
        """Whether it can tell this language (ISO 639) from others."""

    def words(self, text: str, locale: str) -> Sequence[str]:
        """Cut a text at the bounds of its words (UAX #29 with dictionaries); marks and blanks are parts, too."""

    def languages(self, text: str) -> Mapping[str, float]:
        """Return the likeliest languages of a text (ISO 639) and how likely each is, 0 to 1."""


class _Unaided:
    segments = False
    identifies = False

    def knows(self, language: str) -> bool:
        del language
        return False

    def words(self, text: str, locale: str) -> Sequence[str]:
        del locale
        return list(text)

    def languages(self, text: str) -> Mapping[str, float]:
        del text
        return {}


UNAIDED: Linguist = _Unaided()
