"""Records that are in a journal twice (a copied file, a repeated write): each counts once."""

from __future__ import annotations

from typing import Literal

from seed_library.core.journal_records import NotUnderstood, Record
from seed_library.core.open_batches import digest_of

Step = Literal["intent", "paid", "failed"]
_BITS: dict[Step, int] = {"intent": 1, "paid": 2, "failed": 4}
_LONGEST_NUMBER = 9  # digits
_MOST_SKIPPED = 10_000  # a number far beyond the last one makes no table of all that are between


class Repeated(NotUnderstood):
    """A record has been there before."""


class Repeats:
    """Remembers what a journal has told.

    Attempts of messages are numbered (`RUN-1`, `RUN-2`, ...): a byte each, by run. Of other records it keeps digests.
    """

    def __init__(self) -> None:
        self._numbered: dict[str, bytearray] = {}
        self._others: dict[str, int] = {}
        self._told: set[bytes] = set()

    def knows(self, attempt: str) -> bool:
        """Whether anything is known of an attempt."""
        return bool(self._steps(attempt))

    def require_new(self, record: Record) -> None:
        """Take note of a record that nothing numbers.

        Raises:
            Repeated: one just like it has been there before.
        """
        digest = digest_of(repr(record))
        if digest in self._told:
            raise Repeated(f"it repeats an earlier record of the kind {record['kind']!r}")
        self._told.add(digest)

    def require_next(self, attempt: str, step: Step) -> None:
        """Take note of a record of an attempt at a message.

        Raises:
            Repeated: it has been there before, or what follows it.
        """
        run, number = _parts(attempt)
        numbers = self._numbered.get(run)
        if numbers is None:
            numbers = self._numbered[run] = bytearray()
        if not 0 <= number < len(numbers) + _MOST_SKIPPED:
            self._others[attempt] = _next_steps(attempt, self._others.get(attempt, 0), step)
            return
        if number >= len(numbers):
            numbers.extend(bytes(number + 1 - len(numbers)))
        numbers[number] = _next_steps(attempt, numbers[number], step)

    def _steps(self, attempt: str) -> int:
        run, number = _parts(attempt)
        numbers = self._numbered.get(run, b"")
        return numbers[number] if 0 <= number < len(numbers) else self._others.get(attempt, 0)


def _next_steps(attempt: str, steps: int, step: Step) -> int:
    """Return what is known of an attempt with one step more."""
    if steps & _BITS[step] or (steps and step == "intent"):
        raise repeated(attempt)
    return steps | _BITS[step]


def repeated(attempt: str) -> Repeated:
    """Return what is the matter with a second record of the same kind about an attempt."""
    return Repeated(f"it repeats an earlier record of the attempt {attempt!r}")


def _parts(attempt: str) -> tuple[str, int]:
    """Return run and number; a negative number where it is not numbered as ours are."""
    run, _, number = attempt.rpartition("-")
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER and number[0] != "0"):
        return "", -1
    return run, int(number)
