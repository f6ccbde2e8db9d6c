"""What a run has done, as its journal records tell it: what `status` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


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
