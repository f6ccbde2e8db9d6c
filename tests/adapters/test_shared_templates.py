"""Catalogs share texts: one template for all categories that have none of their own, and parts in files beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapters.catalog_maker import Files, make_catalog, toml

from seed_library.adapters.catalogs import load_catalog
from seed_library.core.catalog import Catalog
from seed_library.core.errors import CatalogInvalid
from seed_library.core.prompts import PromptBook

SHARED: Files = {
    **dict.fromkeys(("sun.de.md", "sun.en.md", "moon.de.md", "moon.en.md"), None),
    "default.de.md": "{{ category }}: {{ sign }}. {% include 'parts/tone.de.md' %}",
    "default.en.md": "{{ category }}: {{ sign }}. {% include 'parts/tone.en.md' %}",
    "tone.de.md": "Kurz.",
}


def _make(folder: Path, files: Files, parts: dict[str, str | bytes] | None = None) -> Path:
    """Write a catalog with a folder for parts in it."""
    made = make_catalog(folder, files)
    (made / "stars" / "parts").mkdir()
    for name, text in (parts or {}).items():
        (made / "stars" / "parts" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return made


def _loaded(folder: Path, files: Files, parts: dict[str, str | bytes] | None = None) -> Catalog:
    return load_catalog(_make(folder, files, parts), "stars")


def _faults(folder: Path, files: Files, parts: dict[str, str | bytes] | None = None) -> list[str]:
    with pytest.raises(CatalogInvalid) as caught:
        _loaded(folder, files, parts)
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


def _prompts(catalog: Catalog) -> dict[str, str]:
    book = PromptBook(catalog)
    return {str(item.id): book.request(item).prompt.user for item in catalog.items if item.id.key == "leo"}


TONES: dict[str, str | bytes] = {"tone.de.md": "Kurz.", "tone.en.md": "Short."}


def test_one_template_serves_every_category_that_has_none_of_its_own(tmp_path: Path) -> None:
    """Per locale; a category's own template wins."""
    catalog = _loaded(tmp_path, {**SHARED, "moon.en.md": "Own: {{ sign }}"}, TONES)
    assert _prompts(catalog) == {
        "sun/leo/de": "sun: Leo. Kurz.",
        "sun/leo/en": "sun: Leo. Short.",
        "moon/leo/de": "moon: Leo. Kurz.",
        "moon/leo/en": "Own: Leo",
    }


def test_a_part_changes_the_prompts_that_share_it_and_no_others(tmp_path: Path) -> None:
    """Of the four prompts of a sign, one shares the changed file."""
    prints = []
    for number, tone in enumerate(("Kurz.", "Kürzer.")):
        files = {
            **SHARED,
            "moon.de.md": "{% extends 'sun.en.md' %}",
            "sun.en.md": "Own {{ sign }}",
            "moon.en.md": "Own",
        }
        catalog = _loaded(tmp_path / str(number), files, {**TONES, "tone.de.md": tone})
        found = PromptBook(catalog).fingerprints(list(catalog.items))
        prints.append({item.id: print_ for item, print_ in zip(catalog.items, found, strict=True)})
    changed = {f"{one.category}/{one.locale}" for one in prints[0] if prints[0][one] != prints[1][one]}
    assert changed == {"sun/de"}


OUTSIDE = ["../secret.md", "/etc/passwd", "..", "parts/../../secret.md", ".env", "parts\\\\tone.md", "%2e%2e/secret.md"]


