"""Holding the lease for the time of a run: taken before the plan is made, renewed beside the work, given back."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from seed_library.core.errors import LeaseLost, PreflightFailed, SeedLibraryError, StoreUnavailable, TargetLocked
from seed_library.core.events import WaitingForLock, Warned
from seed_library.core.lease import LeaseTimes
from seed_library.core.ledger import Ledger
from seed_library.engine.context import Ports
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.ports import Check

_LOOKS_EVERY = 2.0  # seconds, while a run elsewhere is waited for


class LeaseKeeper:
    """Keeps the lease of one run. A target without leases is kept by doing nothing.

    Attributes:
        token: the fencing token that was granted; 0 where there is none.
    """

    def __init__(
        self, run_id: str, ports: Ports, halt: Halt, patience: StorePatience, times: LeaseTimes | None = None
    ) -> None:
        self._run_id = run_id
        self._ports = ports
        self._halt = halt
        self._patience = patience
        self._times = times or LeaseTimes()
        self._renewing: asyncio.Task[None] | None = None
        self.token = 0

    async def take(self, ledger: Ledger, wait_seconds: float = 0) -> Check:
        """Take the lease and begin to renew it. Its run id is in the journal before it can be granted.

        Raises:
            TargetLocked: a run elsewhere holds it, after all the waiting.
            PreflightFailed: its token is not higher than every token before.
            SeedLibraryError: the target does not answer, or a stop was asked for.
        """
        if self._ports.lease.applies:
            await self._note(0)
        token, finding = await self._granted(ledger, wait_seconds)
        if token:
            if token <= ledger.highest_token:
                raise _turned_back(token, ledger.highest_token)
            await self._note(token)
            self.token = token
            self._renewing = asyncio.create_task(self._renew())
        return finding

    async def give_back(self) -> None:
        """Stop renewing and give the lease back, however far the run got. Raises no expected failure."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        await self._ports.lease.release()

    async def _granted(self, ledger: Ledger, wait_seconds: float) -> tuple[int, Check]:
        ports, halt = self._ports, self._halt
        deadline = ports.clock.monotonic() + wait_seconds

        while True:
            try:
                asked = "The lease was asked for in vain"
                granted = await self._patience.call(asked, ports.lease.take, ledger.leasing_runs)
            except TargetLocked as refusal:
                left = deadline - ports.clock.monotonic()
                if left <= 0:
                    raise
                ports.reporter.report(WaitingForLock(refusal.message, round(left, 1)))
            else:
                return granted
            await halt.sleep(min(_LOOKS_EVERY, left))

    async def _renew(self) -> None:
        """Renew until cancelled. What ends the run is told to it; a bug is, too.

        A lease that has run out while this machine was asleep is renewed as well: the database says whose it is.
        """
        pause = self._times.renew_every
        while True:
            await self._ports.clock.sleep(pause)
            pause = self._times.renew_every
            try:
                await self._ports.lease.renew()
            except StoreUnavailable as error:
                if not self._halt_unless_held():
                    return
                self._ports.reporter.report(Warned(f"The lease could not be renewed: {error} Trying again."))
                pause = self._times.again_after
            except SeedLibraryError as error:
                self._halt.because(error)
                return
            except Exception as bug:  # noqa: BLE001  raised at the end of the run, like a worker's
                self._halt.broken(bug)
                return

    def _halt_unless_held(self) -> bool:
        try:
            self._ports.lease.assert_held()
        except LeaseLost as lost:
            self._halt.because(lost)
            return False
        return True

    async def _note(self, token: int) -> None:
        now = self._ports.clock.now().isoformat(timespec="milliseconds")
        await self._ports.journal.write({"kind": "lease", "run": self._run_id, "at": now, "token": token})


def _turned_back(token: int, highest: int) -> PreflightFailed:
    return PreflightFailed(
        f"lease: the database handed out fencing token {token}, but a run of this machine has held {highest} already; "
        "the table seed_library_lease was restored from a backup or emptied.",
        hint="Make sure that no other machine works on this target. Then set the column `token` of its row there "
        f"to {highest}, and run again.",
    )
