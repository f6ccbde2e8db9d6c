"""What a run counts, and the breaker that ends a run in which nothing works."""

from __future__ import annotations

from dataclasses import dataclass, field

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Finding
from seed_library.core.errors import BatchWithheld, RunBlocked
from seed_library.core.events import ItemConflicted, ItemFailed, ItemRejected, Trouble, Warned
from seed_library.ports import Reporter

_MOST_IN_A_ROW = 10
_NAMED_TROUBLES = 200


@dataclass(slots=True)
class Tally:
    """Counts of items; troubles name the first items that are not stored, and why.

    Attributes:
        withheld: why batches could not be collected; what is in them was not asked for again.
    """

    reporter: Reporter
    requests: int = 0
    generated: int = 0
    stored: int = 0
    recovered: int = 0
    rejected: int = 0
    failed: int = 0
    conflicts: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    withheld: list[BatchWithheld] = field(default_factory=list)
    _troubles_in_a_row: int = 0
    _refused_rows_in_a_row: int = 0

    def accept(self) -> None:
        """Note that a text passed the gates, so the way to a good text is open."""
        self._troubles_in_a_row = 0

    def reject(self, item: ItemId, findings: tuple[Finding, ...]) -> None:
        """Count a text that the gates refuse.

        Raises:
            RunBlocked: nothing but trouble arrives.
        """
        reason = "rejected: " + "; ".join(_sentence(finding) for finding in findings)
        self.rejected += 1
        self._keep(item, reason)
        self.reporter.report(ItemRejected(item, findings))
        self._troubles_in_a_row += 1
        _break_after_too_many(self._troubles_in_a_row, "got no good text", reason)

    def rejected_before(self, item: ItemId, reason: str) -> None:
        """Count a text that the gates refused in an earlier run."""
        self.rejected += 1
        self._keep(item, f"rejected: {reason}")

    def fail(self, item: ItemId, reason: str) -> None:
        """Count an item that got no text.

        Raises:
            RunBlocked: nothing but trouble arrives.
        """
        self._fail(item, reason)
        self._troubles_in_a_row += 1
        _break_after_too_many(self._troubles_in_a_row, "got no good text", reason)

    def fail_again(self, item: ItemId, reason: str) -> None:
        """Count an item whose answers have held no usable text before: it says nothing about the way to a good one."""
        self._fail(item, reason)

    def withhold(self, reason: BatchWithheld) -> None:
        """Take note of a batch that cannot be collected for now: the run ends with it, after everything else."""
        self.withheld.append(reason)
        self.reporter.report(Warned(f"{reason.message} {reason.hint}"))

    def conflict(self, item: ItemId, reason: str) -> None:
        """Count an item whose row was not written, because it holds something else by now."""
        self.conflicts += 1
        self._keep(item, f"conflict: {reason}")
        self.reporter.report(ItemConflicted(item, reason))

    def store(self, rows: int, recovered: int) -> None:
        """Count rows that the table took."""
        self.stored += rows
        self.recovered += recovered
        self._refused_rows_in_a_row = 0

    def refuse_row(self, item: ItemId, reason: str) -> None:
        """Count a good text whose row the table refuses.

        Raises:
            RunBlocked: it refuses one row after the other.
        """
        self._fail(item, reason)
        self._refused_rows_in_a_row += 1
        _break_after_too_many(self._refused_rows_in_a_row, "could not be stored", reason)

    def _fail(self, item: ItemId, reason: str) -> None:
        self.failed += 1
        self._keep(item, reason)
        self.reporter.report(ItemFailed(item, reason))

    def _keep(self, item: ItemId, reason: str) -> None:
        if len(self.troubles) < _NAMED_TROUBLES:
            self.troubles.append(Trouble(item, reason))


def _break_after_too_many(in_a_row: int, trouble: str, reason: str) -> None:
    if in_a_row >= _MOST_IN_A_ROW:
        raise RunBlocked(
            f"{_MOST_IN_A_ROW} items in a row {trouble}; the last one: {reason}",
            hint="The cause is not single items. What is stored stays and what is paid is kept; mend it and run again.",
        )


def _sentence(finding: Finding) -> str:
    return f"{finding.message} ({finding.span!r})" if finding.span else finding.message
