"""Templates share parts: by including, extending or importing files that are named in quotes."""

from __future__ import annotations

import pytest
from core.rendering import fault_of, rendered

from seed_library.core.templates import Reference, TemplateFault, TemplateLibrary, is_part_name, loops, references

PARTS = {
    "common.md": "Be brief, {{ title }}.\n",
    "base.md": "Head. {% block body %}Nothing.{% endblock %} Foot.",
    "marks.md": "{% macro mark(x) %}*{{ x }}*{% endmacro %}{% set sign = '#' %}",
    "outer.md": "[{% include 'common.md' %}]",
    "broken.md": "fine\n{{ title }",
    "wrong.md": "fine\n\n{{ titel }}",
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% include 'common.md' %}!", "Be brief, Dawn.!"),
        ("{% include 'outer.md' %}", "[Be brief, Dawn.]"),
        ("{% extends 'base.md' %}{% block body %}{{ super() }} {{ title }}{% endblock %}", "Head. Nothing. Dawn Foot."),
        ("{% import 'marks.md' as marks %}{{ marks.mark(title) }}{{ marks.sign }}", "*Dawn*#"),
        ("{% from 'marks.md' import mark as m, sign %}{{ m(1) }}{{ sign }}", "*1*#"),
        ("{% include ['none.md', 'common.md'] %}", "Be brief, Dawn."),
        ("{% include 'none.md' ignore missing %}x", "x"),
        ("{% for n in 'ab' %}{% include 'common.md' %}{% endfor %}", "Be brief, Dawn." * 2),
        ("{% set title = 'Dusk' %}{% include 'common.md' %}", "Be brief, Dusk."),
    ],
)
def test_a_part_stands_where_it_is_shared(source: str, text: str) -> None:
    """It sees the facts of the item, and what the template has set."""
    assert rendered(source, PARTS, title="Dawn") == text


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("x\n{% include 'none.md' %}", "signs.de.md, line 2: 'none.md' is missing"),
        ("x\n{% extends 'none.md' %}", "signs.de.md, line 2: 'none.md' is missing"),
        ("{% import 'none.md' as n %}", "signs.de.md, line 1: 'none.md' is missing"),
        ("x{% include 'broken.md' %}", "broken.md, line 2: unexpected '}'"),
        ("x{% include 'wrong.md' %}", "wrong.md, line 3: 'titel' is undefined; did you mean 'title'?"),
        ("{% import 'marks.md' as marks %}{{ marks }}", "signs.de.md, line 1: an imported part is no text"),
        ("{% import 'marks.md' as marks %}{{ marks.mark }}", "signs.de.md, line 1: the macro 'mark' is no text"),
        ("{% include title %}", "signs.de.md, line 1: the name of a shared part stands in quotes"),
        ("{% include title ~ '.md' %}", "signs.de.md, line 1: the name of a shared part stands in quotes"),
        ("{% include ['common.md', title] %}", "signs.de.md, line 1: the name of a shared part stands in quotes"),
        ("{% include 7 %}", "signs.de.md, line 1: the name of a shared part stands in quotes"),
        ("{% include [] %}", "signs.de.md, line 1: the name of a shared part stands in quotes"),
        ("{% include 'common.md' without context %}", "signs.de.md, line 1: a part always sees the facts"),
    ],
)
def test_what_is_wrong_with_sharing_is_told_where_it_is(source: str, fault: str) -> None:
    """In the part, where it is the part; else in the line that names it."""
    assert fault_of(source, PARTS, title="Dawn").startswith(fault)


def test_the_parts_of_a_template_are_known_before_it_is_rendered() -> None:
    """With their lines, and whether they may be missing."""
    source = (
        "{% extends 'a.md' %}\n{% include ['b.md', 'c.md'] ignore missing %}\n{% if x %}{% include 'd.md' %}{% endif %}"
    )
    assert references("s.md", source) == [
        Reference(("a.md",), 1),
        Reference(("b.md", "c.md"), 2, optional=True),
        Reference(("d.md",), 3),
    ]


OUTSIDE = ["../x.md", "/etc/passwd", "a/../x.md", "..", ".env", "a/.env", "./x.md", "%2e%2e/x.md", "~/x.md", "C:x.md"]
NO_NAMES = ["a\\b.md", "a\0.md", "a\n.md", "", " x", "a//b.md", "a/"]


@pytest.mark.parametrize("name", [*OUTSIDE, *NO_NAMES])
def test_a_name_that_leads_anywhere_else_is_no_name_of_a_part(name: str) -> None:
    """Out of the folder, to hidden files, or what another system would read so."""
    assert not is_part_name(name)


@pytest.mark.parametrize("name", ["common.md", "parts/common.de.md", "Größe.md", "two words.txt", "a-b_c.1.j2"])
def test_files_of_a_folder_and_of_folders_in_it_are_names_of_parts(name: str) -> None:
    """With whatever letters they are written."""
    assert is_part_name(name)


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ({"a.md": ["a.md"]}, ["a.md, line 1: shares itself (a.md -> a.md)"]),
        ({"a.md": ["b.md"], "b.md": ["a.md"]}, ["b.md, line 1: shares itself (a.md -> b.md -> a.md)"]),
        (
            {"a.md": ["b.md"], "b.md": ["c.md"], "c.md": ["b.md"]},
            ["c.md, line 1: shares itself (b.md -> c.md -> b.md)"],
        ),
        ({"a.md": ["c.md", "b.md"], "b.md": ["c.md"], "c.md": []}, []),
        ({"a.md": ["a.md"], "b.md": ["b.md"]}, [f"{x}.md, line 1: shares itself ({x}.md -> {x}.md)" for x in "ab"]),
    ],
    ids=["itself", "each other", "further down", "a diamond is none", "two"],
)
def test_parts_that_share_each_other_in_a_circle_are_named(shared: dict[str, list[str]], said: list[str]) -> None:
    """Each circle once, where it closes."""
    assert loops({name: [Reference((part,), 1) for part in parts] for name, parts in shared.items()}) == said


def test_what_a_template_names_includes_what_its_parts_name() -> None:
    """A system prompt is one for all items only if no part of it names the item."""
    library = TemplateLibrary(
        {**PARTS, "system.md": "{{ locale }}{% include 'outer.md' %}", "plain.md": "{{ words.low }}"}
    )
    assert library.names("system.md") == {"locale", "title"}
    assert library.names("plain.md") == {"words"}
    with pytest.raises(TemplateFault):
        library.names("broken.md")
