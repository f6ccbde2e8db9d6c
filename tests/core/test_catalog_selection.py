"""Which part of a catalog is meant: what is unknown is named, never silently empty."""

from __future__ import annotations

import pytest
from core.small_catalog import item, small_catalog

from seed_library.core.catalog import Selection, TableSpec, select
from seed_library.core.errors import UsageInvalid

CATALOG = small_catalog()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (
            Selection(categories=("houses",), locales=("en",)),
            ["houses/dawn/en", "houses/dusk/en", "houses/noon/en"],
        ),
        (
            Selection(keys=("noon", "d?sk"), locales=("de",)),
            ["signs/dusk/de", "signs/noon/de", "houses/dusk/de", "houses/noon/de"],
        ),
        (Selection(keys=("noon",), limit=1), ["signs/noon/de"]),
        (Selection(limit=2), ["signs/dawn/de", "signs/dusk/de"]),
    ],
    ids=["category and locale", "key patterns", "limit after keys", "limit"],
)
def test_a_selection_keeps_the_order_of_the_catalog(selection: Selection, expected: list[str]) -> None:
    """However patterns and categories are written, items come as the catalog lists them."""
    assert [str(one.id) for one in select(CATALOG, selection)] == expected


def test_an_empty_selection_means_everything_and_a_generous_limit_cuts_nothing() -> None:
    """Twelve items, with and without a limit above that."""
    assert select(CATALOG, Selection()) == list(CATALOG.items)
    assert select(CATALOG, Selection(limit=999)) == list(CATALOG.items)


ODD = ("[x]", "x", "a*", "abc", "?", "!", "[!x]", "*")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["[x]"], ["[x]"]),
        (["a*"], ["a*"]),
        (["?"], ["?"]),
        (["*"], ["*"]),
        (["[!x]"], ["[!x]"]),
        (["[x]*"], ["x"]),
        (["[[]*"], ["[x]", "[!x]"]),
        (["?*", "*"], list(ODD)),
        (["a*", "a*c"], ["a*", "abc"]),
    ],
)
def test_any_key_can_be_named_as_it_stands(wanted: list[str], expected: list[str]) -> None:
    """What is a key of the catalog is that key, whatever it would be as a pattern; all else is a pattern."""
    catalog = small_catalog(items=[item(key=key) for key in ODD])
    assert [one.id.key for one in select(catalog, Selection(keys=tuple(wanted)))] == expected


@pytest.mark.parametrize(
    ("selection", "named", "spared"),
    [
        (Selection(categories=("signs", "sings")), ["unknown category 'sings'"], ["'signs'"]),
        (Selection(locales=("DE",)), ["unknown locale 'DE'"], []),
        (Selection(keys=("dawn", "midnight*", "Dusk")), ["'midnight*'", "'Dusk'"], ["'dawn'"]),
        (
            Selection(categories=("x", "y"), keys=("dawn", "z*"), locales=("fr",)),
            ["category 'x'", "category 'y'", "locale 'fr'", "no key matches 'z*'"],
            ["'dawn'"],
        ),
    ],
    ids=["category", "locale", "keys", "everything at once"],
)
def test_everything_unknown_is_named_in_one_error(selection: Selection, named: list[str], spared: list[str]) -> None:
    """The message names each unknown name and no known one; the hint lists what there is."""
    with pytest.raises(UsageInvalid) as caught:
        select(CATALOG, selection)
    assert all(name in caught.value.message for name in named), caught.value.message
    assert not any(name in caught.value.message for name in spared), caught.value.message
    assert "signs, houses" in caught.value.hint
    assert "de, en" in caught.value.hint


def test_a_key_of_another_category_is_no_match() -> None:
    """A key counts as found only where it was looked for."""
    catalog = small_catalog(items=[item("signs", "dawn"), item("houses", "dusk")])
    with pytest.raises(UsageInvalid, match="no key matches 'dusk'"):
        select(catalog, Selection(categories=("signs",), keys=("dusk",)))


def test_a_category_that_has_no_items_in_a_locale_is_an_error_too() -> None:
    """Both names are known, but together they select nothing."""
    catalog = small_catalog(items=[item("signs", "dawn", "de"), item("houses", "dusk", "en")])
    with pytest.raises(UsageInvalid, match="no item has such a category and locale"):
        select(catalog, Selection(categories=("signs",), locales=("en",)))


@pytest.mark.parametrize(
    ("selection", "narrows"),
    [
        (Selection(categories=("signs",), locales=("de",)), False),
        (Selection(keys=("*",)), True),
        (Selection(limit=1), True),
    ],
)
def test_only_keys_and_limits_leave_out_items_of_a_category(selection: Selection, *, narrows: bool) -> None:
    """Whole categories and locales can be searched for orphans; parts of them cannot."""
    assert selection.narrows is narrows


def test_the_unique_index_follows_the_column_mapping() -> None:
    """The columns come in the order of an item's identity."""
    table = TableSpec(category="kind", key="slug", locale="lang")
    assert table.conflict_columns == ("kind", "slug", "lang")
