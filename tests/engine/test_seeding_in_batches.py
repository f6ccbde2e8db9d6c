"""Seeding in batches: half the price, nothing asked for twice, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.batches import FakeBatch
from fakes.journal import MemoryJournal
from fakes.writer import ANSWER_COST

from seed_library.core.batches import BatchResult, BatchState, BatchTimes
from seed_library.core.errors import ItemRefused, LeaseLost, RunBlocked, Stopped, StoreUnavailable, WriteRetryable
from seed_library.core.events import BatchCollected, BatchLeft, BatchSubmitted, BatchWaiting, RunFinished, Warned

BATCH = "batch"
LOST = WriteRetryable("No answer.", maybe_billed=True)
DOWN = WriteRetryable("The API cannot be reached.", maybe_billed=False)
STOP = Stopped("Stopped on request.", hint="")


def _world(items: int = 7) -> World:
    return world_of(items)


def _paid_once(world: World) -> bool:
    billed = Counter([*world.writer.calls, *world.batches.billed])
    return set(billed.values()) <= {1}


async def test_a_canary_and_one_batch_fill_the_table_at_half_the_price() -> None:
    """One message for the canary, the rest in one batch, every text paid once."""
    world = _world()
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.generated, finished.requests) == (0, 7, 7, 7)
    assert world.writer.calls == [item_id(0)]
    assert sorted(world.batches.billed) == [item_id(number) for number in range(1, 7)]
    assert finished.spent_usd == pytest.approx((ANSWER_COST + 6 * ANSWER_COST / 2) / 1e6)
    assert finished.maybe_spent_usd == 0
    assert len(world.store.table) == 7
    kinds = ("batch_intent", "batch_created", "batch_done", "batch_failed")
    assert [record["kind"] for record in world.journal.of(*kinds)] == ["batch_intent", "batch_created", "batch_done"]


async def test_the_events_tell_the_story_of_a_batch() -> None:
    """Submitted, waited for with the time that passed, collected with its counts."""
    world = _world(3)
    world.batches.looks = 3
    await world.run(mode=BATCH)
    story = [e for e in world.reporter.events if isinstance(e, BatchSubmitted | BatchWaiting | BatchCollected)]
    assert [event.name for event in story] == ["batch_submitted", "batch_waiting", "batch_waiting", "batch_collected"]
    assert [event.seconds for event in story if isinstance(event, BatchWaiting)] == [0, 30]
    assert isinstance(story[-1], BatchCollected)
    assert (story[-1].counts, story[-1].spent_usd) == ({"succeeded": 2}, ANSWER_COST / 1e6)


async def test_the_intent_is_on_disk_and_noted_before_the_batch_is_created() -> None:
    """A crash at that moment leaves everything that is needed to find the batch."""
    world = _world(3)
    seen: list[tuple[int, int]] = []
    world.batches.on_create = lambda: seen.append((len(world.journal.ledger().open_batches), len(world.notes.notes)))
    await world.run(mode=BATCH)
    assert seen == [(1, 1)]
    (note,) = world.notes.notes.values()
    assert (note.batch_id, note.settled, note.count) == ("msgbatch_1", True, 2)


async def test_only_what_was_errored_expired_or_canceled_is_asked_for_again() -> None:
    """In a second batch of the same run; the others are neither asked for nor paid again."""
    world = _world(8)
    bad = {item_id(2): "errored", item_id(4): "expired", item_id(6): "canceled"}
    world.batches.outcomes = lambda item, before: "succeeded" if before else bad.get(item, "succeeded")
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (0, 8)
    assert [batch.state.count for batch in world.batches.batches.values()] == [7, 3]
    again = [item for item, times in Counter(world.batches.asked).items() if times == 2]
    assert sorted(again) == sorted(bad)
    assert _paid_once(world)


async def test_what_fails_in_three_batches_is_listed_as_failed() -> None:
    """With the provider's reason; the others are stored, and nothing of it is billed."""
    world = _world(4)
    world.batches.outcomes = lambda item, before: "errored" if item == item_id(2) else "succeeded"
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.failed) == (6, 3, 1)
    assert "errored in batch msgbatch_3" in finished.troubles[0].reason
    assert item_id(2) not in world.batches.billed


