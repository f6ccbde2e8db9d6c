"""A paid text as the ledger keeps it: one integer per request, so that a journal of 100,000 texts fits in memory.

From the lowest bit: the verdict (2), whether it reached the table, whether it replaces an earlier text, how often the
gates have refused a text for this request (3), how many answers held no usable text (3), a mark of the attempt that
paid for it (32), the position in the journal.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["unjudged", "accepted", "rejected", "unusable"]
_VERDICTS: tuple[Verdict, ...] = ("unjudged", "accepted", "rejected", "unusable")
_VERDICT_MASK = 0b0011
_STORED = 0b0100
_REPLACES = 0b1000
_ONE_REFUSAL = 0b1_0000
_REFUSALS_MASK = 0b111_0000
_ONE_UNUSABLE = 0b1_000_0000
_UNUSABLE_MASK = 0b111_000_0000
_FLAG_BITS = 10
_MARK_BITS = 32
_MARK_MASK = (1 << _MARK_BITS) - 1


@dataclass(frozen=True, slots=True)
class DraftRef:
    """A paid text in the journal: where it is, and what became of it.

    Attributes:
        stored: the journal knows that it reached the table.
        replaces: when it was paid, an earlier text of this item had been stored from here.
        by_hand: a person has accepted it, whatever the gates say.
        refusals: how many texts for this request the gates have refused so far, up to 7.
        unusable: how many answers to this request have held no usable text so far, up to 7.
    """

    position: int
    verdict: Verdict
    stored: bool
    replaces: bool
    refusals: int = 0
    by_hand: bool = False
    unusable: int = 0

    def given_up(self, tries: int) -> bool:
        """Whether its answers have held no usable text as often as the catalog allows."""
        return self.verdict == "unusable" and self.unusable >= tries

    def repairable(self, repairs: int) -> bool:
        """Whether it was refused, but not as often as the catalog allows to ask again."""
        return self.verdict == "rejected" and self.refusals <= repairs


def packed(position: int, attempt: str, before: int, *, replaces: bool) -> int:
    """Return a text that was just paid for.

    Args:
        position: of its record in the journal.
        attempt: that paid for it.
        before: the earlier text of the same request, 0 where there is none; what was counted goes on.
        replaces: whether an earlier text of its item had been stored from here.
    """
    counted = before & (_REFUSALS_MASK | _UNUSABLE_MASK)
    return (position << _MARK_BITS | _mark(attempt)) << _FLAG_BITS | counted | (_REPLACES if replaces else 0)


def is_of(draft: int, attempt: str) -> bool:
    """Whether this attempt has paid for a draft."""
    return draft >> _FLAG_BITS & _MARK_MASK == _mark(attempt)


def _mark(attempt: str) -> int:
    return zlib.crc32(attempt.encode())


def judged(draft: int, verdict: Verdict) -> int:
    """Return a draft with a verdict, which is counted unless it repeats the one before."""
    known = _VERDICTS[draft & _VERDICT_MASK]
    draft = draft & ~_VERDICT_MASK | _VERDICTS.index(verdict)
    if verdict == "rejected" != known and draft & _REFUSALS_MASK != _REFUSALS_MASK:
        draft += _ONE_REFUSAL
    if verdict == "unusable" != known and draft & _UNUSABLE_MASK != _UNUSABLE_MASK:
        draft += _ONE_UNUSABLE
    return draft


def stored(draft: int) -> int:
    """Return a draft that has reached the table."""
    return draft | _STORED


def reference(draft: int, *, by_hand: bool) -> DraftRef:
    """Return a draft as the plan reads it."""
    return DraftRef(
        position=draft >> _FLAG_BITS + _MARK_BITS,
        verdict=_VERDICTS[draft & _VERDICT_MASK],
        stored=bool(draft & _STORED),
        replaces=bool(draft & _REPLACES),
        by_hand=by_hand,
        refusals=(draft & _REFUSALS_MASK) // _ONE_REFUSAL,
        unusable=(draft & _UNUSABLE_MASK) // _ONE_UNUSABLE,
    )
