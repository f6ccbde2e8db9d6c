"""The exclusive hold on a target across machines: a row in the target database, taken for a while and renewed.

Invariant. Rows reach the table only from the newest holder: every write shows the fencing token of its lease, and the
database checks it in the same transaction. A newer grant has a higher token, and it has to wait until a write that
runs at that moment is done. So once a new holder has begun, nothing of an older one arrives any more, however long
that one was frozen, and whatever it believes.

Clocks. When a lease ends is decided by the database's clock alone. The holder judges only how old its last renewal
is, counted from the moment at which that renewal was *sent*. It uses two clocks, and believes the one that says more:
the one that counts since boot (it goes on while the machine sleeps) and the wall clock (it goes on when a virtual
machine is put away and fetched again).

    granted for 90 s    renewed every 20 s    no new paid request once the last renewal is over 60 s old

Between 60 and 90 s lies the longest request: whoever took over at the earliest moment finds hardly anything in
flight. Renewals that get no answer are warnings until the 60 s are over; then the run ends. One that is refused ends
it at once.

Crash points. Killed before the grant was answered: a run that asks again has another run id and waits until the lease
runs out; but its journal knows the id of the killed run, and the kernel's lock proves that it is dead, so on the same
machine the lease is taken over at once, by naming its token. On another machine the lease runs out by itself, or is
broken with `seed-library unlock --token N`. An answer that got lost is asked for again: the same run gets the same
token. Killed before the release: as killed while working. Restored from a backup, the table may hand out a token that
was used before; the journal remembers the highest one it has seen, and a run refuses to start with less.

What it cannot protect: money. The model's provider checks no token. A machine that is frozen for longer than its
lease may have as many requests in flight as its concurrency, and another machine may ask for the same texts; each
keeps what it pays for in its own journal. And tools that write to the table without the functions are not kept out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from seed_library.adapters.lease_functions import FencedOff, FunctionsMissing, LeaseFunctions
from seed_library.core.catalog import ItemId
from seed_library.core.errors import LeaseLost, RunBlocked, SeedLibraryError, StoreUnavailable
from seed_library.core.lease import LeaseState, LeaseTimes, locked_elsewhere, taken_away, too_old
from seed_library.ports import Check

_GONE = "The lease functions have disappeared from the database while this run was working."


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on two clocks, in seconds: since boot, sleep included, and on the wall."""

    since_boot: float
    wall: float

    def age(self, now: Moment) -> float:
        """Return how long ago it is, on the clock that says more."""
        return max(now.since_boot - self.since_boot, now.wall - self.wall)


def this_moment() -> Moment:
    """Read both clocks."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Moment(time.clock_gettime(boot_clock), time.time())


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants the lease.

    Attributes:
        run_id: the holder, as the database knows it.
        info: what others are told: host, pid, command.
        required: a target without lease functions is refused.
    """

    run_id: str
    info: Mapping[str, Any]
    required: bool = False


class NoLease:
    """The lease of a target that needs none: a file that only this machine can reach."""

    applies = False

    async def take(self, dead_runs: Collection[str]) -> tuple[int, Check]:  # noqa: ARG002  nobody held it
        """Return that there is none."""
        return 0, not_needed()

    stale = False

    async def renew(self) -> None:
        """Do nothing."""

    def assert_held(self) -> None:
        """Do nothing."""

    async def release(self) -> None:
        """Do nothing."""


