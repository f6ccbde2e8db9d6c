"""What is wrong with a catalog is named, all of it, with file and line; nothing is paid for before that."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from adapters.catalog_maker import FILES, Files, make_catalog, toml

from seed_library.adapters.catalogs import load_catalog
from seed_library.core.catalog import Catalog
from seed_library.core.errors import CatalogInvalid, UsageInvalid
from seed_library.core.prompts import PromptBook


def _loaded(tmp_path: Path, files: Files | None = None) -> Catalog:
    return load_catalog(make_catalog(tmp_path, files), "stars")


def _render(catalog: Catalog) -> Sequence[str]:
    return PromptBook(catalog).fingerprints(list(catalog.items))


def _faults(tmp_path: Path, files: Files) -> list[str]:
    """Return the lines of the report; the catalog is rendered too, as every verb does."""
    with pytest.raises(CatalogInvalid) as caught:
        _render(_loaded(tmp_path, files))
    assert "othing was sent or stored" in caught.value.hint
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


UNREADABLE_BYTES = "Sonne: {{ sign }}\nGröße".encode("latin-1")
FAULTS: dict[str, tuple[Files, list[str]]] = {
    "unknown field": (
        toml(('name = "stars"', 'name = "stars"\nlanguage = "de"')),
        ["catalog.toml: the field 'language' is unknown"],
    ),
    "unknown field inside": (
        toml(('schema = "public"', 'shema = "public"')),
        ["catalog.toml: the field 'table.shema' is unknown"],
    ),
    "missing field": (toml(("version = 1\n", "")), ["catalog.toml: the field 'version' is missing"]),
    "missing tables": (
        toml(('[request]\nmodel = "claude-sonnet-5-5"\n', ""), ('items = "items.csv"\n', "")),
        ["catalog.toml: the field 'items' is missing", "catalog.toml: the field 'request' is missing"],
    ),
    "wrong types and values": (
        toml(
            ("version = 1", 'version = "1"'),
            ('locales = ["de", "en"]', "locales = []"),
            ('"claude-sonnet-5-5"', '"m"\nmax_tokens = 0\nthinking = "maybe"'),
        ),
        [
            "catalog.toml: version: input should be 1",
            "catalog.toml: locales: tuple should have at least 1 item",
            "catalog.toml: request.max_tokens: input should be greater than or equal to 1",
            "catalog.toml: request.thinking: input should be 'off' or 'on'",
        ],
    ),
    "names that leave the folder": (
        toml(('["sun", "moon"]', '["../sun", "moon/x"]'), ('name = "texts"', 'name = "texts; drop table x"')),
        [
            "catalog.toml: categories: tuple should have at least 1 item",
            "catalog.toml: categories.0: string should match",
            "catalog.toml: categories.1: string should match",
            "catalog.toml: table.name: string should match",
        ],
    ),
    "numbers that cannot be meant": (
        toml(
            ("at_most = 120", f"at_most = 1{'0' * 400}"),
            (
                '"claude-sonnet-5-5"',
                f'"m"\nmax_tokens = 1{"0" * 400}\nthinking_tokens = nan\nrepairs = -1\ntries = 1e400',
            ),
            ('name = "texts"', 'name = "texts"\n[table.constants]\nweight = [1, { of = nan }]'),
        ),
        [
            "catalog.toml: table.constants: numbers must be finite (neither nan nor inf)",
            "catalog.toml: request.max_tokens: input should be less than or equal to 1000000",
            "catalog.toml: request.thinking_tokens: input should be a valid integer",
            "catalog.toml: request.repairs: input should be greater than or equal to 0",
            "catalog.toml: request.tries: input should be a valid integer",
        ],
    ),
    "a length without end": (
        toml(("at_most = 120", f"at_most = 1{'0' * 400}")),
        [
            f"catalog.toml: gates.words for {c}, {loc}: all four must be whole numbers from 1 to 1,000,000"
            for c in ("sun", "moon")
            for loc in ("de", "en")
        ],
    ),
    "a number of thousands of digits": (
        toml(("version = 1", f"version = {'1' * 5000}")),
        ["catalog.toml is not TOML: Exceeds the limit"],
    ),
    "thousands of brackets": (
        toml(("version = 1", f"version = {'[' * 100_000}")),
        ["catalog.toml is not TOML: "],
    ),
    "not TOML": ({"catalog.toml": 'name = "stars'}, ["catalog.toml is not TOML: "]),
    "another name": (
        toml(('name = "stars"', 'name = "star"')),
        ["catalog.toml: the name 'star' differs from the folder's, 'stars'"],
    ),
    "doubles": (
        toml(
            ('["sun", "moon"]', '["sun", "moon", "sun"]'),
            ('name = "texts"', 'name = "texts"\n[table.columns]\nkey = "title"'),
        ),
        ["catalog.toml: categories: 'sun' is listed twice", "catalog.toml: table: the column 'title' is used twice"],
    ),
    "constant over a column": (
        toml(('name = "texts"', 'name = "texts"\n[table.constants]\nlocale = "de"')),
        ["catalog.toml: table: the column 'locale' is used twice"],
    ),
    "title of no locale": (
        toml(("en = ", "fr = ")),
        ["catalog.toml: titles: the locale 'fr' is not one", "catalog.toml: no title template for the locale 'en'"],
    ),
    "title that does not compile": (toml(("{{ sign }} am", "{{ sign } am")), ["catalog.toml: titles.de, line 1: "]),
    "title with an undefined name": (
        toml(("{{ sign }} am", "{{ sing }} am")),
        ["catalog.toml: titles.de, line 1: 'sing' is undefined; did you mean 'sign'?"],
    ),
    "length rule that cannot be met": (
        toml(("low = 80", "low = 110")),
        [f"catalog.toml: gates.words for {c}, {loc}: at_least <= low" for c in ("sun", "moon") for loc in ("de", "en")],
    ),
    "length rule for one part only": (
        toml(("[gates.words]", "[gates.sun.words]"), ("high = 105\n", "")),
        [
            *(f"catalog.toml: gates.words for sun, {locale}: missing high" for locale in ("de", "en")),
            *(f"catalog.toml: gates.words for moon, {locale}: missing at_least, low, high" for locale in ("de", "en")),
        ],
    ),
    "length rule of the wrong kind": (
        toml(("at_most = 120", "at_most = 120\n[gates.de.words]\nmost = 9\n[gates.en.words]\nlow = true")),
        [
            *(f"catalog.toml: gates.words for {name}, de: unknown most" for name in ("sun", "moon")),
            *(f"catalog.toml: gates.words for {name}, en: all four must be whole" for name in ("sun", "moon")),
        ],
    ),
    "unknown rules": (
        toml(
            ("at_most = 120", "at_most = 120\n[gates.fr.words]\nlow = 1\n[gates.de]\nhigh = 99\n[gates.sun.en]\nx = 1")
        ),
        [
            "catalog.toml: gates: 'fr' is unknown; known are words, address, ",
            "catalog.toml: gates.sun.en: 'x' is unknown; known are words, address, ",
            "catalog.toml: gates.de: 'high' is unknown; known are words, address, ",
        ],
    ),
    "rule that is no table": (
        toml(("[gates.words]", "[gates]\nde = 7\n[gates.words]")),
        ["catalog.toml: gates.de: must be a table"],
    ),
    "missing template": ({"sun.de.md": None}, ["sun.de.md is missing"]),
    "template that is not UTF-8": ({"sun.de.md": UNREADABLE_BYTES}, ["sun.de.md, line 2: not UTF-8 (byte 0xf6)"]),
    "catalog that is not UTF-8": ({"catalog.toml": b"# \xfc\n"}, ["catalog.toml, line 1: not UTF-8 (byte 0xfc)"]),
    "syntax errors": (
        {"sun.de.md": "ok\n{{ sign }", "moon.en.md": "{% if %}"},
        ["sun.de.md, line 2: ", "moon.en.md, line 1: "],
    ),
    "syntax error for all": ({"system.de.md": "{% endif %}"}, ["system.de.md, line 1: "]),
    "undefined name": (
        {"moon.de.md": "{{ sing }}"},
        ["moon.de.md, line 1: 'sing' is undefined; did you mean 'sign'? (2 items, the first is moon/ar"],
    ),
    "huge template": ({"sun.de.md": "x" * 200_001}, ["sun.de.md has 200,001 characters; the limit is 200,000"]),
    "empty template": ({"sun.de.md": " \n"}, ["sun.de.md: renders to nothing (2 items"]),
    "two files, two kinds of fault": (
        {**toml(('model = "claude-sonnet-5-5"', 'model = "m"\neffort = "some"')), "sun.de.md": None},
        ["catalog.toml: request.effort: input should be ''"],
    ),
    "template and items": (
        {"sun.de.md": "{{ sign }", "moon.de.md": None, "items.csv": "key,sign\naries,Aries\naries,Aries\n,Leo\n"},
        [
            "sun.de.md, line 1: ",
            "moon.de.md is missing",
            "items.csv, line 3: the item sun/aries/de exists already",
            "items.csv, line 3: the item sun/aries/en exists already",
            "items.csv, line 3: the item moon/aries/de exists already",
            "items.csv, line 3: the item moon/aries/en exists already",
            "items.csv, line 4: 'key' is missing, empty or has blanks around it",
        ],
    ),
    "no items": ({"items.csv": "key,sign\n"}, ["items.csv holds no items"]),
    "no file of items": ({"items.csv": None}, ["items.csv is missing"]),
    "items that are not UTF-8": ({"items.csv": "key\nlöwe".encode("latin-1")}, ["items.csv, line 2: not UTF-8"]),
    "too many fields": ({"items.csv": "key,sign\nleo,Leo,x\n"}, ["items.csv, line 2: the number of fields differs"]),
    "too few fields": ({"items.csv": "key,sign\nleo\n"}, ["items.csv, line 2: the number of fields differs"]),
    "no CSV": ({"items.csv": 'key,sign\nleo,"Leo" x\n'}, ["items.csv, line 2: not CSV: "]),
    "unknown category and locale": (
        {"items.csv": "key,category,locale,sign\nleo,star,,x\nleo,sun,fr,x\n"},
        ["items.csv, line 2: unknown category 'star'", "items.csv, line 3: unknown locale 'fr'"],
    ),
    "blanks around a key": ({"items.csv": "key,sign\n leo,x\n"}, ["items.csv, line 2: 'key' is missing, empty or has"]),
    "a NUL": ({"items.csv": "key,sign\nleo,a\0b\n"}, ["items.csv, line 2: holds a NUL or half of a surrogate pair"]),
    "unknown source": (
        toml(("items.csv", "western-signs")),
        ["catalog.toml: items must be a .csv or .jsonl file in the catalog's folder, or one of: bazi-pillars"],
    ),
    "source without this locale": (
        {
            **toml(("items.csv", "bazi-pillars"), ('"de", "en"', '"fr"'), ("de = ", "fr = "), ("en = ", "# ")),
            **dict.fromkeys(("system.fr.md", "sun.fr.md", "moon.fr.md"), "x"),
        },
        ["catalog.toml: 'bazi-pillars' has no facts in the locale 'fr'"],
    ),
}


@pytest.mark.parametrize(("files", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_with_a_catalog_is_named_file_by_file(tmp_path: Path, files: Files, expected: list[str]) -> None:
    """Each fault once, with file and line where there is one, and nothing besides."""
    faults = _faults(tmp_path, files)
    assert len(faults) == len(expected), faults
    for fault, beginning in zip(sorted(faults), sorted(expected), strict=True):
        assert fault.startswith(beginning)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "items.jsonl, line 2: not JSON: "),
        ('["leo"]', "items.jsonl, line 2: not a JSON object"),
        ('{"sign": "x"}', "items.jsonl, line 2: 'key' is missing"),
        ('{"key": 7}', "items.jsonl, line 2: 'key' is the number 7, no text: write it in quotes"),
        ('{"key": "leo", "category": ["sun"]}', "items.jsonl, line 2: unknown category ['sun']"),
        ('{"key": "leo", "locale": {}}', "items.jsonl, line 2: unknown locale {}"),
        ('{"key": "leo", "sign": "\\ud800"}', "items.jsonl, line 2: holds a NUL or half of a surrogate pair"),
        ('{"key": "leo\\u0000"}', "items.jsonl, line 2: holds a NUL or half of a surrogate pair"),
    ],
)
def test_what_is_wrong_with_a_line_of_jsonl_is_named(tmp_path: Path, line: str, fault: str) -> None:
    """With file and line."""
    files: Files = {**toml(("items.csv", "items.jsonl")), "items.jsonl": '{"key": "aries", "sign": "Aries"}\n' + line}
    (found,) = _faults(tmp_path, files)
    assert found.startswith(fault)


@pytest.mark.parametrize("outside", ["../items.csv", "/etc/items.csv", "sub/items.csv", "./items.csv", "items.txt"])
def test_items_are_read_from_the_folder_of_the_catalog_only(tmp_path: Path, outside: str) -> None:
    """A path that leads elsewhere is refused, whether a file is there or not."""
    (tmp_path / "items.csv").write_text(FILES["items.csv"])
    (found,) = _faults(tmp_path, toml(("items.csv", outside)))
    assert found.startswith("catalog.toml: items must be a .csv or .jsonl file in the catalog's folder")


@pytest.mark.parametrize("name", ["sun", "../stars", "", ".", "..", "stars/", "stars/../stars", "other/../stars"])
def test_only_the_name_of_a_folder_names_a_catalog(tmp_path: Path, name: str) -> None:
    """A path is no name; the error lists what there is."""
    folder = make_catalog(tmp_path)
    if name == "stars/":
        assert load_catalog(folder, name).name == "stars"
        return
    with pytest.raises(UsageInvalid) as caught:
        load_catalog(folder, name)
    assert "Catalogs there: stars." in caught.value.hint


def test_an_absolute_path_is_no_name_either(tmp_path: Path) -> None:
    """Even if a catalog is there."""
    elsewhere = make_catalog(tmp_path / "elsewhere")
    with pytest.raises(UsageInvalid, match="There is no catalog"):
        load_catalog(make_catalog(tmp_path / "here"), str(elsewhere / "stars"))


def test_a_folder_where_a_file_should_be_is_an_unreadable_file(tmp_path: Path) -> None:
    """The system's own reason is given."""
    folder = make_catalog(tmp_path, {"sun.de.md": None})
    (folder / "stars" / "sun.de.md").mkdir()
    with pytest.raises(CatalogInvalid, match=r"sun\.de\.md cannot be read: Is a directory"):
        load_catalog(folder, "stars")


def test_a_flood_of_faults_is_cut_off_with_a_count(tmp_path: Path) -> None:
    """Twenty are named, the others counted."""
    faults = _faults(tmp_path, {"items.csv": "key,sign\n" + ",x\n" * 27})
    assert len(faults) == 21
    assert faults[-1] == "and 7 more"


def test_every_fault_of_a_catalog_is_an_expected_failure(tmp_path: Path) -> None:
    """Stray bytes all over each file never lead to a traceback."""
    for number, (name, content) in enumerate(FILES.items()):
        for place in range(0, len(content), 19):
            for junk in (b"\x00", b"\xff", b"{{", b'"', b"\n"):
                broken = content[:place].encode() + junk + content[place:].encode()
                folder = make_catalog(tmp_path / f"{number}-{place}-{junk.hex()}", {name: broken})
                with suppress(CatalogInvalid):
                    _render(load_catalog(folder, "stars"))
