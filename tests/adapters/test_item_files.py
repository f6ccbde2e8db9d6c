"""The files of a catalog: items however they were saved, keys that look alike, links that lead out of the folder."""

from __future__ import annotations

import codecs
import json
import os
from pathlib import Path

import pytest
from adapters.catalog_maker import FILES, Files, make_catalog, toml

from seed_library.adapters.catalog_folders import list_catalogs, peek_table
from seed_library.adapters.catalogs import load_catalog, load_table
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import CatalogInvalid

SIGNS = {"aries": "Widder", "leo": "Löwe, groß"}
SECRET = "what is kept outside of everything"


def _signs(tmp_path: Path, files: Files) -> dict[str, object]:
    catalog = load_catalog(make_catalog(tmp_path, files), "stars")
    return {item.id.key: item.facts["sign"] for item in catalog.items}


def _faults(folder: Path) -> list[str]:
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(folder, "stars")
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


def _named(name: str, content: str | bytes) -> Files:
    return {**toml(("items.csv", name)), "items.csv": None, name: content}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.csv", "Key ;SIGN\naries;Widder\nleo;Löwe, groß\n".replace("SIGN", "sign")),
        ("items.csv", 'key,sign\r\n\r\naries,Widder\r\n,\r\n"leo","Löwe, groß"\r\n,\r\n'),
        ("items.csv", "sep=;\r\nkey;sign\r\naries;Widder\r\nleo;Löwe, groß\r\n"),
        ("items.csv", codecs.BOM_UTF16_LE + "key\tsign\naries\tWidder\nleo\tLöwe, groß".encode("utf-16-le")),
        ("items.csv", "key|sign\raries|Widder\rleo|Löwe, groß\r".encode("utf-16-be")),
        ("items.tsv", "key\tsign\naries\tWidder\nleo\tLöwe, groß\n"),
        ("ITEMS.CSV", 'key,sign\naries,Widder\nleo,"Löwe, groß"\n'),
        ("items.csv", 'key,sign,,\naries,Widder,,\nleo,"Löwe, groß",,\n'),
        ("items.json", json.dumps([{"key": key, "sign": sign} for key, sign in SIGNS.items()], indent=1)),
        ("items.ndjson", "".join(json.dumps({"Key": key, "sign": sign}) + "\r\n" for key, sign in SIGNS.items())),
        ("items.jsonl", "\ufeff" + json.dumps([{"key": key, "sign": sign} for key, sign in SIGNS.items()])),
    ],
)
def test_items_are_read_however_they_were_saved(tmp_path: Path, name: str, content: str | bytes) -> None:
    """Separators, encodings, line ends, blank rows, lists of JSON."""
    assert _signs(tmp_path, _named(name, content)) == SIGNS


def test_a_category_with_blanks_around_it_is_that_category(tmp_path: Path) -> None:
    """Nobody sees them in a sheet."""
    folder = make_catalog(tmp_path, {"items.csv": "key,Category,sign, LOCALE \nleo, sun ,Löwe,de \n"})
    assert [str(item.id) for item in load_catalog(folder, "stars").items] == ["sun/leo/de"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("items.csv", "key,sign,detail,sign\na,b,c,d\n", ["items.csv, line 1: 'sign' is there twice"]),
        ("items.csv", "key,sign,Key\na,b,c\n", ["items.csv, line 1: 'key' is there twice"]),
        ("items.csv", "key;title;Title\na;b;c\n", ["items.csv, line 1: 'title' is there twice"]),
        ("items.jsonl", '{"key": "a", "sign": "R", "sign": "W"}', ["items.jsonl, line 1: 'sign' is there twice"]),
        ("items.json", '[\n{"key": "a",\n "sign": {"x": 1, "x": 2}}]', ["items.json, line 2: 'x' is there twice"]),
        (
            "items.jsonl",
            '{"key": 7, "sign": "x"}\n{"key": 1.5}',
            [
                "items.jsonl, line 1: 'key' is the number 7, no text: write it in quotes",
                "items.jsonl, line 2: 'key' is the number 1.5, no text: write it in quotes",
            ],
        ),
        ("items.jsonl", '{"key": "a", "sign": {"deep": ["\\ud83d"]}}', ["items.jsonl, line 1: holds a NUL or half"]),
        ("items.jsonl", '{"key": "a", "sign": 1e999}', ["items.jsonl, line 1: the number 1e999 is too large"]),
        ("items.csv", "key,sign\nle\u200bo,x\n", ["items.csv, line 2: 'key' holds U+200B ZERO WIDTH SPACE"]),
        ("items.csv", "key,sign\nle\u00ado,x\n", ["items.csv, line 2: 'key' holds U+00AD SOFT HYPHEN"]),
        ("items.csv", "key,sign\nl\u00f6we,x\nlo\u0308we,x\n", ["items.csv: the keys 'lo\\u0308we' and"]),
        ("items.csv", "key,sign\nlo\u0308we,x\nl\u00f6we,x\n", ["items.csv: the keys 'lo\\u0308we' and 'l\\xf6we'"]),
        ("items.csv", "key,sign\na b,x\na  b,x\n", ["items.csv: the keys 'a  b' and 'a b' look the same"]),
        ("items.csv", "sign,name\nx,y\n", ["items.csv, line 1: the heading lacks 'key'; separated by"]),
        ("items.csv", "PK\x03\x04", ["items.csv, this is a workbook"]),
        ("items.csv", "key,sign\nlöwe,x".encode("cp1252"), ["items.csv, line 2: not UTF-8 (byte 0xf6); in Win"]),
        ("items.csv", "key,sign\na,b,\n", ["items.csv, line 2: the number of fields differs"]),
        ("items.csv", "", ["items.csv holds no items"]),
    ],
)
def test_items_that_would_be_mistaken_are_named(
    tmp_path: Path, name: str, content: str | bytes, expected: list[str]
) -> None:
    """With the line where there is one, and nothing besides."""
    faults = _faults(make_catalog(tmp_path, _named(name, content)))
    assert len(faults) == len(expected), faults
    assert all(fault.startswith(start) for fault, start in zip(faults, expected, strict=True)), faults


