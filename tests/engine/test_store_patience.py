"""Patience with the target, in virtual time: as long as a lease lasts, one for all, and nobody pays meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from engine.world import World, catalog_of
from fakes.clock import FakeClock
from fakes.reporter import RecordingReporter

from seed_library.core.errors import RunBlocked, Stopped, StoreUnavailable
from seed_library.core.events import Warned
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.ports import Check

AWAY = StoreUnavailable("503")
FAILING = StoreUnavailable("57014", about_rows=True)


class Target:
    """Something that is away until a moment of the clock."""

    def __init__(self, back_at: float, failure: Exception = AWAY) -> None:
        self.clock = FakeClock()
        self.halt = Halt(self.clock)
        self.reporter = RecordingReporter()
        self.patience = StorePatience(self.clock, self.halt, self.reporter)
        self.back_at = back_at
        self.failure = failure
        self.calls = 0

    async def call(self) -> str:
        """Answer, or fail."""
        self.calls += 1
        await asyncio.sleep(0)
        if self.clock.monotonic() < self.back_at:
            raise self.failure
        return "here"

    async def ask(self) -> str:
        """Ask with patience."""
        return await self.patience.call("It does not answer", self.call)


@pytest.mark.parametrize("seconds", [1, 16, 20, 60, 84])
async def test_a_target_may_be_away_for_as_long_as_a_lease_lasts(seconds: float) -> None:
    """By the clock, however many tries that takes; each failure is said."""
    target = Target(seconds)
    assert await target.ask() == "here"
    assert target.calls == len(target.reporter.of(Warned)) + 1
    assert max(target.clock.sleeps) <= 5, "a target that is back is noticed soon"


async def test_the_patience_ends() -> None:
    """After a minute and a half, with the last failure."""
    target = Target(1000)
    with pytest.raises(StoreUnavailable, match="503"):
        await target.ask()
    assert 80 <= target.clock.monotonic() <= 90


async def test_the_time_is_shared_and_begins_anew_with_an_answer() -> None:
    """Whoever comes late to an outage has what is left of it."""
    target = Target(1000)
    with pytest.raises(StoreUnavailable):
        await target.ask()
    began = target.clock.monotonic()
    with pytest.raises(StoreUnavailable):
        await target.ask()
    assert target.clock.monotonic() - began < 5
    target.back_at = 0
    await target.ask()
    target.back_at = target.clock.monotonic() + 80
    assert await target.ask() == "here"


async def test_a_clock_that_has_jumped_is_no_patience_that_ended() -> None:
    """The machine sleeps for an hour in the middle of an outage, which goes on for some seconds when it wakes up."""
    target = Target(3608)
    naps = iter([0.5, 1.0, 1.0, 3600.0])

    async def sleep(seconds: float) -> None:
        await target.clock.sleep(next(naps, seconds))

    assert await target.patience.retrying("x", sleep)(target.call) == "here"
    assert target.calls > 5


@pytest.mark.parametrize("tries", [1, 2, 6])
async def test_where_the_target_answers_tries_are_counted(tries: int) -> None:
    """What it fails on may be the rows: the caller divides them, or tries others."""
    target = Target(1000, FAILING)
    with pytest.raises(StoreUnavailable, match="57014"):
        await target.patience.retrying("x", target.clock.sleep, tries)(target.call)
    assert target.calls == tries
    await target.patience.until_back()


@pytest.mark.parametrize("seconds", [20, 60, 80])
async def test_where_it_may_be_the_target_the_time_counts(seconds: float) -> None:
    """A gateway that answers 500 to everything says nothing of rows."""
    target = Target(seconds, FAILING)
    assert await target.patience.retrying("x", target.clock.sleep, None)(target.call) == "here"
    never = Target(1000, FAILING)
    with pytest.raises(StoreUnavailable):
        await never.patience.retrying("x", never.clock.sleep, None)(never.call)
    assert 80 <= never.clock.monotonic() <= 90


async def test_a_target_that_fails_on_everything_for_a_while_is_waited_for() -> None:
    """From the very first row on, and in the middle: each time some other row has failed before it."""
    world = World(catalog_of(30))
    failing = StoreUnavailable("500", about_rows=True)
    world.store.failures = [*[failing] * 12, *[None] * 3, *[failing] * 14]
    finished = await world.run(concurrency=4)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 30, 30)


async def test_what_it_refuses_is_not_asked_again() -> None:
    """A refusal is an answer."""
    target = Target(1000, RunBlocked("42501"))
    with pytest.raises(RunBlocked, match="42501"):
        await target.ask()
    assert target.calls == 1


async def test_a_stop_ends_every_wait_for_it() -> None:
    """Between two tries, in the middle of one, and while somebody else tries."""
    target = Target(1000)
    target.clock.stands = True
    between = asyncio.create_task(target.ask())
    hanging = asyncio.create_task(target.patience.call("x", asyncio.Event().wait))
    await target.clock.asleep.wait()
    beside = asyncio.create_task(target.patience.until_back())
    await asyncio.sleep(0)
    assert not beside.done()
    target.clock.stands = False
    target.halt.because(Stopped("SIGTERM"))
    for task in (between, hanging, beside):
        with pytest.raises(Stopped):
            await task


async def test_whoever_waits_goes_on_when_it_is_back_and_when_nobody_asks_any_more() -> None:
    """No worker waits for ever."""
    target = Target(1000)
    target.clock.stands = True
    asking = asyncio.create_task(target.ask())
    await target.clock.asleep.wait()
    waiting = asyncio.create_task(target.patience.until_back())
    await asyncio.sleep(0)
    assert not waiting.done()
    asking.cancel()
    await waiting


async def test_nobody_pays_ahead_of_a_table_that_takes_nothing() -> None:
    """Only what had left when that was known is paid by the time it is back; all of it is stored in the end."""
    world = World(catalog_of(300))
    world.store.failures = [None, *[AWAY] * 12]
    paid_while_away: list[int] = []
    upsert = world.store.upsert

    async def watched(rows: list[object]) -> object:
        if world.store.failures and world.store.failures[0] is AWAY:
            paid_while_away.append(len(world.writer.calls))
        return await upsert(rows)  # type: ignore[arg-type]

    world.store.upsert = watched  # type: ignore[method-assign, assignment]
    finished = await world.run(concurrency=4)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 300, 300)
    assert len(paid_while_away) == 12
    assert paid_while_away[-1] - paid_while_away[1] <= 4
    assert paid_while_away[1] - paid_while_away[0] <= 2 * 4  # while the first failure was on its way


async def test_preflight_waits_for_a_target_that_says_later() -> None:
    """The checks, the reading of the table, the trial of the rows: each is tried again."""
    world = World(catalog_of(3))
    later = Check("memory", ok=False, message="503", passing=True)
    looks = 0

    async def check(sample: object) -> list[Check]:
        nonlocal looks
        del sample
        looks += 1
        return [later] if looks < 7 else [Check("memory", ok=True, message="here")]

    world.store.check = check  # type: ignore[method-assign]
    assert (await world.run()).exit_code == 0
    assert looks == 7


async def test_preflight_reports_a_target_that_never_comes_back_and_everything_else() -> None:
    """In one report, as ever; what cannot pass by itself is not waited for."""
    world = World(catalog_of(3))
    world.store.checks = [Check("memory", ok=False, message="503", passing=True)]
    assert (await world.run()).exit_code == 4
    assert world.clock.monotonic() >= 80
    waited = world.clock.monotonic()
    world.store.checks = [Check("memory", ok=False, message="no such column")]
    assert (await world.run()).exit_code == 4
    assert world.clock.monotonic() == waited


async def test_noted_batches_are_read_again() -> None:
    """A stumble there is no reason to end a run."""
    world = World(catalog_of(3))
    read, failures = world.notes.read, [AWAY, AWAY]

    async def stumbling() -> object:
        if failures:
            raise failures.pop()
        return await read()

    world.notes.read = stumbling  # type: ignore[method-assign, assignment]
    assert (await world.run()).exit_code == 0
    assert not failures