async def test_a_lost_answer_is_looked_for_and_not_sent_again() -> None:
    """The batch is in the list: by number, then by the token in its results."""
    world = _world()
    world.batches.create_failures = [(LOST, True)]
    world.batches.find_hides = 2
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, len(world.batches.batches)) == (0, 7, 1)
    assert _paid_once(world)


async def test_what_never_arrived_is_sent_again_after_the_grace_period_and_not_before() -> None:
    """Until then the list is asked; a dead process sends nothing more."""
    world = _world()
    world.batches.create_failures = [(LOST, False)]
    began = world.clock.monotonic()
    created: list[float] = []
    world.batches.on_create = lambda: created.append(world.clock.monotonic() - began)
    finished = await world.run(mode=BATCH, batch_times=BatchTimes(grace=180))
    assert (finished.exit_code, finished.stored) == (0, 7)
    assert len(created) == 2
    assert created[1] - created[0] > 180
    assert _paid_once(world)


async def test_what_was_certainly_not_created_is_tried_again_at_once() -> None:
    """No connection, 429: each try has an intent of its own, closed as failed; nobody waits for a ghost."""
    world = _world()
    world.batches.create_failures = [(DOWN, False), (DOWN, False)]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, len(world.batches.batches)) == (0, 7, 1)
    kinds = Counter(record["kind"] for _, record in world.journal.records)
    assert (kinds["batch_intent"], kinds["batch_failed"], kinds["batch_done"]) == (3, 2, 1)
    assert finished.requests == 7


@pytest.mark.parametrize(
    "refusal", [RunBlocked("No credit.", hint=""), ItemRefused("413: too large", maybe_billed=False)]
)
async def test_a_refused_batch_ends_the_run_and_costs_nothing_but_the_canary(refusal: Exception) -> None:
    """And leaves nothing open: the next run does not look for it."""
    world = _world()
    world.batches.create_failures = [(refusal, False)]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (4, 1)
    assert finished.spent_usd == ANSWER_COST / 1e6
    assert finished.maybe_spent_usd == 0
    assert not world.journal.ledger().open_batches


async def test_a_wrong_model_costs_at_most_the_canary() -> None:
    """Parameters in a batch are only looked at when it ends; so one message goes first."""
    world = _world()
    world.writer.script = [RunBlocked("404: no such model", hint="")]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.spent_usd) == (4, 0)
    assert not world.batches.batches


async def test_a_stop_leaves_the_batch_and_the_next_run_collects_it() -> None:
    """The stopped run says that it stays; nothing is sent or paid again."""
    world = _world()
    world.batches.looks = 10**6
    stopped = await _stopped_while_waiting(world)
    assert stopped.exit_code == 8
    assert [(event.batch_id, event.items) for event in world.reporter.of(BatchLeft)] == [("msgbatch_1", 6)]
    assert (await world.plan()).totals["submitted"] == 6
    _let_end(world)
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 6, 0)
    assert len(world.batches.batches) == 1
    assert finished.spent_usd == pytest.approx(6 * ANSWER_COST / 2 / 1e6)
    assert _paid_once(world)


async def test_a_run_in_messages_mode_collects_it_as_well() -> None:
    """Whoever runs next: what is in a batch is not asked for by messages."""
    world = _world()
    world.batches.looks = 10**6
    await _stopped_while_waiting(world)
    _let_end(world)
    finished = await world.run(mode="messages")
    assert (finished.stored, finished.requests, world.writer.calls) == (6, 0, [item_id(0)])


async def test_a_batch_is_only_as_large_as_the_budget_can_bear_at_worst() -> None:
    """The worst case of each of its requests is reserved, at half the price."""
    world = _world(9)
    budget = ANSWER_COST + 3 * _halved(world)
    finished = await world.run(mode=BATCH, budget=budget + world.worst - ANSWER_COST)
    largest = max(batch.state.count for batch in world.batches.batches.values())
    assert 0 < largest * _halved(world) <= budget + world.worst - ANSWER_COST
    assert finished.spent_usd * 1e6 <= budget + world.worst
    assert _paid_once(world)