@pytest.mark.parametrize("name", ["system.de.md", "sun.en.md", "items.csv", "catalog.toml"])
@pytest.mark.parametrize("way", ["relative", "absolute", "over a folder", "two links"])
def test_a_link_out_of_the_folder_is_never_read(tmp_path: Path, name: str, way: str) -> None:
    """Whatever it is called and however it leads there: what is outside would go to the model."""
    folder = make_catalog(tmp_path / "prompts", {name: None})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text(f"key,sign\nleo,{SECRET}\n")
    place = folder / "stars" / name
    if way == "relative":
        place.symlink_to("../../outside/file")
    elif way == "absolute":
        place.symlink_to(outside / "file")
    elif way == "over a folder":
        (folder / "stars" / "sub").symlink_to(outside)
        place.symlink_to("sub/file")
    else:
        (folder / "stars" / "first").symlink_to(outside / "file")
        place.symlink_to("first")
    faults = _faults(folder)
    assert any(fault.startswith(f"{name} leads out of the catalog's folder") for fault in faults)
    assert SECRET not in str(faults)


def test_a_catalog_that_is_a_link_out_of_its_folder_tells_nothing(tmp_path: Path) -> None:
    """Not to the list, nor to what only wants to know the table."""
    folder = make_catalog(tmp_path / "prompts", {"catalog.toml": None})
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(f'description = "{SECRET}"\n[table]\nname = "{SECRET}"\n')
    (folder / "stars" / "catalog.toml").symlink_to(elsewhere)
    (listing,) = list_catalogs(folder)
    assert "leads out of the catalog's folder" in listing.fault
    assert listing.description == ""
    assert peek_table(folder, "stars") == TableSpec()
    with pytest.raises(CatalogInvalid, match="leads out"):
        load_table(folder, "stars")


def test_links_within_the_folder_and_a_folder_that_is_a_link_are_fine(tmp_path: Path) -> None:
    """One text for two places, a catalog that is shared, and volumes that are mounted as links to a hidden folder."""
    folder = make_catalog(tmp_path / "real", {"moon.en.md": None, "items.csv": None})
    (folder / "stars" / "moon.en.md").symlink_to("sun.en.md")
    (folder / "stars" / "..data").mkdir()
    (folder / "stars" / "..data" / "items.csv").write_text(str(FILES["items.csv"]))
    (folder / "stars" / "items.csv").symlink_to("..data/items.csv")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "stars").symlink_to(folder / "stars")
    assert len(load_catalog(tmp_path / "prompts", "stars").items) == 8


@pytest.mark.parametrize("name", ["system.de.md", "items.csv"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "circle", "device", "nowhere"])
def test_what_is_no_file_of_a_catalog_is_named_at_once(tmp_path: Path, name: str, kind: str) -> None:
    """Nothing waits for a pipe, and no device is read to its end."""
    folder = make_catalog(tmp_path, {name: None})
    place = folder / "stars" / name
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to({"circle": name, "device": "/dev/zero", "nowhere": "nothing"}[kind])
    assert [fault for fault in _faults(folder) if fault.startswith(name)]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("x = " + "[" * 100_000, "catalog.toml is not TOML: nested too deeply"),
        ("x = " + "9" * 5000, "catalog.toml is not TOML: "),
        ('x = "\\u0000"', "catalog.toml holds a NUL"),
        ("# " + "x" * 5_000_000, "catalog.toml has more than 4,194,304 bytes"),
    ],
    ids=["deep", "long number", "NUL", "huge"],
)
def test_a_catalog_file_that_no_reader_stands_is_named(tmp_path: Path, content: str, fault: str) -> None:
    """In one sentence."""
    (found,) = _faults(make_catalog(tmp_path, {"catalog.toml": content}))
    assert found.startswith(fault)


def test_what_the_file_of_items_may_be_called_is_a_name(tmp_path: Path) -> None:
    """No path, and nothing that no file system takes."""
    for name in ("x" * 300 + ".csv", "sub/items.csv", "items.xlsx"):
        (fault,) = _faults(make_catalog(tmp_path / str(len(name)), toml(("items.csv", name))))
        assert "items" in fault or "x" in fault