@pytest.mark.parametrize("name", [*OUTSIDE, "parts/tone.md\\0", "file:///etc/passwd", ""])
@pytest.mark.parametrize("tag", ["include '{}'", "extends '{}'", "import '{}' as x", "include ['sun.en.md', '{}']"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str, tag: str) -> None:
    """However it is written, and whatever is there: file and line are named, and nothing is read."""
    (tmp_path / "secret.md").write_text("sk-ant-not-a-real-key")
    (fault,) = _faults(tmp_path, {"sun.de.md": f"one\n{{% {tag.format(name)} %}}", ".env": "sk-ant-not-a-real-key"})
    assert fault.startswith("sun.de.md, line 2: ")
    assert "names no file in the catalog's folder" in fault


@pytest.mark.parametrize(
    ("target", "reason"),
    [("../../.env", "leads out of the catalog's folder"), (".env", "leads to a hidden file")],
    ids=["out", "hidden"],
)
def test_a_part_that_is_a_link_is_judged_like_any_file(tmp_path: Path, target: str, reason: str) -> None:
    """The keys would go to the model."""
    folder = _make(tmp_path / "prompts", {"sun.de.md": "\n\n{% include 'part.md' %}", ".env": "sk-ant-not-a-real-key"})
    (tmp_path / ".env").write_text("sk-ant-not-a-real-key")
    (folder / "stars" / "part.md").symlink_to(target)
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(folder, "stars")
    assert f"sun.de.md, line 3: part.md {reason}" in caught.value.message


def test_a_folder_of_parts_that_is_a_link_is_judged_as_well(tmp_path: Path) -> None:
    """What is in it is outside."""
    folder = make_catalog(tmp_path / "prompts", {"sun.de.md": "{% include 'shared/part.md' %}"})
    (tmp_path / "part.md").write_text("outside")
    (folder / "stars" / "shared").symlink_to(tmp_path)
    with pytest.raises(CatalogInvalid, match=r"sun\.de\.md, line 1: shared/part\.md leads out of the catalog's folder"):
        load_catalog(folder, "stars")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "part.md is missing; did you mean 'parts.md'?"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "part.md, line 1: not UTF-8 (byte 0x89)"),
        ("Größe".encode("latin-1"), "part.md, line 1: not UTF-8 (byte 0xf6)"),
        ("Größe".encode("utf-16"), "part.md, line 1: not UTF-8 (byte 0xff)"),
        ("plain".encode("utf-16-le"), "part.md, line 1: holds a NUL, so it is no text"),
        (b"one\ntwo\x00", "part.md, line 2: holds a NUL, so it is no text"),
        ("x" * 200_001, "part.md has 200,001 characters; the limit is 200,000"),
    ],
    ids=["missing", "picture", "Latin-1", "UTF-16", "UTF-16 without a mark", "NUL", "huge"],
)
def test_a_part_that_cannot_be_read_is_named_where_it_is_shared(
    tmp_path: Path, content: str | bytes | None, reason: str
) -> None:
    """Every place that shares it, with its line."""
    files: Files = {"part.md": content, "parts.md": "x"}
    sharing = {"sun.de.md": "{% include 'part.md' %}", "moon.de.md": "\n{% include 'part.md' %}"}
    assert _faults(tmp_path, {**files, **sharing}) == [
        f"sun.de.md, line 1: {reason}",
        f"moon.de.md, line 2: {reason}",
    ]


def test_a_part_may_be_missing_where_the_template_says_so(tmp_path: Path) -> None:
    """And the first of several that is there is taken."""
    files: Files = {
        "sun.de.md": "{% include 'none.md' ignore missing %}x",
        "sun.en.md": "{% include ['none.md', 'tone.md'] %}",
        "tone.md": "Tone.",
    }
    prompts = _prompts(_loaded(tmp_path, files))
    assert (prompts["sun/leo/de"], prompts["sun/leo/en"]) == ("x", "Tone.")


@pytest.mark.parametrize(
    ("files", "faults"),
    [
        ({"sun.de.md": "{% include 'sun.de.md' %}"}, ["sun.de.md, line 1: shares itself (sun.de.md -> sun.de.md)"]),
        (
            {"sun.de.md": "{% include 'a.md' %}", "a.md": "\n{% include 'b.md' %}", "b.md": "{% import 'a.md' as a %}"},
            ["b.md, line 1: shares itself (a.md -> b.md -> a.md)"],
        ),
        (
            {"sun.de.md": "{% extends 'a.md' %}", "a.md": "{% if x %}{% include 'sun.de.md' %}{% endif %}"},
            ["a.md, line 1: shares itself (sun.de.md -> a.md -> sun.de.md)"],
        ),
    ],
    ids=["itself", "two parts", "its own base"],
)
def test_a_circle_of_parts_is_named(tmp_path: Path, files: Files, faults: list[str]) -> None:
    """With the way that it takes; also where a condition might end it."""
    assert _faults(tmp_path, files) == faults


