"""Answers without a usable text: given up after some tries over all runs, and in nobody's way meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.writer import ANSWER_COST, Script, answer

from seed_library.core.catalog import GeneratedColumn
from seed_library.core.events import CanaryPassed, RunFailed

UNUSABLE: dict[str, Script] = {
    "refused at once": answer(stop_reason="refusal", content=[]),
    "refused in the middle": answer(stop_reason="refusal"),
    "empty": answer(content=[]),
    "only thoughts": answer(content=[{"type": "thinking", "thinking": "", "signature": "c2ln"}]),
    "cut off": answer(stop_reason="max_tokens"),
    "half a character": answer("A calm \ud83d sign."),
}
REFUSED, CUT_OFF = UNUSABLE["refused at once"], UNUSABLE["cut off"]
ALWAYS = 50


def _always(world: World, said: Script, *numbers: int) -> None:
    for number in numbers:
        world.writer.scripts[item_id(number)] = [said] * ALWAYS


@pytest.mark.parametrize("why", UNUSABLE)
async def test_three_tries_over_all_runs_are_enough(why: str) -> None:
    """The fourth run asks for nothing, says why, and so does the plan."""
    world = world_of(4)
    _always(world, UNUSABLE[why], 3)
    assert [(await world.run()).requests for _ in range(2)] == [4, 1]
    third = await world.run()
    assert (third.exit_code, third.requests, third.failed) == (6, 1, 1)
    assert third.troubles[0].reason.startswith("given up: 3 answers held no usable text")
    fourth = await world.run()
    assert (fourth.exit_code, fourth.requests, fourth.rejected) == (6, 0, 1)
    assert "`--refresh rejected` asks once more" in fourth.troubles[0].reason
    assert (await world.plan()).totals["rejected"] == 1
    assert world.journal.ledger().last_run.given_up[0][:3] == [*item_id(3)]


async def test_a_try_in_a_batch_counts_like_any_other() -> None:
    """Whichever way an answer comes."""
    world = world_of(3)
    world.batches.texts = lambda item, before: "half \ud83d" if item == item_id(2) else ""
    assert (await world.run(mode="batch")).requests == 3
    _always(world, CUT_OFF, 2)
    assert [(await world.run()).requests for _ in range(3)] == [1, 1, 0]


@pytest.mark.parametrize("tries", [1, 2, 5])
async def test_a_catalog_says_how_often(tries: int) -> None:
    """As it says how often a text is repaired."""
    world = world_of(2)
    world.catalog = replace(world.catalog, tries=tries)
    _always(world, CUT_OFF, 1)
    requests = [(await world.run()).requests for _ in range(tries + 2)]
    assert requests == [2, *[1] * (tries - 1), 0, 0]


async def test_on_demand_it_is_asked_for_once_more_and_only_once() -> None:
    """`--refresh rejected`; whatever comes is the newest word."""
    world = world_of(2)
    _always(world, CUT_OFF, 1)
    for _ in range(4):
        await world.run()
    again = await world.run(refresh="rejected")
    assert (again.exit_code, again.requests, again.failed) == (6, 1, 1)
    assert (await world.run()).requests == 0
    world.writer.scripts[item_id(1)] = []
    good = await world.run(refresh="rejected")
    assert (good.exit_code, good.requests, good.stored) == (0, 1, 1)


async def test_another_prompt_is_another_request() -> None:
    """What is changed is tried anew."""
    world = world_of(2)
    _always(world, CUT_OFF, 1)
    for _ in range(4):
        await world.run()
    world.catalog = catalog_of(2, prompt="Write something else about {{ key }}.")
    assert (await world.run()).requests == 1


async def test_a_refusal_that_is_not_billed_costs_nothing_and_counts_as_a_try() -> None:
    """Its usage shows tokens all the same; one in the middle of an answer is billed."""
    world = world_of(3)
    _always(world, REFUSED, 1)
    _always(world, UNUSABLE["refused in the middle"], 2)
    finished = await world.run()
    assert finished.spent_usd * 1e6 == 2 * ANSWER_COST
    assert finished.maybe_spent_usd == 0
    assert [record["cost"] for record in world.journal.of("paid")] == [ANSWER_COST, 0, ANSWER_COST]
    assert world.journal.ledger().spent == 2 * ANSWER_COST


@pytest.mark.parametrize("old", [3, 6, 12])
async def test_old_ones_are_in_nobodys_way(old: int) -> None:
    """New items are asked for first; however many old ones there are, the run goes through all of them."""
    world = world_of(old)
    _always(world, REFUSED, *range(old))
    for _ in range(old // 3):
        assert (await world.run()).requests == 3
    world.catalog = catalog_of(old + 4)
    world.writer.calls.clear()
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.stored, finished.failed) == (6, 4, old)
    assert world.reporter.of(CanaryPassed)[-1].item == item_id(old)
    assert world.writer.calls[0] == item_id(old)
    assert sorted(world.writer.calls) == [item_id(number) for number in range(old + 4)]


async def test_three_new_ones_that_are_unusable_end_a_run_whatever_else_there_is() -> None:
    """The old ones behind them are not asked for any more."""
    world = world_of(2)
    _always(world, REFUSED, 0, 1)
    await world.run()
    world.catalog = catalog_of(9)
    _always(world, CUT_OFF, *range(2, 9))
    world.writer.calls.clear()
    finished = await world.run()
    assert (finished.exit_code, world.writer.calls) == (4, [item_id(2), item_id(3), item_id(4)])
    assert "first 3 texts were all unusable" in world.reporter.of(RunFailed)[-1].error["message"]


async def test_two_new_ones_that_are_unusable_do_not_keep_an_old_one_from_being_the_canary() -> None:
    """It may have a better day."""
    world = world_of(3)
    world.writer.scripts[item_id(0)] = [REFUSED]
    _always(world, REFUSED, 1)
    await world.run()
    world.catalog = catalog_of(5)
    _always(world, CUT_OFF, 3, 4)
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.failed) == (6, 1, 3)
    assert world.reporter.of(CanaryPassed)[-1].item == item_id(0)


async def test_where_all_are_old_the_canary_goes_on_until_one_is_good() -> None:
    """Four that are refused again say nothing about the fifth."""
    world = world_of(9)
    for number in range(9):
        world.writer.scripts[item_id(number)] = [REFUSED]
    assert [(await world.run()).exit_code for _ in range(3)] == [4, 4, 4]
    world.writer.scripts.clear()
    _always(world, REFUSED, 0, 1, 2, 3)
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.stored, finished.failed) == (6, 5, 4)
    assert world.reporter.of(CanaryPassed)[-1].item == item_id(4)


async def test_an_answer_of_a_killed_run_that_was_the_last_try_is_listed_and_not_asked_for_again() -> None:
    """It is judged by the run that finds it."""
    world = world_of(2)
    _always(world, CUT_OFF, 1)
    await world.run()
    await world.run()
    await world.run()
    last = max(place for place, (_, record) in enumerate(world.journal.records) if record["kind"] == "judged")
    del world.journal.records[last:]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.rejected, finished.left) == (6, 0, 1, 0)
    assert finished.troubles[0].reason.startswith("rejected: given up: 3 answers")


async def test_an_object_of_another_shape_is_given_up_too() -> None:
    """The texts that nobody can read are as dear as the others."""
    world = world_of(2)
    columns = (GeneratedColumn("teaser", "One line.", 1, 9),)
    world.catalog = replace(world.catalog, request=replace(world.catalog.request, generated=columns))
    world.writer.scripts[item_id(0)] = [answer('{"text": "A calm and steady sign.", "teaser": "Look."}')]
    _always(world, answer("A calm and steady sign."), 1)
    requests = [(await world.run()).requests for _ in range(5)]
    assert requests == [2, 1, 1, 0, 0]


async def test_runs_at_the_same_time_are_not_needed_to_count() -> None:
    """One item after the other, concurrently: each counts for itself."""
    world = world_of(30)
    _always(world, CUT_OFF, 7, 17, 27)
    for expected in (30, 3, 3, 0):
        assert (await asyncio.wait_for(world.run(concurrency=8), 30)).requests == expected
