"""Small forms of what a large catalog has much of: they say the same as the plain ones."""

from __future__ import annotations

import pytest

from seed_library.core.catalog import Item, ItemId
from seed_library.core.compact import Facts, FactsMaker, Fingerprints
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup, make_plan

RECORD = {"sign": "Löwe", "traits": ["stolz", 3], "empty": ""}
PRINTS = [f"{number:032x}" for number in range(3)]


def _fingerprints() -> Fingerprints:
    prints = Fingerprints()
    for one in PRINTS:
        prints.append(one)
    return prints


def test_facts_are_the_mapping_they_were_made_from() -> None:
    """Templates unpack them, tests compare them."""
    facts = FactsMaker().make(RECORD)
    assert facts == RECORD
    assert {**facts} == RECORD
    assert list(facts) == list(RECORD)
    assert (len(facts), repr(facts)) == (3, repr(RECORD))


@pytest.mark.parametrize("name", ["", "Sign", "moon"])
def test_facts_that_are_not_there_are_missing(name: str) -> None:
    """An unknown name is a KeyError, as in any mapping."""
    facts = FactsMaker().make(RECORD)
    assert name not in facts
    assert facts.get(name, "nothing") == "nothing"
    with pytest.raises(KeyError):
        facts[name]


def test_facts_of_one_file_share_what_is_equal() -> None:
    """Names and equal texts are kept once, whatever is beside them."""
    maker = FactsMaker()
    first, second = (maker.make({"sign": f"Löwe {7}", "place": place}) for place in (1, 2))
    assert first["sign"] is second["sign"]
    assert first != second


def test_facts_with_other_names_are_kept_apart() -> None:
    """Lines of a JSONL file need not have the same names."""
    maker = FactsMaker()
    assert [maker.make({"a": "x"}), maker.make({"b": "x"}), maker.make({})] == [{"a": "x"}, {"b": "x"}, {}]
    assert Facts((), ()) == {}


def test_fingerprints_come_back_as_they_were_put_in() -> None:
    """By place, from the end, by slice, one after the other."""
    prints = _fingerprints()
    assert list(prints) == PRINTS
    assert [prints[0], prints[-1], *prints[1:]] == [PRINTS[0], PRINTS[-1], *PRINTS[1:]]
    assert (len(prints), len(Fingerprints())) == (3, 0)


@pytest.mark.parametrize("place", [3, -4])
def test_a_fingerprint_beyond_the_last_is_an_error(place: int) -> None:
    """Half a fingerprint is never returned."""
    with pytest.raises(IndexError):
        _fingerprints()[place]


def test_a_plan_is_short_when_it_is_printed() -> None:
    """Asyncio makes the repr of what its main task returns; a plan must not be written out for that."""
    items = [Item(ItemId("signs", f"sign_{number}", "de"), "Zeichen", {}) for number in range(3)]
    plan = make_plan(items, _fingerprints(), [], Lookup(Ledger()))
    assert [step.fingerprint for step in plan.steps] == PRINTS
    assert list(plan.steps)[1] in plan.steps
    assert len(plan.steps) == 3
    assert "sign_" not in repr(plan)
