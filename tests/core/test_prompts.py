"""From an item to its request: facts, faults named together, and the fingerprint."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from core.small_catalog import SPEC, item, small_catalog

from seed_library.core.catalog import GeneratedColumn, RequestSpec
from seed_library.core.drafts import Prompt
from seed_library.core.errors import CatalogInvalid
from seed_library.core.prompts import PromptBook, fingerprint

PROMPT = Prompt("Du schreibst für eine App.", "Größe: 甲子")


def test_a_request_holds_facts_identity_title_and_length_rule() -> None:
    """A template may name an item's facts, its identity, its title and the words that are wanted."""
    user = "{{ title }} ({{ category }}/{{ key }}/{{ locale }}): {{ color }}, {{ words.low }} to {{ words.high }}"
    request = PromptBook(small_catalog(user=user)).request(item(color="grün"))
    assert request.prompt == Prompt("Write in de.", "Dawn (signs/dawn/de): grün, 80 to 105")
    assert request.fingerprint == fingerprint(request.prompt, SPEC)
    assert (request.spec, request.words.at_most) == (SPEC, 120)


def test_facts_cannot_pose_as_the_identity_of_an_item() -> None:
    """A column named like a part of the identity does not replace it."""
    posing = replace(item(), facts={"key": "noon", "title": "Own", "words": 7})
    request = PromptBook(small_catalog(user="{{ key }} {{ title }}")).request(posing)
    assert request.prompt.user == "dawn Dawn"


def test_every_template_that_does_not_compile_is_named_once() -> None:
    """Two broken kinds of file in one report, each with its line."""
    with pytest.raises(CatalogInvalid) as caught:
        PromptBook(small_catalog(system="{{ locale }", user="fine"))
    assert caught.value.message.count("system.de.md, line 1") == 1
    assert caught.value.message.count("system.en.md, line 1") == 1


def test_every_fault_is_named_once_with_the_number_of_items_it_concerns() -> None:
    """One bad name in a template for many items hides no other template's fault."""
    book = PromptBook(small_catalog(user="{{ planet }} {{ 1 // zero }}"))
    items = [item(key=f"k{number}", zero=0) for number in range(60)]
    items += [item("houses", "dusk", planet="Mars", zero=0), item("houses", "noon", planet="Mars", zero=1)]
    with pytest.raises(CatalogInvalid) as caught:
        book.fingerprints(items)
    lines = caught.value.message.splitlines()
    assert lines[1:] == [
        "  - signs.de.md, line 1: 'planet' is undefined (60 items, the first is signs/k0/de)",
        "  - houses.de.md, line 1: ZeroDivisionError: integer division or modulo by zero (houses/dusk/de)",
    ]


def test_a_flood_of_different_faults_is_cut_off_with_a_count() -> None:
    """Ten are named, the others counted."""
    book = PromptBook(small_catalog(user="{{ missing[key] }}"))
    items = [item(key=f"k{number}", missing={}) for number in range(13)]
    with pytest.raises(CatalogInvalid) as caught:
        book.fingerprints(items)
    assert caught.value.message.count("has no attribute") == 10
    assert caught.value.message.endswith("and 3 more")


def test_a_template_that_takes_too_much_is_not_tried_with_every_item() -> None:
    """A hundred thousand items that take a moment each would hang a run after all; they are counted with the first."""
    tried: list[int] = []

    class Looked(UserDict[str, object]):
        def __iter__(self) -> Iterator[str]:
            tried.append(1)
            return super().__iter__()

    endless = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"
    items = [replace(item(key=f"k{number}"), facts=Looked(a=1)) for number in range(50)]
    with pytest.raises(CatalogInvalid) as caught:
        PromptBook(small_catalog(user=endless)).fingerprints(items)
    assert "takes more than 100,000 steps" in caught.value.message
    assert caught.value.message.endswith("(50 items, the first is signs/k0/de)")
    assert len(tried) == 1


def test_a_change_in_a_part_changes_the_fingerprints_of_what_shares_it_and_no_other() -> None:
    """What is sent decides: a part that nobody reads there, or a remark in it, changes nothing."""
    catalog = small_catalog(user="About {{ key }}. {% if locale == 'de' %}{% include 'outer.md' %}{% endif %}")
    parts = {"outer.md": "<{% include 'inner.md' %}>", "inner.md": "Be brief."}
    items = list(catalog.items)
    before, remarked, after = (
        list(PromptBook(replace(catalog, parts={**parts, "inner.md": text})).fingerprints(items))
        for text in ("Be brief.", "{# why #}Be brief.", "Be short.")
    )
    assert before == remarked
    changed = {one.id.locale for one, old, new in zip(items, before, after, strict=True) if old != new}
    kept = {one.id.locale for one, old, new in zip(items, before, after, strict=True) if old == new}
    assert (changed, kept) == ({"de"}, {"en"})


def test_the_fingerprint_of_a_request_never_changes_between_releases() -> None:
    """A pinned value: another one would make every stored row look changed and every paid draft unknown."""
    spec = RequestSpec("claude-sonnet-5-5", 1024, "off", 4096, "low")
    assert fingerprint(PROMPT, spec) == "7d4988f560a06a701826cd23fcebf51f"
    assert fingerprint(Prompt("", ""), RequestSpec("m")) == "7b2747e66dad5472e80265086591784c"


SPEC_CHANGES: dict[str, object] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1025,
    "thinking": "on",
    "thinking_tokens": 4097,
    "effort": "low",
    "generated": (GeneratedColumn("teaser", "One sentence.", 3, 12),),
}


def test_the_fingerprint_changes_with_every_part_of_a_request() -> None:
    """Each field of prompt and parameters counts, and text that moves between the two prompts counts as well."""
    assert set(SPEC_CHANGES) == {field.name for field in fields(RequestSpec)}
    variants = [
        fingerprint(PROMPT, SPEC),
        fingerprint(replace(PROMPT, system="x"), SPEC),
        fingerprint(replace(PROMPT, user="x"), SPEC),
        fingerprint(Prompt(PROMPT.system + PROMPT.user, ""), SPEC),
        fingerprint(Prompt(PROMPT.system, f'{PROMPT.user}","{SPEC.model}'), replace(SPEC, model="")),
        *(fingerprint(PROMPT, replace(SPEC, **{name: value})) for name, value in SPEC_CHANGES.items()),  # type: ignore[arg-type]
    ]
    assert len(set(variants)) == len(variants)
    assert all(len(bytes.fromhex(variant)) == 16 for variant in variants)


def test_another_model_on_the_command_line_makes_other_fingerprints() -> None:
    """The parameters that are used count, not those the catalog names."""
    catalog = small_catalog()
    usual, other = PromptBook(catalog), PromptBook(catalog, replace(SPEC, model="claude-haiku-5-5"))
    assert usual.request(item()).fingerprint != other.request(item()).fingerprint
    assert other.request(item()).spec == other.spec
