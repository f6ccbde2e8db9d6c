"""No answer of the model makes a library unusable, whatever is in it: it is a text, or it says why it is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine.world import World, catalog_of, item_id, world_of
from examples import EXAMPLES
from fakes.writer import MODEL, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.catalog import GeneratedColumn
from seed_library.core.drafts import Answer, trimmed
from seed_library.core.plan import Action

GOOD = answer().message
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(["\ud83d", "\0", "\x1b[2J", "end_turn", "text", "x" * 3_000, "A calm and steady sign.", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "category", "input_tokens"]) | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=8,
)
NAMES = ["id", "type", "model", "content", "stop_reason", "stop_details", "usage", "role", "container"]
BLOCKS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": VALUES}) | VALUES, max_size=3)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a message: a good one with some parts replaced, or anything at all."""
    changed = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
    if draw(st.booleans()):
        changed["content"] = draw(BLOCKS)
    return (
        {**GOOD, **changed}
        if draw(st.integers(0, 4))
        else draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
    )


@pytest.mark.parametrize("columns", [False, True], ids=["text", "object"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(told=st.lists(messages(), min_size=1, max_size=4))
async def test_whatever_is_answered_the_library_is_finished_by_a_later_run(
    told: list[dict[str, Any]], *, columns: bool
) -> None:
    """Each answer is paid for and kept; once the answers are good, everything is stored or listed as given up."""
    catalog = catalog_of(3)
    if columns:
        teaser = GeneratedColumn("teaser", "One sentence.", 1, 9)
        catalog = replace(catalog, request=replace(catalog.request, generated=(teaser,)))
    world = World(catalog)
    world.writer.script = [Answer(message, request_id="req_1") for message in told]
    first = await world.run()
    assert first.exit_code in {0, 6}
    journal = world.journal
    assert len(journal.of("paid")) == first.requests
    assert journal.ledger().unread == []
    good = answer('{"text": "A calm and steady sign.", "teaser": "Look."}') if columns else answer()
    world.writer.script = [good] * 40
    runs = [await world.run() for _ in range(6)]
    assert runs[-1].requests == 0
    plan = await world.plan()
    assert {step.action for step in plan.steps} <= {Action.DONE, Action.REJECTED}
    assert journal.ledger().spent >= 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content": [{"type": "text", "text": "half \ud83d."}]}, "holds a NUL or half of a surrogate pair"),
        (
            {"content": [{"type": "text", "text": "x" * 500_001}]},
            "the answer has 500,001 characters; the limit is 500,000",
        ),
        ({"stop_reason": "refusal", "stop_details": {"category": "\ud83d"}}, "refused to answer (no category given)"),
        (
            {"stop_reason": "refusal", "stop_details": {"category": "x" * 10_000}},
            "refused to answer (no category given)",
        ),
        ({"stop_reason": "\ud83d"}, "stop_reason 'of another form'"),
        ({"stop_reason": {"a": [1]}}, "stop_reason 'of another form'"),
    ],
    ids=["half a pair", "enormous", "half a pair in a category", "long category", "half a pair as a reason", "a table"],
)
async def test_an_answer_that_no_row_takes_says_so_in_a_sentence_that_can_be_shown(
    changes: dict[str, Any], reason: str
) -> None:
    """The reason is kept in the journal, is short, and has nothing of what makes the answer unusable."""
    world = world_of(1)
    world.writer.script = [answer(**changes)]
    assert (await world.run()).exit_code == 6
    said = world.journal.ledger().last_failure(item_id(0))
    assert reason in said
    assert len(said) < 200
    said.encode()


async def test_what_an_answer_says_of_itself_reaches_a_row_only_where_a_row_takes_it() -> None:
    """Its id and model are for people; a NUL in them would have the table refuse the row for ever."""
    world = world_of(2)
    odd: list[dict[str, Any]] = [{"id": "msg\0", "model": "\ud83d"}, {"id": ["x"], "model": "m" * 10_000}]
    world.writer.script = [answer(**fields) for fields in odd]
    assert (await world.run()).exit_code == 0
    for number in range(2):
        provenance = world.store.table[item_id(number)].provenance
        assert (provenance["model"], provenance["message_id"]) == ("", "")


def test_an_answer_that_is_trimmed_is_judged_as_the_whole_one() -> None:
    """What is read stays; what is too long for any row goes."""
    message = {**GOOD, "extra": "x" * 10, "usage": {"input_tokens": 1}, "model": MODEL}
    assert trimmed(message)["content"] == GOOD["content"]
    assert "extra" not in trimmed(message)
    assert trimmed({**message, "usage": "x" * 600_000, "content": [{"type": "text", "text": "x" * 500_001}]}) == {
        "id": "msg_1",
        "type": "message",
        "model": MODEL,
        "stop_reason": "end_turn",
        "content": [],
    }
