"""The throttle: whose turn it is, at what pace, with how many at once; and what refusals and answers change."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from engine.world import item_id, world_of
from fakes.clock import FakeClock
from fakes.reporter import RecordingReporter
from fakes.writer import answer
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.errors import Stopped, StoreUnavailable, WriteRetryable
from seed_library.core.events import PaceChanged, RateLearned, RunFailed, Warned
from seed_library.core.rate_limits import Limit, RateLimits
from seed_library.core.token_bucket import Departure
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.engine.throttle import Throttle

UNTOLD = RateLimits()
BUSY = WriteRetryable("529 overloaded_error", maybe_billed=False, overloaded=True, retry_after=5)
ANSWER = answer()


def refused(limits: RateLimits = UNTOLD, retry_after: float | None = 1) -> WriteRetryable:
    """Return a 429."""
    return WriteRetryable("429 rate_limit_error", maybe_billed=False, retry_after=retry_after, limits=limits)


async def test_single_refusals_between_answers_change_nothing() -> None:
    """Every third request gets a 529, every fourth a 429: all slots stay open, and nobody waits."""
    stand = _Stand(16)
    for number in range(60):
        departure = await stand.departure()
        if number % 3 == 0:
            stand.throttle.failed(departure, BUSY)
        elif number % 4 == 0:
            stand.throttle.failed(departure, refused())
        else:
            stand.throttle.answered(departure, ANSWER)
    assert (stand.throttle.limit, stand.reporter.events, stand.clock.sleeps) == (16, [], [])


async def test_a_streak_of_overloads_halves_what_is_in_flight_down_to_one_and_successes_restore_it() -> None:
    """16, 8, 4, 2, 1 and back again; every change is reported."""
    stand = _Stand(16)
    departure = await stand.departure()
    for _ in range(8 + 4 + 4 + 4):
        stand.throttle.failed(departure, BUSY)
    assert stand.throttle.limit == 1
    for _ in range(10):
        stand.throttle.failed(departure, BUSY)
    for _ in range(1 + 2 + 3 + 4 + 6 + 9 + 13):
        assert stand.throttle.limit < 16
        stand.throttle.answered(departure, ANSWER)
    assert [event.limit for event in stand.reporter.of(PaceChanged)] == [8, 4, 2, 1, 2, 3, 4, 6, 9, 13, 16]
    assert not stand.reporter.of(RateLearned)


async def test_a_smaller_limit_holds_for_those_who_wait_and_a_larger_one_lets_them_in() -> None:
    """Eight want in, four may; after a streak two may; after successes the waiting ones are woken, all of them."""
    stand = _Stand(8)
    throttle, departure = stand.throttle, await stand.departure()
    gate, held = asyncio.Event(), asyncio.Event()
    first = [asyncio.create_task(_hold(throttle, gate)) for _ in range(8)]
    later = [asyncio.create_task(_hold(throttle, held)) for _ in range(8)]
    await _turns()
    for _ in range(4):
        throttle.failed(departure, BUSY)
    assert throttle.limit == 4
    gate.set()
    await asyncio.wait(first)
    await _turns()
    assert throttle.in_flight == 4
    while throttle.limit < 8:
        throttle.answered(departure, ANSWER)
    await _turns()
    assert throttle.in_flight == 8
    held.set()
    await asyncio.wait(later)
    assert throttle.in_flight == 0


async def test_the_oldest_goes_first_however_often_it_was_refused() -> None:
    """Texts take their turns in the order in which they were begun, also those that come back."""
    stand = _Stand(1)
    turns = [stand.throttle.turn() for _ in range(4)]
    gate, went = asyncio.Event(), list[int]()
    first = asyncio.create_task(_hold(stand.throttle, gate, turns[1]))
    await _turns()

    async def go(turn: int) -> None:
        async with stand.throttle.slot(turn):
            went.append(turn)

    others = [asyncio.create_task(go(turn)) for turn in (turns[3], turns[0], turns[2])]
    await _turns()
    gate.set()
    await asyncio.gather(first, *others)
    assert went == [turns[0], turns[2], turns[3]]


async def test_the_pace_of_the_account_is_kept_and_said_once() -> None:
    """Ten a second: forty requests take four seconds of the clock, whoever waits."""
    stand = _Stand(64)
    stand.throttle.answered(await stand.departure(), replace(ANSWER, limits=told(600, 10)))
    began = stand.clock.monotonic()
    for _ in range(40):
        stand.throttle.answered(await stand.departure(), replace(ANSWER, limits=told(600, 9)))
    assert 3 <= stand.clock.monotonic() - began <= 4.2
    assert max(stand.clock.sleeps) <= 1.0
    (said,) = stand.reporter.of(RateLearned)
    assert (said.per_minute, said.reason) == (600, "that is the account's limit")


async def test_an_account_that_is_raised_while_somebody_waits_lets_them_go() -> None:
    """With five a minute they look again after a second, not after twelve; the new limit is said."""
    stand = _Stand(64)
    first, second = await stand.departure(), await stand.departure()
    stand.throttle.answered(first, replace(ANSWER, limits=told(5, 0)))
    waiting = asyncio.create_task(stand.departure())
    await asyncio.sleep(0)
    stand.throttle.answered(second, replace(ANSWER, limits=told(6000, 100)))
    await waiting
    assert stand.clock.monotonic() <= 1.1
    await stand.departure()
    assert {event.per_minute for event in stand.reporter.of(RateLearned)} <= {5, 6000}


async def test_a_stop_ends_the_wait_for_the_pace_of_everybody() -> None:
    """Who has the next turn, and who stands behind; nothing leaves any more."""
    stand = _Stand(64)
    stand.throttle.answered(await stand.departure(), replace(ANSWER, limits=told(5, 0)))
    stand.clock.stands = True
    waiting = [asyncio.create_task(stand.departure()) for _ in range(5)]
    await stand.clock.asleep.wait()
    stand.halt.because(Stopped("SIGINT"))
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, Stopped) for one in ended)
    assert stand.throttle.in_flight == 0


async def test_a_provider_that_asks_all_to_wait_for_an_hour_is_told_of_once() -> None:
    """The user reads how long it asks to wait, and what is done meanwhile."""
    stand = _Stand(8)
    for _ in range(9):
        stand.throttle.failed(await stand.departure(), refused(retry_after=3600))
    (said,) = stand.reporter.of(Warned)
    assert "asks to wait 3,600 s" in said.message
    assert "every 60 s" in said.message
    stand.throttle.answered(await stand.departure(), ANSWER)
    before = stand.clock.monotonic()
    await stand.departure()
    assert stand.clock.monotonic() == before


async def test_a_run_that_is_refused_for_minutes_ends_and_says_so() -> None:
    """No text fails for it: the next run goes on, as soon as the account allows it."""
    world = world_of(30)
    world.writer.script = [answer(), *[refused(retry_after=3600)] * 900]
    finished = await world.run(concurrency=8)
    assert (finished.exit_code, finished.stored, finished.failed) == (4, 1, 0)
    assert 240 <= world.clock.monotonic() <= 420
    (failed,) = world.reporter.of(RunFailed)
    assert "refused for minutes" in failed.error["message"]
    assert "asks to wait 3,600 s" in failed.error["message"]
    assert world.writer.calls.count(item_id(0)) == 1
    world.writer.script = []
    assert (await world.run(concurrency=8)).stored == 29


async def test_refusals_among_answers_end_no_run_however_long() -> None:
    """Others use the account, too: one item is refused thirty times, and gets its text."""
    world = world_of(12)
    world.writer.scripts[item_id(3)] = [refused()] * 30
    finished = await world.run(concurrency=2)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 12, 42)


@settings(max_examples=60, deadline=None, database=None)
@given(ceiling=st.integers(1, 6), moves=st.lists(st.sampled_from(["arrive", "leave", "cancel", "busy", "good"])))
def test_nobody_waits_while_there_is_room_whatever_the_limit_did(ceiling: int, moves: list[str]) -> None:
    """After every move: either all slots are taken or nobody waits; and no slot is ever lost."""
    asyncio.run(asyncio.wait_for(_play(ceiling, moves), timeout=5))


async def _play(ceiling: int, moves: list[str]) -> None:
    stand = _Stand(ceiling)
    throttle, departure = stand.throttle, await stand.departure()
    gates: dict[asyncio.Task[None], asyncio.Event] = {}
    for number, move in enumerate(moves):
        match move:
            case "arrive":
                gate = asyncio.Event()
                gates[asyncio.create_task(_hold(throttle, gate))] = gate
            case "leave":
                for gate in list(gates.values())[:1]:
                    gate.set()
            case "cancel":
                for task in list(gates)[number % 3 :: 3]:
                    task.cancel()
            case "busy":
                throttle.failed(departure, BUSY)
            case _:
                throttle.answered(departure, ANSWER)
        await _turns()
        gates = {task: gate for task, gate in gates.items() if not task.done()}
        assert throttle.in_flight <= ceiling
        assert len(gates) == throttle.in_flight or throttle.in_flight >= throttle.limit
    for gate in gates.values():
        gate.set()
    await asyncio.gather(*gates)
    assert throttle.in_flight == 0


async def test_a_request_that_waits_for_its_next_try_holds_no_slot() -> None:
    """With one slot: while one item waits out its 429, the next one is asked for and stored."""
    world = world_of(3)
    world.clock.stands = True
    world.writer.scripts[item_id(1)] = [BUSY]
    task = asyncio.create_task(world.run(concurrency=1))
    await world.reporter.until(lambda: item_id(2) in world.store.table)
    assert world.writer.calls == [item_id(0), item_id(1), item_id(2)]
    world.halt.because(Stopped("SIGINT"))
    assert ((await task).exit_code, (await task).stored) == (8, 2)


async def test_a_run_survives_a_provider_that_is_overloaded_for_a_while() -> None:
    """Thirty refusals in a row: the pace goes down, everything is stored, nothing is perhaps billed."""
    world = world_of(20)
    for number in range(1, 11):
        world.writer.scripts[item_id(number)] = [BUSY, BUSY, BUSY]
    finished = await world.run(concurrency=8)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 20, 50)
    assert finished.maybe_spent_usd == 0
    assert min(event.limit for event in world.reporter.of(PaceChanged)) < 8


async def test_whoever_waited_for_the_target_leaves_at_the_pace_when_it_is_back() -> None:
    """Nobody leaves while it is away; then one a second, as the account allows, not all of them at once."""
    stand = _Stand(8)
    stand.throttle.answered(await stand.departure(), replace(ANSWER, limits=told(60, 0)))
    left: list[float] = []
    away = stand.clock.monotonic() + 30

    async def target() -> None:
        if stand.clock.monotonic() < away:
            raise StoreUnavailable("no answer")

    async def leaves() -> None:
        async with stand.throttle.slot(stand.throttle.turn()):
            left.append(stand.clock.monotonic())

    asking = asyncio.create_task(stand.patience.call("It is away", target))
    await _turns()
    assert stand.patience.is_away
    await asyncio.gather(asking, *(leaves() for _ in range(8)))
    assert left[0] >= away
    assert all(later - earlier >= 0.9 for earlier, later in pairwise(left)), left


class _Stand:
    """A throttle, and what it needs."""

    def __init__(self, ceiling: int) -> None:
        self.clock, self.reporter = FakeClock(), RecordingReporter()
        self.halt = Halt(self.clock)
        self.patience = StorePatience(self.clock, self.halt, self.reporter)
        self.throttle = Throttle(ceiling, self.patience, self.clock, self.halt, self.reporter)

    async def departure(self) -> Departure:
        """Let a request leave and come back; its outcome has yet to be said."""
        async with self.throttle.slot(self.throttle.turn()) as departure:
            return departure


def told(per_minute: float, remaining: float) -> RateLimits:
    """Return what an answer tells of the limit of requests."""
    return RateLimits({"requests": Limit(per_minute, remaining)})


async def _hold(throttle: Throttle, gate: asyncio.Event, turn: int | None = None) -> None:
    with suppress(asyncio.CancelledError):
        async with throttle.slot(throttle.turn() if turn is None else turn):
            await gate.wait()


async def _turns() -> None:
    """Let everybody who can go on do so."""
    for _ in range(60):
        await asyncio.sleep(0)
