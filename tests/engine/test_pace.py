"""The throttle: one 429 changes nothing for the others, a streak halves the pace, successes win it back."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from engine.world import item_id, world_of
from fakes.reporter import RecordingReporter
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.errors import Stopped, WriteRetryable
from seed_library.core.events import PaceChanged
from seed_library.engine.throttle import Throttle

BUSY = WriteRetryable("429 rate_limit_error", maybe_billed=False, overloaded=True, retry_after=5)


async def test_single_refusals_between_answers_change_nothing() -> None:
    """Every third request gets a 429; all slots stay open."""
    reporter = RecordingReporter()
    throttle = Throttle(16, reporter)
    for _ in range(50):
        throttle.overloaded()
        await throttle.succeeded()
        await throttle.succeeded()
    assert (throttle.limit, reporter.events) == (16, [])


async def test_a_streak_halves_the_pace_down_to_one_and_successes_restore_it() -> None:
    """16, 8, 4, 2, 1 and back again; every change is reported."""
    reporter = RecordingReporter()
    throttle = Throttle(16, reporter)
    for _ in range(8 + 4 + 4 + 4):
        throttle.overloaded()
    assert throttle.limit == 1
    for _ in range(10):
        throttle.overloaded()
    for _ in range(1 + 2 + 3 + 4 + 6 + 9 + 13):
        assert throttle.limit < 16
        await throttle.succeeded()
    assert [event.limit for event in reporter.of(PaceChanged)] == [8, 4, 2, 1, 2, 3, 4, 6, 9, 13, 16]


async def test_a_smaller_pace_holds_for_those_who_wait_and_a_larger_one_lets_them_in() -> None:
    """Eight want in, four may; after a streak two may; after successes the waiting ones are woken, all of them."""
    throttle = Throttle(8, RecordingReporter())
    gate, held = asyncio.Event(), asyncio.Event()
    first = [asyncio.create_task(_hold(throttle, gate)) for _ in range(8)]
    later = [asyncio.create_task(_hold(throttle, held)) for _ in range(8)]
    await _turns()
    for _ in range(4):
        throttle.overloaded()
    assert throttle.limit == 4
    gate.set()
    await asyncio.wait(first)
    await _turns()
    assert throttle.in_flight == 4
    while throttle.limit < 8:
        await throttle.succeeded()
    await _turns()
    assert throttle.in_flight == 8
    held.set()
    await asyncio.wait(later)
    assert throttle.in_flight == 0


@settings(max_examples=60, deadline=None, database=None)
@given(ceiling=st.integers(1, 6), moves=st.lists(st.sampled_from(["arrive", "leave", "cancel", "busy", "good"])))
def test_nobody_waits_while_there_is_room_whatever_the_limit_did(ceiling: int, moves: list[str]) -> None:
    """After every move: either all slots are taken or nobody waits; and no slot is ever lost."""
    asyncio.run(asyncio.wait_for(_play(ceiling, moves), timeout=5))


async def _play(ceiling: int, moves: list[str]) -> None:
    throttle = Throttle(ceiling, RecordingReporter())
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
                throttle.overloaded()
            case _:
                await throttle.succeeded()
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


async def _hold(throttle: Throttle, gate: asyncio.Event) -> None:
    with suppress(asyncio.CancelledError):
        async with throttle.slot():
            await gate.wait()


async def _turns() -> None:
    """Let everybody who can go on do so."""
    for _ in range(30):
        await asyncio.sleep(0)
