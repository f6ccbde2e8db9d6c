"""A catalog small enough to see through: two categories, three keys, two locales."""

from __future__ import annotations

from collections.abc import Sequence

from seed_library.core.catalog import Catalog, GateRules, Item, ItemId, PromptSource, RequestSpec, TableSpec, WordRule

CATEGORIES = ("signs", "houses")
KEYS = ("dawn", "dusk", "noon")
LOCALES = ("de", "en")
RULES = GateRules(WordRule(low=80, high=105, at_least=70, at_most=120))
SPEC = RequestSpec("claude-sonnet-5-5")


def item(category: str = "signs", key: str = "dawn", locale: str = "de", **facts: object) -> Item:
    """Return an item with a title made from its key."""
    return Item(ItemId(category, key, locale), key.title(), facts)


def small_catalog(
    *, items: Sequence[Item] | None = None, system: str = "Write in {{ locale }}.", user: str = "About {{ key }}."
) -> Catalog:
    """Return the catalog; every category and locale has the same two templates under names of its own."""
    places = [(category, locale) for category in CATEGORIES for locale in LOCALES]
    every = [item(category, key, locale) for category, locale in places for key in KEYS]
    return Catalog(
        name="small",
        description="for tests",
        categories=CATEGORIES,
        locales=LOCALES,
        table=TableSpec(),
        request=SPEC,
        rules=dict.fromkeys(places, RULES),
        sources={
            (category, locale): PromptSource(f"system.{locale}.md", system, f"{category}.{locale}.md", user)
            for category, locale in places
        },
        items=every if items is None else items,
    )
