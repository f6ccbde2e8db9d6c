"""A lock that is lost when the test says so."""

from __future__ import annotations

from seed_library.core.errors import LockLost


class FakeLock:
    """Implements the `RunLock` port.

    Attributes:
        lost: from then on the hold is gone.
        begun_at: the journal positions that were published.
    """

    def __init__(self) -> None:
        self.lost = False
        self.begun_at: list[int] = []

    def assert_held(self) -> None:
        """Raise when the hold is gone."""
        if self.lost:
            raise LockLost("The lock file was removed or replaced while this run was working.", hint="Never remove it.")

    def begun(self, journal_position: int) -> None:
        """Remember what was published."""
        self.begun_at.append(journal_position)
