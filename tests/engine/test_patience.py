"""How often and how long something is tried, in virtual time; and how every wait ends when the run does."""

from __future__ import annotations

import asyncio

import pytest
from fakes.clock import FakeClock

from seed_library.core.errors import (
    ItemRefused,
    RunBlocked,
    SeedLibraryError,
    Stopped,
    WriteRetryable,
)
from seed_library.core.rate_limits import RateLimits
from seed_library.engine.retrying import Patience, Pause, request_retrying
from seed_library.engine.stopping import Halt

FREE = WriteRetryable("529", maybe_billed=False)
PACE = WriteRetryable("429", maybe_billed=False, limits=RateLimits(), retry_after=1)
MAYBE = WriteRetryable("500", maybe_billed=True)


@pytest.mark.parametrize(
    ("failures", "tries", "succeeds"),
    [
        ([FREE] * 7, 8, True),
        ([FREE] * 8, 8, False),
        ([MAYBE], 2, True),
        ([MAYBE] * 2, 2, False),
        ([MAYBE, FREE, FREE, MAYBE], 4, False),
        ([FREE, FREE, MAYBE, FREE], 5, True),
        ([ItemRefused("413", maybe_billed=False)], 1, False),
        ([RunBlocked("401")], 1, False),
        ([KeyError("bug")], 1, False),
    ],
)
async def test_a_request_is_tried_as_often_as_it_is_worth(
    failures: list[Exception], tries: int, succeeds: bool
) -> None:
    """Eight tries where nothing was billed, two where it may have been, one where trying again is pointless."""
    attempts = _Attempts(failures)
    retrying = request_retrying(attempts.pause())
    if succeeds:
        assert await retrying(attempts.make) == "done"
    else:
        with pytest.raises(type(failures[-1])):
            await retrying(attempts.make)
    assert attempts.made == tries
    assert [number for number, _, _ in attempts.announced] == list(range(1, tries))


@pytest.mark.parametrize(
    ("failures", "tries", "succeeds"),
    [
        ([PACE] * 60, 61, True),
        ([PACE] * 20 + [FREE] * 7, 28, True),
        ([PACE] * 20 + [FREE] * 8, 28, False),
        ([PACE, MAYBE, PACE, MAYBE], 4, False),
        ([PACE] * 200, 100, False),
    ],
)
async def test_refusals_for_the_pace_use_up_no_tries(failures: list[Exception], tries: int, succeeds: bool) -> None:
    """They say nothing about the request, and others are answered meanwhile; but nothing is tried without end."""
    attempts = _Attempts(failures)
    retrying = request_retrying(attempts.pause(), gives_up=lambda _: False)
    if succeeds:
        assert await retrying(attempts.make) == "done"
    else:
        with pytest.raises(WriteRetryable):
            await retrying(attempts.make)
    assert attempts.made == tries


