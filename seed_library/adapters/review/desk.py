"""What the page needs from the program behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from seed_library.core.errors import ExitCode, SeedLibraryError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a button.

    Attributes:
        said: the sentence for the person who pressed it.
        refused: why nothing was done; None where it was.
        ends: whether the page ends with it: a signal came while it was being done.
    """

    said: str
    refused: ExitCode | None = None
    ends: bool = False


class Desk(Protocol):
    """Looks at a library, and does what a button says."""

    def look(self) -> dict[str, Any]:
        """Return what the page shows: catalog, target and cards. Called in any thread, also in several at once.

        Raises:
            SeedLibraryError: it cannot be read.
        """

    def act(self, said: Mapping[str, Any]) -> Outcome:
        """Do what was asked for. Called in the thread that owns the signals, one call at a time."""

    def words(self, error: SeedLibraryError) -> str:
        """Return a failure as a sentence without secrets."""
