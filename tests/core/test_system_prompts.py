"""A system prompt that names nothing of the single item is rendered once; nobody can tell the difference."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.small_catalog import small_catalog

from seed_library.core.prompts import PromptBook, item_variables
from seed_library.core.templates import TemplateLibrary

PARTS = {
    "plain.md": "Be brief in {{ locale }}.",
    "named.md": "You write about {{ key }}.",
    "outer.md": "{% include 'named.md' %}",
}
SYSTEMS = [
    "Write.",
    "Write {{ words.low }} words in {{ locale }} about {{ category }}.",
    "Write about {{ key }}.",
    "Write {{ title }} in {{ locale }}.",
    "{% set name = title %}{% set words = 3 %}{{ name }} {{ words }}",
    "{% for n in range(2) %}{{ n }}{{ locale }}{% endfor %}",
    "{% set locale = key %}{{ locale }}",
    "{% if locale == 'de' %}{{ key }}{% endif %}!",
    "{% include 'plain.md' %}",
    "{% include 'named.md' %}",
    "{% include 'outer.md' %}",
    "{% extends 'outer.md' %}",
    "{% include ['none.md', 'named.md'] ignore missing %}",
]


@pytest.mark.parametrize("source", SYSTEMS)
def test_every_item_gets_the_system_prompt_that_its_own_rendering_gives(source: str) -> None:
    """Whatever the template or a part of it names, in whatever order the items come."""
    catalog = replace(small_catalog(system=source), parts=PARTS)
    book, alone = PromptBook(catalog), TemplateLibrary({**PARTS, "system.md": source})
    for item in [*catalog.items, *reversed(catalog.items)]:
        variables = item_variables(item.id, item.title, item.facts, catalog.rules_of(item.id).words)
        assert book.request(item).prompt.system == alone.render("system.md", variables)