async def test_refusals_for_the_pace_are_over_when_everybody_s_are() -> None:
    """Whoever knows of all requests says when that is, and is asked about the wait to come."""
    attempts, waits = _Attempts([PACE] * 50), list[float]()

    def gives_up(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 5

    with pytest.raises(WriteRetryable, match="429"):
        await request_retrying(attempts.pause(), gives_up=gives_up)(attempts.make)
    assert attempts.made == 5
    assert all(1 <= seconds <= 3 for seconds in waits)


async def test_a_wait_for_one_s_turn_uses_up_no_patience() -> None:
    """Ten minutes in the queue of a small account, and then a failure: the time counts from there."""
    attempts = _Attempts([FREE] * 3)

    async def make_late() -> str:
        await attempts.clock.sleep(600)
        return await attempts.make()

    retrying = request_retrying(attempts.pause(), Patience(tries=8, seconds=2000))
    assert await retrying(make_late) == "done"
    assert attempts.made == 4


@pytest.mark.parametrize(("asked", "least", "most"), [(7.0, 7, 9), (0.0, 0, 2), (3600.0, 60, 62)])
async def test_retry_after_is_honoured_up_to_a_cap(asked: float, least: float, most: float) -> None:
    """A provider cannot put a request to sleep for an hour; a little chance keeps the others apart."""
    attempts = _Attempts([WriteRetryable("429", maybe_billed=False, retry_after=asked)])
    await request_retrying(attempts.pause())(attempts.make)
    assert least <= attempts.clock.sleeps[0] <= most
    assert attempts.announced[0][1] == attempts.clock.sleeps[0]


async def test_waits_are_short_at_first_and_never_long_without_being_asked_for() -> None:
    """Random, but never above the doubling ceiling."""
    attempts = _Attempts([FREE] * 11)
    await request_retrying(attempts.pause(), Patience(tries=12, seconds=1000))(attempts.make)
    assert all(0.1 <= seconds <= min(20, 0.5 * 2**place) for place, seconds in enumerate(attempts.clock.sleeps, 1))


async def test_no_try_begins_after_the_patience_is_over() -> None:
    """Five minutes: a provider that asks for a minute each time is asked six times."""
    attempts = _Attempts([WriteRetryable("429", maybe_billed=False, retry_after=59)] * 8)
    with pytest.raises(WriteRetryable):
        await request_retrying(attempts.pause())(attempts.make)
    assert attempts.made == 6
    assert attempts.clock.monotonic() <= 300


async def test_a_halt_keeps_the_first_cause() -> None:
    """Later ones are consequences."""
    halt = Halt(FakeClock())
    halt.check()
    first = Stopped("SIGINT")
    halt.because(first)
    halt.because(RunBlocked("401"))
    halt.broken(KeyError("late"))
    assert halt.cause is first
    assert repr(halt.bug) == "KeyError('late')"
    with pytest.raises(Stopped):
        halt.check()


async def test_a_wait_ends_with_the_cause_and_leaves_no_task_behind() -> None:
    """Whether it was waited out, interrupted, refused or cancelled."""
    clock = FakeClock()
    halt = Halt(clock)
    await halt.sleep(3)
    assert (clock.monotonic(), clock.sleeps) == (3, [3])
    clock.stands = True
    cancelled = asyncio.create_task(halt.sleep(5))
    interrupted = asyncio.create_task(halt.sleep(5))
    await asyncio.sleep(0)
    cancelled.cancel()
    halt.because(Stopped("SIGINT"))
    await asyncio.wait([cancelled, interrupted])
    assert cancelled.cancelled()
    assert isinstance(interrupted.exception(), Stopped)
    with pytest.raises(SeedLibraryError):
        await halt.sleep(5)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_work_goes_on_for_a_grace_once_the_run_is_asked_to_end_and_not_longer() -> None:
    """What ends in time gives its result; what does not is cancelled, and puts itself in order first."""
    clock = FakeClock()
    halt = Halt(clock)
    assert await halt.during(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(KeyError):
        await halt.during(_failing())
    in_order: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            in_order.append("done")

    waiting = asyncio.create_task(halt.during(endless(), grace=5))
    await asyncio.sleep(0)
    halt.because(Stopped("SIGINT"))
    with pytest.raises(Stopped):
        await waiting
    assert (in_order, clock.sleeps) == (["done"], [5])
    assert await halt.during(asyncio.sleep(0, "in time"), grace=5) == "in time"
    with pytest.raises(Stopped):
        await halt.during(asyncio.Event().wait())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def _failing() -> None:
    raise KeyError


class _Attempts:
    """Something that fails for a while, and notes how it was treated."""

    def __init__(self, failures: list[Exception]) -> None:
        self._failures = list(failures)
        self.clock = FakeClock()
        self.made = 0
        self.announced: list[tuple[int, float, BaseException]] = []

    async def make(self) -> str:
        self.made += 1
        if self._failures:
            raise self._failures.pop(0)
        return "done"

    def pause(self) -> Pause:
        return Pause(self.clock, self.clock.sleep, lambda *said: self.announced.append(said))
