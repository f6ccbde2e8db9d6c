"""What a run has done, as its journal records tell it: what `status` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from seed_library.core.journal_records import Record


@dataclass(slots=True)
class RunTally:
    """What one run has done so far. Money in micro-dollars, counts in items.

    Attributes:
        conflicts: items that were not written, since something else is stored there: category, key, locale, reason.
        given_up: the first items whose answers never held a usable text: category, key, locale, reason.
    """

    run_id: str = ""
    started_at: str = ""
    catalog: str = ""
    model: str = ""
    writer: str = ""
    refresh: str = ""
    requests: int = 0
    generated: int = 0
    stored: int = 0
    recovered: int = 0
    rejected: int = 0
    failed: int = 0
    spent: int = 0
    maybe_spent: int = 0
    to_do: int = 0
    stored_per_part: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    finished_at: str = ""
    exit_code: int | None = None
    given_up: Sequence[Sequence[str]] = ()
    conflicts: list[Sequence[str]] = field(default_factory=list)

    @classmethod
    def begun(cls, record: Record) -> Self:
        """Begin to count, with the record of a run's beginning."""
        return cls(
            run_id=str(record["run"]),
            started_at=str(record["at"]),
            catalog=str(record.get("catalog", "")),
            model=str(record.get("model", "")),
            writer=str(record.get("writer", "")),
            refresh=str(record.get("refresh", "")),
            to_do=int(record.get("to_do", 0)),
            maybe_spent=int(record.get("maybe_before", 0)),
            given_up=record.get("given_up", ()),
        )