async def test_a_batch_that_was_left_counts_in_the_next_run() -> None:
    """While it is waited for, its worst case is set aside; a budget below that sends nothing else."""
    world = _world(9)
    world.batches.looks = 10**6
    await _stopped_while_waiting(world)
    world.catalog = catalog_of(12)
    _let_end(world)
    finished = await world.run(mode="messages", budget=8 * ANSWER_COST // 2 + world.worst - 1)
    assert (finished.exit_code, finished.stored, finished.requests) == (7, 8, 0)


async def test_what_one_batch_does_not_need_of_its_reserve_pays_for_the_next() -> None:
    """Small batches one after the other, until all is stored."""
    world = _world(9)
    finished = await world.run(mode=BATCH, budget=ANSWER_COST + 8 * ANSWER_COST // 2 + 3 * _halved(world))
    assert (finished.exit_code, finished.stored) == (0, 9)
    assert len(world.batches.batches) > 1
    assert _paid_once(world)


async def test_results_that_break_off_are_read_again_from_the_top_without_counting_twice() -> None:
    """What was read is in the journal; the money is that of six texts."""
    world = _world()
    world.batches.cut_after = [(2, DOWN), (5, DOWN)]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.generated) == (0, 7, 7)
    assert finished.spent_usd == pytest.approx((ANSWER_COST + 3 * ANSWER_COST) / 1e6)
    assert len(world.journal.of("paid")) == 7


async def test_results_that_never_come_leave_the_batch_for_the_next_run() -> None:
    """They are kept for 29 days: a run that gives up loses nothing, and stores what has come."""
    world = _world()
    world.batches.cut_after = [(1, DOWN)] * 100
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (4, 2)
    world.batches.cut_after = []
    again = await world.run(mode=BATCH)
    assert (again.exit_code, again.stored, len(world.batches.batches)) == (0, 5, 1)
    assert _paid_once(world)


async def test_a_table_that_is_down_keeps_the_texts_in_the_journal() -> None:
    """Collected and paid, not stored: the next run stores them without asking for anything."""
    world = _world()
    world.batches.on_create = lambda: world.store.failures.extend([StoreUnavailable("down", hint="")] * 50)
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (4, 1)
    world.store.failures.clear()
    again = await world.run(mode=BATCH)
    assert (again.exit_code, again.stored, again.requests, again.recovered) == (0, 6, 0, 6)
    assert _paid_once(world)


async def test_a_batch_the_provider_forgot_is_given_up_after_the_grace_period() -> None:
    """A 404 may be untrue for minutes; then its items are asked for again."""
    world = _world()
    world.batches.looks = 10**6
    await _stopped_while_waiting(world)
    world.batches.batches.clear()
    world.batches.billed.clear()
    finished = await world.run(mode="messages")
    assert (finished.exit_code, finished.stored) == (0, 6)
    assert "does not know this batch" in str(world.journal.records)


async def test_questions_that_get_no_answer_are_asked_again() -> None:
    """Waiting is free, so it is patient: the run does not end for a network that is away for a while."""
    world = _world()
    world.batches.failures = [DOWN] * 20
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (0, 7)
    assert any("Looking again" in event.message for event in world.reporter.of(Warned))


async def test_of_two_copies_the_older_one_is_kept_and_the_other_canceled() -> None:
    """A proxy has sent the same creation twice, and the answer got lost."""
    world = _world()
    world.batches.looks = 4
    world.batches.create_failures = [(LOST, True)]
    world.batches.on_create = lambda: _soon_duplicated(world)
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (0, 7)
    assert world.batches.canceled == ["msgbatch_2"]


async def test_another_programs_batch_of_the_same_size_is_left_alone() -> None:
    """It has ended and does not carry our token; it is neither collected nor canceled."""
    world = _world()
    foreign = BatchState("msgbatch_x", "ended", world.clock.now(), 6)
    world.batches.batches["msgbatch_x"] = FakeBatch(foreign, [BatchResult("theirs", "succeeded", {})] * 6, 0)
    world.batches.create_failures = [(LOST, True)]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored) == (0, 7)
    assert world.batches.canceled == []


async def test_a_new_machine_goes_on_with_what_the_database_knows() -> None:
    """Its journal is empty; the batch is found by its note, collected and stored, and nothing is paid again."""
    world = _world()
    world.batches.looks = 10**6
    await _stopped_while_waiting(world)
    world.journal = MemoryJournal()
    _let_end(world)
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 6, 0)
    assert len(world.batches.batches) == 1
    assert _paid_once(world)


