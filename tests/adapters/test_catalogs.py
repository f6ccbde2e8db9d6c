"""Catalogs are folders: adding a library means adding one, never code."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from adapters.catalog_maker import Files, make_catalog, toml
from servers.texts import is_german

from seed_library.adapters.catalog_folders import list_catalogs, peek_table, prompts_folder
from seed_library.adapters.catalogs import load_catalog
from seed_library.core.catalog import Catalog, TableSpec, WordRule
from seed_library.core.pillars import pillars
from seed_library.core.prompts import PromptBook


def _loaded(tmp_path: Path, files: Files | None = None) -> Catalog:
    return load_catalog(make_catalog(tmp_path, files), "stars")


def _render(catalog: Catalog) -> Sequence[str]:
    return PromptBook(catalog).fingerprints(list(catalog.items))


def test_the_packaged_catalog_has_sixty_pillars_in_three_categories_and_two_locales() -> None:
    """360 items, 180 of them German, under the keys that the app asks for, with titles in their language."""
    catalog = load_catalog(prompts_folder(None), "bazi_pillars")
    titles = {item.id: item.title for item in catalog.items}
    assert Counter(item_id.locale for item_id in titles) == {"de": 180, "en": 180}
    assert {item_id.key for item_id in titles} == {pillar.key for pillar in pillars()}
    assert catalog.categories == ("bazi_year_pillar", "bazi_month_pillar", "bazi_hour_pillar")
    assert catalog.items[0].id == ("bazi_year_pillar", "yang_wood_rat", "de")
    for category in catalog.categories:
        rats = [titles[item_id] for item_id in titles if item_id[:2] == (category, "yang_wood_rat")]
        assert rats == ["Yang-Holz-Ratte", "Yang Wood Rat"]
    assert catalog.table == TableSpec()


def test_every_packaged_prompt_is_different_and_in_the_language_of_its_item() -> None:
    """360 requests, no two the same; no template leaves a brace behind."""
    catalog = load_catalog(prompts_folder(None), "bazi_pillars")
    book = PromptBook(catalog)
    assert len(set(_render(catalog))) == 360
    for item in catalog.items[::40]:
        prompt = book.request(item).prompt
        assert "{{" not in prompt.system + prompt.user
        assert is_german(f"{prompt.system} {prompt.user}") is (item.id.locale == "de")


def test_items_of_a_csv_file_stand_for_one_item_in_each_category_and_locale(tmp_path: Path) -> None:
    """Titles come from the template, facts from the columns, in the order of the file."""
    catalog = _loaded(tmp_path)
    assert [str(item.id) for item in catalog.items][:5] == [
        "sun/aries/de",
        "sun/aries/en",
        "moon/aries/de",
        "moon/aries/en",
        "sun/leo/de",
    ]
    assert [item.title for item in catalog.items[:2]] == ["Aries am Himmel", "Aries in the sky"]
    assert catalog.items[0].facts == {"sign": "Aries"}


def test_rows_of_a_csv_file_may_name_category_locale_and_title(tmp_path: Path) -> None:
    """Quoted fields, a byte order mark, Windows line ends and umlauts are read as they are meant."""
    text = '\ufeffkey,category,locale,title,sign\r\nleo,sun,de,"Löwe, groß",x\r\nleo,moon,en,,"two\r\nlines"\r\n'
    catalog = _loaded(tmp_path, {"items.csv": text})
    assert [(str(item.id), item.title) for item in catalog.items] == [
        ("sun/leo/de", "Löwe, groß"),
        ("moon/leo/en", "two\r\nlines in the sky"),
    ]


def test_items_of_a_jsonl_file_keep_the_types_of_their_facts(tmp_path: Path) -> None:
    """Lists and numbers reach the templates; blank lines and unusual separators inside strings do no harm."""
    lines = [
        {"key": "leo", "locale": "de", "category": None, "sign": "Löwe\u2028\x85", "traits": ["stolz", 3]},
        {"key": "aries", "locale": "en", "category": "", "sign": "Aries"},
    ]
    text = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\r\n"
    files: Files = {**toml(("items.csv", "items.jsonl")), "items.jsonl": text}
    catalog = _loaded(tmp_path, files)
    assert [str(item.id) for item in catalog.items] == ["sun/leo/de", "moon/leo/de", "sun/aries/en", "moon/aries/en"]
    assert catalog.items[0].facts["traits"] == ["stolz", 3]
    assert catalog.items[0].facts["sign"] == "Löwe\u2028\x85"


def test_columns_and_constants_are_mapped(tmp_path: Path) -> None:
    """A table of another shape needs no code."""
    mapping = 'name = "texts"\n[table.columns]\nkey = "slug"\ntext = "body"\n[table.constants]\nsource = "ai"\n'
    table = _loaded(tmp_path, toml(('schema = "public"', 'schema = "app"'), ('name = "texts"', mapping))).table
    assert table == TableSpec("app", "texts", key="slug", text="body", constants={"source": "ai"})


def test_length_rules_are_overridden_field_by_field_from_general_to_special(tmp_path: Path) -> None:
    """Locale over all, category over locale, category and locale over both."""
    rules = (
        "[gates.en.words]\nhigh = 90\nat_most = 130\n[gates.moon.words]\nlow = 85\nat_most = 125\n"
        "[gates.moon.en.words]\nhigh = 95\n"
    )
    catalog = _loaded(tmp_path, toml(("at_most = 120\n", f"at_most = 120\n{rules}")))
    assert {place: rule.words for place, rule in catalog.rules.items()} == {
        ("sun", "de"): WordRule(80, 105, 70, 120),
        ("sun", "en"): WordRule(80, 90, 70, 130),
        ("moon", "de"): WordRule(85, 105, 70, 125),
        ("moon", "en"): WordRule(85, 95, 70, 125),
    }


def test_catalogs_are_listed_by_name_and_broken_ones_with_their_fault(tmp_path: Path) -> None:
    """Folders without a catalog.toml and loose files are no catalogs."""
    make_catalog(tmp_path)
    make_catalog(tmp_path, {"catalog.toml": "description ="}, name="broken")
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()
    listed = list_catalogs(tmp_path)
    assert [(one.name, one.description) for one in listed] == [("broken", ""), ("stars", "for tests")]
    assert listed[0].fault.startswith("catalog.toml is not TOML: ")
    assert list_catalogs(tmp_path / "nowhere") == []


def test_local_prompts_come_before_the_packaged_ones_and_the_setting_before_both(tmp_path: Path) -> None:
    """A folder `prompts` without a catalog in it is somebody else's."""
    packaged = prompts_folder(None)
    assert load_catalog(packaged, "bazi_pillars").name == "bazi_pillars"
    Path("prompts").mkdir()
    assert prompts_folder(None) == packaged
    make_catalog(Path("prompts"))
    assert prompts_folder(None) == Path("prompts")
    assert prompts_folder(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[table]\nschema = "app"\nname = "texts"', TableSpec("app", "texts")),
        ("x = 1", TableSpec()),
        ("table = 1", TableSpec()),
        ("[table", TableSpec()),
    ],
)
def test_the_table_of_a_catalog_can_be_peeked_at_even_if_the_rest_is_broken(
    tmp_path: Path, text: str, expected: TableSpec
) -> None:
    """`status` needs only that much."""
    assert peek_table(make_catalog(tmp_path, {"catalog.toml": text}), "stars") == expected
    shutil.rmtree(tmp_path / "stars")
    assert peek_table(tmp_path, "stars") == TableSpec()
