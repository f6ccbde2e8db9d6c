"""A lease that is granted, refused and lost as the test says. By default there is none, as with a file."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from seed_library.core.errors import LeaseLost
from seed_library.ports import Check

LOST = LeaseLost("The lease on this target was taken from this run.", hint="Run again.")


class FakeLease:
    """Implements the `Lease` port.

    Attributes:
        token: what the next `take` returns; 0 is "no leases here".
        check: the finding that comes with it.
        refusals: raised by the next takings, first come first served.
        trouble: raised by the next renewals; None lets one pass.
        lost: from then on the lease may be somebody else's.
        grown_stale: the last renewal is too old, until the next one.
        dead_runs: what the last `take` was told.
        calls: "take", "renew" and "release", in order.
    """

    def __init__(self, token: int = 0) -> None:
        self.token = token
        self.check = Check("lease", ok=True, message="as the test says")
        self.refusals: list[Exception] = []
        self.trouble: list[Exception | None] = []
        self.lost: LeaseLost | None = None
        self.dead_runs: Collection[str] = ()
        self.calls: list[str] = []
        self.renewed = asyncio.Event()
        self.grown_stale = False

    @property
    def applies(self) -> bool:
        """Whether there are leases."""
        return self.token > 0

    async def take(self, dead_runs: Collection[str]) -> tuple[int, Check]:
        """Grant, unless a refusal is due."""
        self.calls.append("take")
        self.dead_runs = set(dead_runs)
        if self.refusals:
            raise self.refusals.pop(0)
        return self.token, self.check

    @property
    def stale(self) -> bool:
        """Whether it has to be renewed before anything is paid."""
        return self.grown_stale

    async def renew(self) -> None:
        """Prolong, unless trouble is due."""
        self.calls.append("renew")
        self.renewed.set()
        failure = self.trouble.pop(0) if self.trouble else None
        if failure is not None:
            raise failure
        self.grown_stale = False

    def assert_held(self) -> None:
        """Raise when it is lost."""
        if self.lost is not None:
            raise self.lost

    async def release(self) -> None:
        """Take note."""
        self.calls.append("release")
