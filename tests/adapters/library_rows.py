"""Rows as a run stores them, for the tests of the stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seed_library.core.catalog import ItemId
from seed_library.ports import Row, Store, StoredRow

CATEGORY = "bazi_year_pillar"
# Keys and texts that query strings, SQL, JSON and CSV each have to quote.
AWKWARD = (
    "yang_wood_rat",
    "Übermut ßÄöü é",
    "甲子 海中金",
    "line\nbreak\ttab",
    "comma, semicolon; colon:",
    "\"double\" 'single' `back`",
    "percent 100% %25 %s + plus",
    "a.b(c){d}[e]\\f*g&h=i#j?k/l",
    "_wild%card*",
    "🐉 emoji",
)


def row(key: str, text: str = "A text.", *, category: str = CATEGORY, locale: str = "de", **provenance: Any) -> Row:
    """Return a row; what is said beyond its text is its provenance."""
    return Row(ItemId(category, key, locale), f"Title of {key}", text, provenance)


def sample(*, text: str = "A placeholder that stands for a text, as long as one. " * 9) -> Row:
    """Return the row that a preflight sends."""
    return row("yang_wood_rat", text.strip(), writer="preflight")


async def stored(
    store: Store, categories: Sequence[str] = (CATEGORY,), locales: Sequence[str] = ("de",)
) -> list[StoredRow]:
    """Return the stored rows in the order in which the store yields them."""
    return [found async for found in store.rows(categories, locales)]


def named(key: str, categories: Sequence[str], locales: Sequence[str]) -> list[ItemId]:
    """Return the items that a key may have in these categories and locales."""
    return [ItemId(category, key, locale) for category in categories for locale in locales]


async def put(store: Store, *rows: Row) -> list[ItemId]:
    """Write rows over whatever is there, as somebody does who has read it; return those in conflict."""
    there = {text.id: text for text in await store.read([one.id for one in rows])}
    return await store.upsert([replace(one, over=there.get(one.id)) for one in rows])