class SupabaseLease:
    """Implements the `Lease` port with the lease functions; where they are missing, it is as if there were none."""

    applies = True

    def __init__(
        self,
        functions: LeaseFunctions,
        applicant: Applicant,
        times: LeaseTimes | None = None,
        *,
        now: Callable[[], Moment] = this_moment,
    ) -> None:
        self._functions = functions
        self._applicant = applicant
        self._times = times or LeaseTimes()
        self._now = now
        self._token = 0
        self._renewed = now()
        self._lost: LeaseLost | None = None

    async def take(self, dead_runs: Collection[str]) -> tuple[int, Check]:
        """Take the lease; from a run of this machine that is known to be dead, too."""
        try:
            granted, state = await self._acquire()
            if not granted and _is_dead(state, dead_runs, self._applicant):
                await self._functions.break_(state.token)
                granted, state = await self._acquire()
        except FunctionsMissing:
            await self._confirm_missing()
            return 0, missing(required=self._applicant.required)
        if not granted:
            raise locked_elsewhere(state)
        self._token = state.token
        await self.store([], [])  # a lease of an older migration comes without the function that writes: found here
        return state.token, Check("lease", ok=True, message=f"held, with fencing token {state.token}")

    async def _confirm_missing(self) -> None:
        """Ask a second time, another function: one stale answer must not let this run go on without a lease.

        Raises:
            StoreUnavailable: the functions are there after all.
        """
        try:
            await self._functions.peek()
        except FunctionsMissing:
            return
        raise StoreUnavailable(
            "Supabase knows the lease functions one moment and not the next.",
            hint="notify pgrst, 'reload schema'; then run again.",
        )

    @property
    def stale(self) -> bool:
        """Whether the last renewal is too old for anything to be paid."""
        return self._token > 0 and self._renewed.age(self._now()) > self._times.good_for

    async def renew(self) -> None:
        """Prolong the lease."""
        sent = self._now()
        try:
            renewed = await self._functions.renew(self._applicant.run_id, self._token)
        except FunctionsMissing:
            raise RunBlocked(_GONE, hint="Apply the migration content_library_lease again, then run again.") from None
        if not renewed:
            raise await self._taken_away()
        self._renewed = sent

    def assert_held(self) -> None:
        """Prove that the lease has not run out."""
        if self._lost is not None:
            raise self._lost
        age = self._renewed.age(self._now())
        if self._token and age > self._times.lasts:
            raise too_old(age, self._times)

    async def release(self) -> None:
        """Give the lease back, if that is quickly done; else it runs out by itself."""
        if self._token and self._lost is None:
            with suppress(SeedLibraryError, FunctionsMissing, TimeoutError):
                async with asyncio.timeout(self._times.release_within):
                    await self._functions.release(self._applicant.run_id, self._token)

    async def store(self, values: Sequence[dict[str, Any]], over: Sequence[Mapping[str, str]]) -> set[ItemId]:
        """Insert or replace rows under the fencing token, and return the items that were written.

        Raises:
            LeaseLost: the lease is somebody else's; nothing was written.
        """
        try:
            return await self._functions.store(self._applicant.run_id, self._token, values, over)
        except FencedOff:
            pass
        raise await self._taken_away()

    async def noted_batches(self) -> dict[str, Any] | None:
        """Return the batches that are noted beside the lease; None where the database cannot note any.

        That it cannot is believed when it says so twice: a stale answer must not hide a batch that is paid for.
        """
        for _ in range(2):
            with suppress(FunctionsMissing):
                return await self._functions.batches()
        return None

    async def note_batch(self, batch: str, note: Mapping[str, Any]) -> None:
        """Note a batch beside the lease, by the batch's token.

        Raises:
            LeaseLost: the lease is somebody else's; nothing was changed.
        """
        try:
            noted = await self._functions.note_batch(self._applicant.run_id, self._token, batch, note)
        except FunctionsMissing:
            raise StoreUnavailable(
                "Supabase knows the functions for batches one moment and not the next.",
                hint="notify pgrst, 'reload schema'; then run again.",
            ) from None
        if not noted:
            raise await self._taken_away()

    @property
    def fenced(self) -> bool:
        """Whether writes have to show a token."""
        return self._token > 0

    async def _acquire(self) -> tuple[bool, LeaseState]:
        sent = self._now()
        granted, state = await self._functions.acquire(self._applicant.run_id, self._applicant.info)
        if granted:
            self._renewed = sent
        return granted, state

    async def _taken_away(self) -> LeaseLost:
        holder: LeaseState | None = None
        with suppress(SeedLibraryError, FunctionsMissing):
            holder = await self._functions.peek()
        self._lost = taken_away(holder)
        return self._lost


def missing(*, required: bool) -> Check:
    """Say that the target has no lease functions."""
    return Check(
        "lease",
        ok=not required,
        message="the database has no lease functions, so runs on other machines are not seen; only this machine's "
        "lock holds" + (" (SEED_LIBRARY_REQUIRE_LEASE is set)" if required else ""),
        hint="`seed-library schema` prints the migration content_library_lease that adds them. If it was just applied: "
        "notify pgrst, 'reload schema';",
    )


def not_needed() -> Check:
    """Say that this machine's lock is enough."""
    return Check("lease", ok=True, message="not needed: the target is a file of this machine")


def _is_dead(state: LeaseState, dead_runs: Collection[str], applicant: Applicant) -> bool:
    """Whether the holder has died: its journal is ours, and so is the lock that it would hold.

    The host must be the same as well, since a state folder may have been copied while its run was working.
    """
    return state.holder in dead_runs and state.info.get("host") == applicant.info.get("host")