async def test_a_new_machine_finds_a_batch_whose_answer_got_lost() -> None:
    """Only token, number and time were noted; the list and the results tell the rest."""
    world = _world()
    world.batches.looks = 10**6
    world.batches.create_failures = [(LOST, True)]
    await _stopped_while_waiting(world)
    world.journal = MemoryJournal()
    _let_end(world)
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, len(world.batches.batches)) == (0, 6, 1)
    assert _paid_once(world)


async def test_a_late_successor_looks_as_long_as_anybody_before_it_asks_again() -> None:
    """The intent is hours old by the dead machine's clock; the list still lags. One look is not enough."""
    world = _world()
    world.batches.looks = 10**6
    world.batches.create_failures = [(LOST, True)]
    await _stopped_while_waiting(world)
    world.journal = MemoryJournal()
    (note,) = world.notes.notes.values()
    early = (world.clock.now() - timedelta(minutes=40)).isoformat()
    world.notes.notes[note.token] = replace(note, at=early)
    _let_end(world)
    world.batches.find_hides = 3
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, len(world.batches.batches)) == (0, 6, 1)
    assert _paid_once(world)


async def test_a_new_machine_does_not_pay_for_texts_that_were_collected_but_not_stored() -> None:
    """The other machine died between journal and table: its batch is collected once more, and counts once."""
    world = _world()
    world.batches.on_create = lambda: world.store.failures.extend([StoreUnavailable("down", hint="")] * 50)
    await world.run(mode=BATCH)
    world.store.failures.clear()
    world.journal = MemoryJournal()
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.stored, finished.requests, finished.spent_usd) == (0, 6, 0, 0)
    assert _paid_once(world)


async def test_where_batches_cannot_be_noted_the_run_says_so() -> None:
    """Then a lost state folder is not covered, and nobody should find that out later."""
    world = _world(3)
    world.notes.kept = False
    finished = await world.run(mode=BATCH)
    assert finished.exit_code == 0
    assert any("paid again" in event.message for event in world.reporter.of(Warned))


async def test_a_lease_that_is_lost_while_noting_ends_the_run_before_anything_is_sent() -> None:
    """Another machine works on the target."""
    world = _world()
    world.notes.failures = [LeaseLost("taken", hint="")]
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, world.batches.batches) == (4, {})


async def test_cancel_gives_up_what_has_not_begun_and_stores_what_was_finished() -> None:
    """Half of it was finished, and is paid for; the rest is left, and nothing is asked for."""
    world = _world()
    world.batches.looks = 10**6
    await _stopped_while_waiting(world)
    _let_end(world, soon=2)
    finished = await world.run(mode="messages", purpose="cancel", command="cancel")
    assert (finished.exit_code, finished.stored, finished.left, finished.requests) == (0, 3, 3, 0)
    assert world.batches.canceled == ["msgbatch_1"]
    again = await world.run(mode="messages")
    assert (again.exit_code, again.stored, again.requests) == (0, 3, 3)
    assert _paid_once(world)


async def test_cancel_without_a_batch_does_nothing() -> None:
    """And says so."""
    world = _world(3)
    finished = await world.run(purpose="cancel", command="cancel")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 0, 0)
    assert any("nothing to cancel" in event.message for event in world.reporter.of(Warned))


async def test_a_rejected_text_of_a_batch_is_kept_and_not_asked_for_again() -> None:
    """Its verdict is in the journal, its money is counted, the next run leaves it."""
    world = _world(3)
    world.batches.text = "Short."
    finished = await world.run(mode=BATCH)
    assert (finished.exit_code, finished.rejected, finished.stored) == (6, 2, 1)
    again = await world.run(mode=BATCH)
    assert (again.requests, again.rejected) == (0, 2)


async def _stopped_while_waiting(world: World) -> RunFinished:
    task = asyncio.create_task(world.run(mode=BATCH))
    await world.reporter.until(lambda: bool(world.reporter.of(BatchWaiting)))
    world.halt.because(STOP)
    return await task


def _let_end(world: World, soon: int = 1) -> None:
    for batch in world.batches.batches.values():
        batch.looks_left = soon


def _soon_duplicated(world: World) -> None:
    world.batches.on_create = lambda: None
    asyncio.get_running_loop().call_soon(world.batches.copy, "msgbatch_1")


def _halved(world: World) -> int:
    return -(-world.worst // 2)
