"""The lease of a run: when it is taken, renewed and given back, and what happens when it cannot be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from engine.world import World, catalog_of, world_of
from fakes.clock import FakeClock
from fakes.lease import LOST, FakeLease

from seed_library.core.errors import LeaseLost, RunBlocked, SeedLibraryError, Stopped, StoreUnavailable, TargetLocked
from seed_library.core.events import RunFailed, WaitingForLock, Warned
from seed_library.core.ledger import Ledger
from seed_library.engine.leasing import LeaseKeeper
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.ports import Check

AWAY = StoreUnavailable("Supabase gave no answer (ConnectError).")
LOCKED = TargetLocked("Another run holds this target from elsewhere: pid 7 on far-away.", hint="Wait for it.")


class SteppedClock:
    """Implements the `Clock` port; time passes only when the test lets it."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._moved = asyncio.Event()
        self.sleepers = 0

    def now(self) -> datetime:
        """Return midnight and what has passed."""
        return datetime(2026, 11, 25, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Return what has passed."""
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test has let so much time pass."""
        end = self.elapsed + seconds
        self.sleepers += 1
        while self.elapsed < end:
            await self._moved.wait()
        self.sleepers -= 1

    async def pass_(self, seconds: float) -> None:
        """Let time pass, and let everybody do what is due."""
        self.elapsed += seconds
        self._moved.set()
        self._moved = asyncio.Event()
        for _ in range(20):
            await asyncio.sleep(0)


class Kept:
    """A keeper at work beside a run that does nothing."""

    def __init__(self, lease: FakeLease) -> None:
        self.clock = SteppedClock()
        self.world = World(catalog_of(1), lease=lease)
        self.halt = Halt(self.clock)
        patience = StorePatience(self.clock, self.halt, self.world.reporter)
        self.keeper = LeaseKeeper("r9", replace(self.world.ports, clock=self.clock), self.halt, patience)

    async def begin(self) -> None:
        """Take the lease; the renewing waits for its first time."""
        await self.keeper.take(Ledger())
        await self.clock.pass_(0)

    @property
    def renewals(self) -> int:
        """How often it was renewed, or tried to be."""
        return self.world.lease.calls.count("renew")


def _keeper(world: World) -> LeaseKeeper:
    return LeaseKeeper("r1", world.ports, world.halt, StorePatience(world.clock, world.halt, world.reporter))


async def test_the_lease_is_taken_before_the_plan_and_given_back_at_the_end() -> None:
    """Its run id is in the journal before it can be granted, its token before anything is planned."""
    world = World(catalog_of(3), lease=FakeLease(5))
    finished = await world.run()
    assert finished.exit_code == 0
    assert (world.lease.calls[0], world.lease.calls[-1]) == ("take", "release")
    kinds = [(record["kind"], record.get("token")) for _, record in world.journal.records]
    assert kinds[:3] == [("lease", 0), ("lease", 5), ("run", None)]
    assert world.journal.ledger().highest_token == 5
    assert world.journal.ledger().leasing_runs == {"r1"}


async def test_a_target_without_leases_leaves_no_trace_of_any() -> None:
    """Nothing is renewed and nothing journalled."""
    world = world_of(2)
    await world.run()
    assert world.lease.calls == ["take", "release"]
    assert "lease" not in {record["kind"] for _, record in world.journal.records}


async def test_the_lease_is_renewed_every_twenty_seconds() -> None:
    """From the grant to the end."""
    kept = Kept(FakeLease(1))
    await kept.begin()
    seen = []
    for _ in range(6):
        await kept.clock.pass_(10)
        seen.append(kept.renewals)
    await kept.keeper.give_back()
    await kept.clock.pass_(100)
    assert [*seen, kept.renewals] == [0, 1, 1, 2, 2, 3, 3]
    assert kept.world.lease.calls[-1] == "release"


async def test_renewals_without_an_answer_warn_and_are_tried_again_soon_until_the_lease_is_too_old() -> None:
    """After five seconds, not twenty; the run goes on as long as nobody else can hold the lease."""
    lease = FakeLease(1)
    lease.trouble = [AWAY, AWAY, None, AWAY, AWAY]
    kept = Kept(lease)
    await kept.begin()
    for seconds, renewals in ((20, 1), (5, 2), (5, 3), (5, 3), (15, 4)):
        await kept.clock.pass_(seconds)
        assert kept.renewals == renewals
    assert kept.halt.cause is None
    assert len(kept.world.reporter.of(Warned)) == 3
    lease.lost = LeaseLost("The lease could not be renewed for 61 s.")
    await kept.clock.pass_(5)
    assert kept.halt.cause is lease.lost
    assert len(kept.world.reporter.of(Warned)) == 3
    await kept.keeper.give_back()
    assert lease.calls[-1] == "release"


@pytest.mark.parametrize("refusal", [LOST, RunBlocked("the key was revoked")])
async def test_a_refused_renewal_ends_the_run_at_once(refusal: SeedLibraryError) -> None:
    """No answer could be clearer."""
    lease = FakeLease(1)
    lease.trouble = [refusal]
    kept = Kept(lease)
    await kept.begin()
    await kept.clock.pass_(20)
    assert kept.halt.cause is refusal
    await kept.clock.pass_(60)
    assert kept.renewals == 1
    await kept.keeper.give_back()


async def test_a_bug_in_a_renewal_is_not_swallowed() -> None:
    """The run ends, and says that it is a bug."""
    lease = FakeLease(1)
    lease.trouble = [ZeroDivisionError()]
    kept = Kept(lease)
    await kept.begin()
    await kept.clock.pass_(20)
    assert isinstance(kept.halt.bug, ZeroDivisionError)
    await kept.keeper.give_back()


async def test_no_request_leaves_once_the_lease_is_too_old() -> None:
    """What is in flight is kept and stored; the exit code says preflight."""
    world = World(catalog_of(12), lease=FakeLease(1), clock=_still())
    async with world.running(4) as task:
        world.lease.lost = LOST
    finished = task.result()
    assert (finished.exit_code, finished.requests, finished.generated, finished.stored) == (4, 5, 5, 5)
    assert world.reporter.of(RunFailed)[0].error["code"] == "lease_lost"


async def test_a_lease_that_grew_old_while_the_machine_slept_is_renewed_before_anything_is_paid() -> None:
    """A closed lid: the database says whose the lease is, and the run goes on."""
    world = World(catalog_of(12), lease=FakeLease(1), clock=_still())
    async with world.running(4) as task:
        world.lease.grown_stale = True
    assert (task.result().exit_code, task.result().stored) == (0, 12)
    assert "renew" in world.lease.calls


async def test_a_lease_that_somebody_took_while_the_machine_slept_ends_the_run() -> None:
    """Nothing more is sent; what had arrived is kept."""
    world = World(catalog_of(12), lease=FakeLease(1), clock=_still())
    async with world.running(4) as task:
        world.lease.grown_stale = True
        world.lease.trouble = [LOST] * 9
    assert (task.result().exit_code, task.result().requests) == (4, 5)


async def test_a_fenced_off_write_ends_the_run_and_the_paid_texts_wait_in_the_journal() -> None:
    """They are stored by the next run, free of charge."""
    world = World(catalog_of(8), lease=FakeLease(1), clock=_still())
    world.store.failures = [None, LOST]
    async with world.running(4) as task:
        pass
    finished = task.result()
    assert (finished.exit_code, finished.stored) == (4, 1)
    paid = finished.generated
    assert paid >= 5
    world.lease, asked = FakeLease(2), len(world.writer.calls)
    again = await world.run()
    assert (again.exit_code, again.recovered, again.stored) == (0, paid - 1, 7)
    assert len(world.writer.calls) - asked == 8 - paid


async def test_a_lease_held_elsewhere_refuses_the_start_before_anything_is_asked() -> None:
    """Exit code 5, with the other's name; nothing is planned, counted or sent."""
    world = World(catalog_of(3), lease=FakeLease(1))
    world.lease.refusals = [LOCKED]
    finished = await world.run()
    assert (finished.exit_code, world.writer.looked_up, world.writer.calls) == (5, 0, [])
    assert world.reporter.of(RunFailed)[0].error["code"] == "locked"
    assert "far-away" in world.reporter.of(RunFailed)[0].error["message"]


async def test_a_run_elsewhere_is_waited_for_as_long_as_asked() -> None:
    """It is named while we wait; then the lease is ours, or the refusal stands."""
    world = World(catalog_of(1), lease=FakeLease(1), clock=FakeClock())
    world.lease.refusals = [LOCKED] * 3
    keeper = _keeper(world)
    world.lease.trouble = [LOST]
    assert (await keeper.take(Ledger(), wait_seconds=10)).ok
    await keeper.give_back()
    assert [event.seconds_left for event in world.reporter.of(WaitingForLock)] == [10, 8, 6]
    world.lease.refusals = [LOCKED] * 99
    with pytest.raises(TargetLocked):
        await keeper.take(Ledger(), wait_seconds=10)
    assert len(world.reporter.of(WaitingForLock)) == 3 + 5


async def test_a_stop_ends_the_waiting() -> None:
    """At once."""
    world = World(catalog_of(1), lease=FakeLease(1), clock=_still())
    world.lease.refusals = [LOCKED] * 99
    taking = asyncio.create_task(_keeper(world).take(Ledger(), wait_seconds=1_000))
    await world.reporter.until(lambda: bool(world.reporter.of(WaitingForLock)))
    world.halt.because(Stopped("Stopped on request (SIGTERM)."))
    with pytest.raises(Stopped):
        await taking


async def test_an_unanswered_question_for_the_lease_is_asked_again() -> None:
    """The same run gets the same token, so asking again is harmless."""
    world = World(catalog_of(2), lease=FakeLease(1))
    world.lease.refusals = [AWAY, AWAY]
    finished = await world.run()
    assert (finished.exit_code, finished.stored, world.lease.calls.count("take")) == (0, 2, 3)


@pytest.mark.parametrize("token", [4, 5])
async def test_a_token_that_is_not_higher_refuses_the_start_and_the_lease_is_given_back(token: int) -> None:
    """The table was restored from a backup: what the fence relies on is gone."""
    world = World(catalog_of(2), lease=FakeLease(5))
    await world.run()
    world.catalog = catalog_of(3)
    world.lease = FakeLease(token)
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (4, 0)
    error = world.reporter.of(RunFailed)[-1].error
    assert f"fencing token {token}" in error["message"]
    assert "backup" in error["message"]
    assert "to 5" in error["hint"]
    assert world.lease.calls == ["take", "release"]
    world.lease = FakeLease(6)
    assert (await world.run()).exit_code == 0


async def test_the_lease_is_told_which_runs_of_this_machine_are_dead() -> None:
    """All that the journal knows of, but not the run itself."""
    world = World(catalog_of(1), lease=FakeLease(1))
    await world.run()
    world.lease = FakeLease(2)
    await world.run()
    assert world.lease.dead_runs == {"r1"}


async def test_a_required_lease_that_is_missing_is_reported_with_everything_else() -> None:
    """A failed check like any other: nothing is planned, and the model is looked at all the same."""
    world = world_of(2)
    world.lease.check = Check("lease", ok=False, message="the database has no lease functions", hint="Add them.")
    world.writer.check = Check("model", ok=False, message="unknown")
    finished = await world.run()
    assert (finished.exit_code, world.writer.calls) == (4, [])
    message = world.reporter.of(RunFailed)[0].error["message"]
    assert "no lease functions" in message
    assert "unknown" in message


async def test_a_missing_lease_that_is_not_required_is_a_warning() -> None:
    """Said in every run, with what to do."""
    world = world_of(1)
    world.lease.check = Check("lease", ok=True, message="the database has no lease functions", hint="Add them.")
    assert (await world.run()).exit_code == 0
    assert any("no lease functions" in event.message for event in world.reporter.of(Warned))


def _still() -> FakeClock:
    clock = FakeClock()
    clock.stands = True
    return clock
