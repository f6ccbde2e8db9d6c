"""The budget is a ceiling: whatever happens, what is spent, perhaps spent and under way never exceeds it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest
from engine.world import World, item_id, world_of
from fakes.writer import ANSWER_COST, Script, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.drafts import Request
from seed_library.core.errors import BudgetReached, ItemRefused, RunBlocked, WriteRetryable
from seed_library.core.pricing import MICRO_PER_USD
from seed_library.core.rate_limits import RateLimits
from seed_library.engine.budget import Budget

_PROMPT_TOKENS = 90  # of the templates in `world`, as bytes and envelope: what an answer may bill at most


def _billed(tokens: tuple[int, int]) -> dict[str, int]:
    return {"input_tokens": tokens[0], "output_tokens": tokens[1]}


_usage = st.tuples(st.integers(0, _PROMPT_TOKENS), st.integers(0, 100)).map(_billed)
_outcome: st.SearchStrategy[Script] = st.one_of(
    st.builds(lambda usage: answer(usage=usage), _usage),
    st.builds(lambda usage: answer("Short.", usage=usage), _usage),
    st.builds(lambda usage: answer(usage=usage, stop_reason="max_tokens"), _usage),
    st.just(answer(usage=None)),
    st.builds(lambda maybe: WriteRetryable("500", maybe_billed=maybe), st.booleans()),
    st.just(WriteRetryable("429", maybe_billed=False, limits=RateLimits(), retry_after=2)),
    st.just(WriteRetryable("529", maybe_billed=False, overloaded=True)),
    st.builds(lambda maybe: ItemRefused("413", maybe_billed=maybe), st.booleans()),
    st.builds(lambda: RunBlocked("401")),
)


@settings(max_examples=120, deadline=None, database=None)
@given(
    script=st.lists(_outcome, max_size=40),
    items=st.integers(1, 12),
    concurrency=st.integers(1, 6),
    worsts=st.floats(1, 9),
)
def test_the_ceiling_holds_at_every_moment_whatever_the_answers(
    script: list[Script], items: int, concurrency: int, worsts: float
) -> None:
    """Judged from the journal, at every request: paid + perhaps paid + the worst of all that is under way."""
    asyncio.run(_run_and_watch(script, items, concurrency, worsts))


async def _run_and_watch(script: list[Script], items: int, concurrency: int, worsts: float) -> None:
    world = world_of(items)
    world.writer.script = script
    budget = int(worsts * world.worst)

    def look(request: Request) -> None:
        ledger = world.journal.ledger()
        under_way = sum(intent.worst for intent in ledger.open_intents.values())
        assert ledger.spent + ledger.maybe_spent + under_way <= budget
        assert any(intent.item == request.item.id for intent in ledger.open_intents.values())

    world.writer.on_call = look
    async with asyncio.timeout(5):  # a run that hangs fails here, not at the end of all tests
        finished = await world.run(budget=budget, concurrency=concurrency)
    ledger = world.journal.ledger()
    assert ledger.open_intents == {}
    assert ledger.spent + ledger.maybe_spent <= budget
    assert _micro(finished.spent_usd) == ledger.spent
    assert _micro(finished.maybe_spent_usd) == ledger.maybe_spent
    assert finished.requests == len(world.writer.calls) == len(world.journal.of("intent"))
    assert finished.left is not None
    assert finished.stored + finished.rejected + finished.failed + finished.left == items
    assert world.writer.most_in_flight <= concurrency
    _nothing_paid_is_lost(world)


def _nothing_paid_is_lost(world: World) -> None:
    """Every good text is stored, and no item has two paid ones or more than two that may have been billed."""
    good = {tuple(said["item"]) for said in world.journal.of("judged") if said["accepted"]}
    assert good == set(world.store.table)
    paid = [tuple(said["item"]) for said in world.journal.of("paid")]
    assert len(paid) == len(set(paid))
    maybe = [tuple(said["item"]) for said in world.journal.of("failed") if said["billed"] == "maybe"]
    assert all(maybe.count(item) <= 2 for item in maybe)


@pytest.mark.parametrize("more", [0, 1])
async def test_the_last_micro_dollar_decides_whether_one_more_request_fits(more: int) -> None:
    """Exactly enough is enough; one less is not."""
    world = world_of(3)
    finished = await world.run(budget=2 * ANSWER_COST + world.worst - 1 + more)
    assert finished.stored == 2 + more
    assert finished.exit_code == (0 if more else 7)
    assert finished.left == 1 - more


async def test_a_request_waits_for_what_others_may_give_back() -> None:
    """Too little is left only as long as the worst of another request is set aside."""
    world = world_of(4)
    budget = 4 * ANSWER_COST + world.worst - ANSWER_COST
    finished = await world.run(budget=budget, concurrency=3)
    assert (finished.exit_code, finished.stored) == (0, 4)
    assert world.writer.most_in_flight == 1


async def test_a_budget_that_covers_no_request_is_refused_before_anything_is_sent() -> None:
    """Nothing is asked, and the sentence says what one request could cost."""
    world = world_of(2)
    finished = await world.run(budget=world.worst - 1)
    assert (finished.exit_code, finished.requests) == (4, 0)


async def test_a_retry_is_reserved_like_any_request() -> None:
    """What may have been billed is gone: the second try finds the budget used up."""
    world = world_of(1)
    world.writer.script = [WriteRetryable("500", maybe_billed=True)]
    finished = await world.run(budget=2 * world.worst - 1)
    assert (finished.exit_code, finished.requests) == (7, 1)
    assert _micro(finished.maybe_spent_usd) == world.worst


async def test_a_paid_answer_that_cannot_be_journalled_is_perhaps_spent_and_blocks_nobody() -> None:
    """The others wait for the reservation of the request whose journal dies; the run ends, it does not hang."""
    world = world_of(6)

    def look(request: Request) -> None:
        if request.item.id != item_id(0):
            world.journal.breaks_at = "paid"

    world.writer.on_call = look
    async with asyncio.timeout(20):
        finished = await world.run(budget=ANSWER_COST + world.worst, concurrency=3)
    assert (finished.exit_code, finished.requests, finished.generated) == (4, 2, 1)
    assert _micro(finished.maybe_spent_usd) == world.worst
    assert _micro(finished.spent_usd) == ANSWER_COST
    assert [intent.item for intent in world.journal.ledger().open_intents.values()] == [item_id(1)]


async def test_a_reservation_is_settled_however_it_ends() -> None:
    """An error and a cancelled task give it back, and count only what the bill says."""
    budget = Budget(100)
    with suppress(RuntimeError):
        async with budget.reserving(60) as bill:
            bill.maybe_spent = 60
            raise RuntimeError
    assert (budget.spent, budget.maybe_spent, budget.reserved) == (0, 60, 0)
    task = asyncio.create_task(_hold(budget, 30))
    await asyncio.sleep(0)
    assert budget.reserved == 30
    task.cancel()
    await asyncio.wait([task])
    assert (budget.used, budget.reserved) == (60, 0)


async def test_only_an_idle_budget_says_that_it_is_reached() -> None:
    """While something is under way there is hope; then the sentence names what is left and what is needed."""
    budget = Budget(100)
    async with AsyncExitStack() as stack:
        bill = await stack.enter_async_context(budget.reserving(80))
        waiting = asyncio.create_task(_hold(budget, 90))
        await asyncio.sleep(0)
        assert not waiting.done()
        bill.spent = 20
    with pytest.raises(BudgetReached, match=r"leaves \$0.0001; the next request could cost up to \$0.0001"):
        await waiting


async def _hold(budget: Budget, amount: int) -> None:
    async with budget.reserving(amount):
        await asyncio.Event().wait()


def _micro(usd: float) -> int:
    return round(usd * MICRO_PER_USD)
