"""Every expected failure, each with a message, a hint and an exit code.

SeedLibraryError
  UsageInvalid            2  an argument that cannot be meant
  SettingsInvalid         3  settings missing or wrong, all of them in one report
  PreflightFailed         4  a check that costs nothing failed
    CatalogInvalid           the catalog folder is damaged
    RunBlocked               the outside world refuses the whole run (bad key, no credit, table gone)
      StoreUnavailable       the target did not answer in time; what is paid waits in the journal
      ServiceUnreachable     nothing gets through to a service, and waiting would not help
      BatchWithheld          a batch cannot be collected for now; the run goes on with what is not in it, and says so
    JournalUnavailable       the journal cannot be written (disk full, read-only)
    LockLost                 the lock file was removed or replaced under the running process
    LeaseLost                another machine took the target over, or could soon do so
    BackgroundFailed         a process in the background was killed, or was not ready in time
  TargetLocked            5  another run holds the target
  BudgetReached           7  the next request could go over the budget
  Stopped                 8  stopped on request
WriteFailed                  one request to the writer failed; the engine decides what follows
  WriteRetryable             may be tried again
    BatchNotFound            the provider does not show such a batch, or results of it
  ItemRefused                this item only
BatchLost                    nothing can be fetched of a batch any more
RowsRefused                  the target refused rows for what they contain
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from seed_library.core.rate_limits import RateLimits


class ExitCode(IntEnum):
    """The documented, stable exit codes. Scripts treat any other as a failure."""

    DONE = 0
    BUG = 1
    USAGE = 2
    SETTINGS = 3
    PREFLIGHT = 4
    LOCKED = 5
    ITEMS_FAILED = 6
    BUDGET = 7
    STOPPED = 8
    INTERRUPTED = 130
    READER_GONE = 141


class SeedLibraryError(Exception):
    """An expected failure, printed in one place as what is wrong, where, and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageInvalid(SeedLibraryError):
    """An argument that cannot be meant: an unknown catalog, category, key or locale."""

    exit_code = ExitCode.USAGE
    code = "usage"


class SettingsInvalid(SeedLibraryError):
    """One or more settings are missing or malformed; the message names every one."""

    exit_code = ExitCode.SETTINGS
    code = "settings"


class PreflightFailed(SeedLibraryError):
    """Something that can be known for free stands in the way."""

    exit_code = ExitCode.PREFLIGHT
    code = "preflight"


class CatalogInvalid(PreflightFailed):
    """The catalog folder has faults; the message names every one with its file."""

    code = "catalog"


class RunBlocked(PreflightFailed):
    """The outside world refuses the whole run; trying other items would not help."""

    code = "blocked"


class StoreUnavailable(RunBlocked):
    """The target did not answer within the patience of the retries.

    Attributes:
        about_rows: it answered, and may have failed on the rows that were sent; others, or fewer, might be taken.
        reached: there was a connection; without one, an address may be wrong.
    """

    code = "store_unavailable"

    def __init__(self, message: str, *, hint: str = "", about_rows: bool = False, reached: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.about_rows = about_rows
        self.reached = reached


class ServiceUnreachable(RunBlocked):
    """Nothing gets through to a service, and waiting would not help: its certificate, a proxy, what answers there."""

    code = "unreachable"


class BatchWithheld(RunBlocked):
    """A batch cannot be collected for now: another key is needed, or results that are billed are missing still."""

    code = "batch_withheld"


class JournalUnavailable(PreflightFailed):
    """The journal cannot be written, so nothing may be paid."""

    code = "journal"


class LockLost(PreflightFailed):
    """The lock file was removed or replaced, so another process may hold the target too."""

    code = "lock_lost"


class LeaseLost(PreflightFailed):
    """The lease across machines was taken away, or was not renewed for so long that it may be."""

    code = "lease_lost"


class BackgroundFailed(PreflightFailed):
    """A process in the background was killed before it was ready, or was not ready in time."""

    code = "background"


class TargetLocked(SeedLibraryError):
    """Another run holds the target."""

    exit_code = ExitCode.LOCKED
    code = "locked"


class BudgetReached(SeedLibraryError):
    """The worst case of the next request does not fit into what is left of the budget."""

    exit_code = ExitCode.BUDGET
    code = "budget"


class Stopped(SeedLibraryError):
    """The run was asked to stop and did."""

    exit_code = ExitCode.STOPPED
    code = "stopped"


class WriteFailed(Exception):
    """One request to the writer gave no usable text.

    Attributes:
        maybe_billed: True when the provider may have done and charged the work although no answer arrived.
        hint: what to do, where something can be done.
    """

    def __init__(self, message: str, *, maybe_billed: bool, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.maybe_billed = maybe_billed
        self.hint = hint


class WriteRetryable(WriteFailed):
    """The same request may succeed later.

    Attributes:
        retry_after: seconds the provider asked to wait, or None.
        overloaded: True for 529, which says something about the provider and nothing about the item.
        limits: what a 429 tells of the account's rate limits, if anything; None: it is not about the pace.
    """

    def __init__(
        self,
        message: str,
        *,
        maybe_billed: bool,
        retry_after: float | None = None,
        overloaded: bool = False,
        limits: RateLimits | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, maybe_billed=maybe_billed, hint=hint)
        self.retry_after = retry_after
        self.overloaded = overloaded
        self.limits = limits


class BatchNotFound(WriteRetryable):
    """The provider does not show such a batch, or results of it; minutes after it was created, that may be untrue."""


class BatchLost(Exception):
    """Nothing can be fetched of a batch any more; what is missing of it may have been billed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ItemRefused(WriteFailed):
    """The provider refuses this item for what it asks; other items are not concerned."""


class RowsRefused(Exception):
    """The target refused a batch of rows for their content (a constraint, a bad value).

    The engine halves the batch until the guilty row stands alone.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
