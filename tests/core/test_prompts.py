"""Rendering in a sandbox, faults named together, and the fingerprint of a request."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from core.small_catalog import SPEC, item, small_catalog

from seed_library.core.catalog import GeneratedColumn, RequestSpec
from seed_library.core.drafts import Prompt
from seed_library.core.errors import CatalogInvalid
from seed_library.core.prompts import (
    MAX_RENDERED_CHARACTERS,
    PromptBook,
    TemplateFault,
    compile_template,
    fingerprint,
    render,
)

PROMPT = Prompt("Du schreibst für eine App.", "Größe: 甲子")


def _rendered(source: str, **variables: object) -> str:
    return render("signs.de.md", compile_template("signs.de.md", source), variables)


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


@pytest.mark.parametrize("value", ["{{ 7 * 7 }}", "{% if x %}", "{# note #}", "Müller & Söhne <b>„x“</b>", "{x} %s"])
def test_values_are_data_whatever_they_look_like(value: str) -> None:
    """Braces inside a value are not evaluated and nothing is escaped."""
    assert _rendered("<{{ value }}>", value=value) == f"<{value}>"


def test_surrounding_blanks_are_stripped_and_blocks_leave_no_lines() -> None:
    """What the model reads is what was meant."""
    assert _rendered("\n  {% for one in (1, 2) %}\n  {{ one }}\n  {% endfor %}\n\n") == "1\n  2"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ planet }}", "'planet' is undefined"),
        ("{% if planet %}x{% endif %}", "'planet' is undefined"),
        ("{{ words.sum }}", "no attribute 'sum'"),
        ("{{ 1 // zero }}", "ZeroDivisionError"),
        ("{{ names[9] }}", "no element 9"),
        ("{{ title + 1 }}", "TypeError"),
        ("{% include 'other.md' %}", "TypeError"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
        ("{{ range(999999999) }}", "OverflowError"),
        ("  {% if zero %}x{% endif %}\n", "renders to nothing"),
    ],
)
def test_what_cannot_be_rendered_is_a_fault_of_that_file(source: str, reason: str) -> None:
    """The file is named, and the reason as the template language gives it."""
    with pytest.raises(TemplateFault) as caught:
        _rendered(source, title="Dawn", words=SPEC, zero=0, names=["a"])
    assert str(caught.value).startswith("signs.de.md: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ title.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ self.__init__.__globals__ }}",
        "{{ spec.model.__class__ }}",
        "{{ '{0.__class__.__mro__}'.format(title) }}",
        "{{ title|attr('__class__') }}",
        "{{ names.append('b') }}",
        "{{ facts.update({'a': 1}) }}",
        "{{ facts.clear() }}",
        "{{ (names|map(attribute='__class__')|list)[0].__mro__ }}",
    ],
)
def test_a_template_reaches_neither_python_nor_the_facts_of_others(source: str) -> None:
    """The walk from a value to its class, to globals, and every mutation are refused; the values stay whole."""
    names, facts = ["a"], {"a": 0}
    with pytest.raises(TemplateFault, match=r"^signs\.de\.md: "):
        _rendered(source, title="Dawn", spec=SPEC, names=names, facts=facts)
    assert (names, facts) == (["a"], {"a": 0})


@pytest.mark.parametrize(
    ("source", "line"),
    [("ok\n{{ title }\n", 2), ("a\nb\n{% if %}\n", 3), ("{% for x in y %}\n", 1), ("{{ title|shout }}", 1)],
    ids=["brace", "condition", "open block", "unknown filter"],
)
def test_a_syntax_error_is_told_with_file_and_line(source: str, line: int) -> None:
    """Found when the template is compiled, before any item is rendered."""
    with pytest.raises(TemplateFault, match=rf"^signs\.de\.md, line {line}: \S"):
        compile_template("signs.de.md", source)


def test_a_prompt_has_a_largest_size_and_endless_loops_end_there() -> None:
    """The sandbox limits no loops, so rendering is given up at the limit: ten billion lines are never made."""
    assert len(_rendered("{{ text }}", text="x" * MAX_RENDERED_CHARACTERS)) == MAX_RENDERED_CHARACTERS
    for source in (
        "{{ text }}x",
        "{% for a in range(99999) %}{% for b in range(99999) %}line {{ b }}\n{% endfor %}{% endfor %}",
    ):
        with pytest.raises(TemplateFault, match=r"signs\.de\.md: renders to more than 200,000 characters"):
            _rendered(source, text="x" * MAX_RENDERED_CHARACTERS)


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
        "  - signs.de.md: 'planet' is undefined (60 items, the first is signs/k0/de)",
        "  - houses.de.md: ZeroDivisionError: integer division or modulo by zero (houses/dusk/de)",
    ]


def test_a_flood_of_different_faults_is_cut_off_with_a_count() -> None:
    """Ten are named, the others counted."""
    book = PromptBook(small_catalog(user="{{ missing[key] }}"))
    items = [item(key=f"k{number}", missing={}) for number in range(13)]
    with pytest.raises(CatalogInvalid) as caught:
        book.fingerprints(items)
    assert caught.value.message.count("has no attribute") == 10
    assert caught.value.message.endswith("and 3 more")


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
