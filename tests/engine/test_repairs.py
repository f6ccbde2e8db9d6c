"""A refused text is asked for again with what was wrong, as often as the catalog allows, inside the budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from engine.world import World, item_id, world_of
from fakes.writer import ANSWER_COST, answer

from seed_library.core.drafts import Request
from seed_library.core.errors import Stopped
from seed_library.core.events import ItemRejected, ItemRepaired

BAD = answer("Short.")
STILL_BAD = answer("Still.")


def _world(items: int, repairs: int = 2) -> World:
    world = world_of(items)
    world.catalog = replace(world.catalog, repairs=repairs)
    return world


async def test_a_repaired_text_is_stored_and_every_attempt_is_counted() -> None:
    """Three requests for two texts; nothing is rejected, and the money is that of three answers."""
    world = _world(2)
    world.writer.scripts[item_id(1)] = [BAD]
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.rejected, finished.requests) == (0, 2, 0, 3)
    assert finished.spent_usd == 3 * ANSWER_COST / 1e6
    (event,) = world.reporter.of(ItemRepaired)
    assert (event.item, event.findings[0].gate) == (item_id(1), "length")


async def test_the_repair_names_the_broken_rule_and_quotes_the_draft() -> None:
    """After everything that the first request said, which keeps its fingerprint."""
    world = _world(1)
    asked: list[Request] = []
    world.writer.on_call = asked.append
    world.writer.scripts[item_id(0)] = [BAD, STILL_BAD]
    await world.run()
    first, second, third = asked
    assert second.prompt.system == first.prompt.system
    assert second.prompt.user.startswith(first.prompt.user)
    assert "Short." in second.prompt.user
    assert "1 words; 2 to 10 are allowed" in second.prompt.user
    assert "Still." in third.prompt.user
    assert len({request.fingerprint for request in asked}) == 1


async def test_after_the_last_repair_a_text_is_rejected_and_left_alone() -> None:
    """Kept in the journal, listed once; the next run does not pay for it again."""
    world = _world(2)
    world.writer.scripts[item_id(1)] = [BAD, BAD, BAD]
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.rejected, finished.requests) == (6, 1, 1, 4)
    assert len(world.reporter.of(ItemRejected)) == 1
    assert (await world.plan()).totals["rejected"] == 1
    again = await world.run()
    assert (again.exit_code, again.requests) == (6, 0)


async def test_a_budget_that_ends_before_the_repair_leaves_it_to_the_next_run() -> None:
    """The refusals are counted over all runs."""
    world = _world(2)
    world.writer.scripts[item_id(1)] = [BAD, BAD, BAD, BAD]
    finished = await world.run(budget=world.worst + 2 * ANSWER_COST - 1)
    assert (finished.exit_code, finished.requests, finished.left) == (7, 2, 1)
    again = await world.run()
    assert (again.exit_code, again.requests, again.rejected) == (6, 2, 1)


async def test_a_stop_between_draft_and_repair_loses_nothing() -> None:
    """No new request; the next run goes on with the repair."""
    world = _world(2)
    world.writer.scripts[item_id(1)] = [BAD]
    world.writer.on_call = lambda request: (
        world.halt.because(Stopped("Stopped on request.", hint="")) if request.item.id == item_id(1) else None
    )
    stopped = await world.run()
    assert (stopped.exit_code, stopped.requests, stopped.left) == (8, 2, 1)
    world.writer.on_call = lambda request: None
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 1, 1)


async def test_rejected_ones_are_tried_once_more_on_request() -> None:
    """`--refresh rejected`: one attempt that knows what was wrong."""
    world = _world(2, repairs=1)
    world.writer.scripts[item_id(1)] = [BAD, BAD]
    await world.run()
    asked: list[Request] = []
    world.writer.on_call = asked.append
    finished = await world.run(refresh="rejected")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 1, 1)
    assert "are allowed" in asked[0].prompt.user


async def test_a_catalog_without_repairs_rejects_at_once() -> None:
    """One request, one rejection."""
    world = _world(2, repairs=0)
    world.writer.scripts[item_id(1)] = [BAD]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.rejected) == (6, 2, 1)


async def test_refused_texts_of_a_batch_are_repaired_in_a_second_one() -> None:
    """At half the price; only those that were refused are in it, with what was wrong."""
    world = _world(5)
    world.batches.texts = lambda item, before: "Short." if item in {item_id(2), item_id(4)} and not before else ""
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.stored, finished.rejected) == (0, 5, 0)
    assert [batch.state.count for batch in world.batches.batches.values()] == [4, 2]
    assert finished.spent_usd * 1e6 == ANSWER_COST + 6 * ANSWER_COST / 2
    assert Counter(world.batches.billed)[item_id(2)] == 2
    assert all("are allowed" in request.prompt.user for request in world.batches.requests[4:])


async def test_refused_texts_that_an_earlier_run_has_paid_for_are_repaired_as_well() -> None:
    """The batch was left by a stop; the run that collects it asks again for what its gates refuse."""
    world = _world(3)
    world.batches.texts = lambda item, before: "Short." if item == item_id(2) and not before else ""
    world.store.failures = []
    world.batches.on_create = lambda: world.halt.because(Stopped("Stopped on request.", hint=""))
    stopped = await world.run(mode="batch")
    assert (stopped.exit_code, stopped.stored) == (8, 1)
    world.batches.on_create = lambda: None
    finished = await world.run(mode="messages")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 2, 1)
    assert world.writer.calls == [item_id(0), item_id(2)]