def test_faults_of_parts_and_of_everything_else_are_told_together(tmp_path: Path) -> None:
    """One report, whatever the order."""
    files: Files = {
        "sun.de.md": "{% include 'none.md' %}",
        "moon.de.md": "{{ sign }",
        "sun.en.md": "{% include 'broken.md' %}",
        "broken.md": "one\ntwo\n{% endif %}",
        "moon.en.md": None,
        "items.csv": "key,sign\n,x\n",
    }
    assert [fault.split(": ")[0] for fault in _faults(tmp_path, files)] == [
        "sun.de.md, line 1",
        "broken.md, line 3",
        "moon.de.md, line 1",
        "moon.en.md is missing",
        "items.csv, line 2",
    ]


def test_the_category_of_the_system_prompt_is_taken(tmp_path: Path) -> None:
    """`system.de.md` cannot be both."""
    (fault,) = _faults(tmp_path, {**toml(('["sun", "moon"]', '["sun", "system"]'))})
    assert fault == "catalog.toml: the category 'system' has the name of the system prompt; call it otherwise"


def test_a_title_shares_no_parts(tmp_path: Path) -> None:
    """It stands in catalog.toml, and is a line."""
    (fault,) = _faults(tmp_path, {**toml(("{{ sign }} am Himmel", "{% include 'x.md' %}")), "x.md": "x"})
    assert fault == "catalog.toml: titles.de, line 1: a title shares no parts"


def test_a_title_that_takes_too_much_is_not_tried_for_every_item(tmp_path: Path) -> None:
    """It is said once, and no item is made with it."""
    rows = "".join(f"k{number},x\n" for number in range(30))
    title = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"
    files: Files = {**toml(("{{ sign }} am Himmel", title)), "items.csv": f"key,sign\n{rows}"}
    (fault,) = _faults(tmp_path, files)
    assert fault.startswith("catalog.toml: titles.de, line 1: takes more than 100,000 steps")


TAKEN = ["words", "range", "loop", "self", "caller", "lipsum", "namespace", "None", "super"]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("file", ["items.csv", "items.jsonl"])
def test_a_fact_whose_name_is_taken_is_refused(tmp_path: Path, name: str, file: str) -> None:
    """Column and file are named, once, with what the name means."""
    rows = {
        "items.csv": f"key,sign,{name}\naries,Aries,x\nleo,Leo,y\n",
        "items.jsonl": f'{{"key": "aries", "sign": "x"}}\n{{"key": "leo", "sign": "x", "{name}": "y"}}\n',
    }
    files: Files = {**toml(("items.csv", file)), "items.csv": None, file: rows[file]}
    (fault,) = _faults(tmp_path, files)
    assert fault.startswith(f"{file}, line {2}: the column {name!r} has a name that is taken: it is ")
    assert fault.endswith("; call it otherwise")


@pytest.mark.parametrize("title", ["7", '["a"]', "true", "{}"])
def test_a_title_that_is_no_text_is_refused(tmp_path: Path, title: str) -> None:
    """It would be made from the template, and the fact be lost."""
    files: Files = {
        **toml(("items.csv", "items.jsonl")),
        "items.jsonl": f'{{"key": "leo", "sign": "x", "title": {title}}}',
    }
    assert _faults(tmp_path, files) == ["items.jsonl, line 1: 'title' is not a text"]


def test_the_names_of_an_item_are_no_facts(tmp_path: Path) -> None:
    """Title, category and locale have columns of their own, and mean what they mean."""
    files: Files = {
        "items.csv": "key,title,category,locale,sign\nleo,Löwe,sun,de,Leo\n",
        "sun.de.md": "{{ title }} {{ locale }}",
    }
    assert _prompts(_loaded(tmp_path, files)) == {"sun/leo/de": "Löwe de"}


def test_facts_that_are_nested_too_deeply_are_no_json(tmp_path: Path) -> None:
    """A line of brackets ends no process."""
    deep = '{"key": "leo", "sign": ' + "[" * 100_000 + "]" * 100_000 + "}"
    (fault,) = _faults(tmp_path, {**toml(("items.csv", "items.jsonl")), "items.jsonl": deep})
    assert fault.startswith("items.jsonl, line 1: nested too deeply")
