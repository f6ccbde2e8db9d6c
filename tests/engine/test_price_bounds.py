"""What a plan calls likely is never above what it calls at most: per item, for every model, in both modes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.world import catalog_of, item_id, rules_of, world_of
from fakes.writer import ScriptedWriter, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.adapters.models import load_models
from seed_library.core.catalog import Catalog, GeneratedColumn, PromptSource, RequestSpec, WordRule
from seed_library.core.drafts import Finding, Request
from seed_library.core.plan import Action, Step
from seed_library.core.pricing import ENVELOPE_TOKENS, ModelFacts, max_tokens, sent_bytes, worst_cost
from seed_library.core.prompts import PromptBook
from seed_library.core.repairs import FRAME_TOKENS, repair_request
from seed_library.engine.planning import Prices, count, estimate

MODELS = load_models(None).models
PLACE = ("signs", "en")
COLUMNS = st.builds(
    GeneratedColumn,
    st.sampled_from(["teaser", "hook"]),
    st.text(max_size=300),
    st.integers(1, 50),
    st.integers(50, 900),
)
SPECS = st.builds(
    RequestSpec,
    st.just("m"),
    st.integers(1, 5_000),
    st.sampled_from(["off", "on"]),
    st.integers(1, 20_000),
    st.just(""),
    st.lists(COLUMNS, max_size=3).map(tuple),
)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Draw a catalog: how long its texts are to be has nothing to do with how long they can be."""
    low = draw(st.integers(1, 3_000))
    words = WordRule(low, low + draw(st.integers(0, 3_000)), 1, 9_000)
    # What is drawn is put in as a value: it must not be read as a template.
    prompt = draw(st.text(st.characters(exclude_characters="{}%#\0", exclude_categories=["Cs"]), max_size=300))
    catalog = catalog_of(draw(st.integers(1, 5)))
    return replace(
        catalog,
        request=draw(SPECS),
        repairs=draw(st.integers(0, 5)),
        rules={PLACE: rules_of(words)},
        sources={PLACE: PromptSource("system.md", "Write.", "signs.md", f"On {{{{ key }}}}: {prompt}")},
    )


def _steps(catalog: Catalog) -> list[Step]:
    return [Step(item, "ab" * 16, Action.NEW, "not stored") for item in catalog.items]


def _bounded(prices: Prices) -> bool:
    return all(0 <= cost.likely <= cost.at_most for cost in (prices.messages, prices.batch))


@settings(max_examples=150, deadline=None, database=None)
@given(catalog=catalogs(), model=st.sampled_from(list(MODELS.values())))
def test_likely_is_never_above_at_most(catalog: Catalog, model: ModelFacts) -> None:
    """Estimated from lengths: for all items together, and for each alone."""
    book, steps = PromptBook(catalog), _steps(catalog)
    assert _bounded(estimate(steps, book, model))
    assert all(_bounded(estimate([step], book, model)) for step in steps)


@settings(max_examples=60, deadline=None, database=None)
@given(catalog=catalogs(), model=st.sampled_from(list(MODELS.values())), tokens=st.integers(0, 10**6))
async def test_nor_is_it_with_the_counts_of_a_provider(catalog: Catalog, model: ModelFacts, tokens: int) -> None:
    """Some servers count what nobody has sent."""
    book, steps, writer = PromptBook(catalog), _steps(catalog), ScriptedWriter()
    writer.tokens = tokens
    assert _bounded(await count(steps, book, model, writer))
    assert all([_bounded(await count([step], book, model, writer)) for step in steps])


async def test_one_count_that_is_absurd_bends_only_its_own_item() -> None:
    """It is taken for what the item costs at most; the other one stays likely."""
    catalog = catalog_of(2)
    book, steps, model = PromptBook(catalog), _steps(catalog), MODELS["claude-sonnet-5-5"]
    writer = _Miscounting()
    prices = await count(steps, book, model, writer)
    alone = [await count([step], book, model, writer) for step in steps]
    assert alone[0].messages.likely == alone[0].messages.at_most
    assert alone[1].messages.likely < alone[1].messages.at_most
    assert prices.messages.likely == sum(one.messages.likely for one in alone)


class _Miscounting(ScriptedWriter):
    """Counts a million tokens for the first item."""

    async def count_tokens(self, request: Request) -> int | None:
        return 10**6 if request.item.id == item_id(0) else 100


@pytest.mark.parametrize("items", [401, 900])
async def test_a_sample_that_is_dearer_than_the_rest_is_no_reason(items: int) -> None:
    """Every second or third request is counted; only those have long prompts."""
    counted = [f"k{number:03d}" for number in range(0, items, -(-items // 400))]
    prompt = f"{{% if key in {counted!r} %}}{{{{ 'long ' * 40 }}}}{{% endif %}}Write about {{{{ key }}}}."
    catalog = catalog_of(items, prompt)
    writer = ScriptedWriter()
    writer.tokens = 10**6
    assert _bounded(await count(_steps(catalog), PromptBook(catalog), MODELS["claude-sonnet-5-5"], writer))


@pytest.mark.parametrize("repairs", [1, 3])
async def test_a_plan_with_repairs_is_likely_dearer_and_at_most_what_a_run_reserves(repairs: int) -> None:
    """Each repair quotes a draft; a run in which everything is repaired to the last stays below."""
    world = world_of(4)
    plain = estimate(_steps(world.catalog), PromptBook(world.catalog), world.writer.facts)
    world.catalog = replace(world.catalog, repairs=repairs)
    prices = estimate(_steps(world.catalog), PromptBook(world.catalog), world.writer.facts)
    assert plain.messages.likely < prices.messages.likely
    for number in range(4):
        world.writer.scripts[item_id(number)] = [answer("Short.")] * repairs
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (0, 4 * (repairs + 1))
    reserved = sum(int(record["worst"]) for record in world.journal.of("intent"))
    assert reserved <= prices.messages.at_most


@pytest.mark.parametrize("character", ["x", "ü", "漢", "😀", "\ud83d"])
@pytest.mark.parametrize("locale", ["de", "en"])
def test_what_a_repair_adds_beside_the_draft_is_bounded_in_every_script(character: str, locale: str) -> None:
    """A token has a byte at least: ten findings with long spans are cut to what the worst case holds."""
    catalog = catalog_of(1)
    first = catalog.items[0]
    request = PromptBook(catalog).request(first)
    request = replace(request, item=replace(first, id=first.id._replace(locale=locale)))
    findings = [Finding("plain", "error", character * 300, character * 300)] * 10
    again = repair_request(request, "The draft.", findings)
    added = len(again.prompt.user.encode("utf-8", "strict")) - len(request.prompt.user.encode())
    assert added <= FRAME_TOKENS + len("The draft.")
    assert again.prompt.user.rstrip().endswith((".", "only."))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_draft_may_be_as_long_as_everything_that_may_be_written(model: ModelFacts) -> None:
    """Room for thoughts may be used for text: the repair quotes all of it."""
    catalog = replace(catalog_of(1), repairs=1, request=RequestSpec(model.id, 1_000, thinking_tokens=9_000))
    book = PromptBook(catalog)
    request = book.request(catalog.items[0])
    draft = max_tokens(request.spec, model)
    prices = estimate(_steps(catalog), book, model)
    quoted = worst_cost(request, model, more_tokens=draft + FRAME_TOKENS)
    assert prices.messages.at_most == worst_cost(request, model) + quoted
    assert sent_bytes(request) + ENVELOPE_TOKENS < 1_000
