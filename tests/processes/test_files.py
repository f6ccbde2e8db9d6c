"""Files that people and spreadsheets touch: read as they are meant, or refused; nothing is stored by mistake."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes.program import Program
from processes.rehearsed import TEXTS, Rehearsed

_NONCE = re.compile(r"nonce(-|=\")[\w-]+")
MINE = "Diesen hier schrieb ein Mensch; übrigens gern."


@pytest.fixture
def cards(offline: Program) -> Rehearsed:
    """A library of three German texts."""
    made = Rehearsed(offline)
    made.write()
    made.fill()
    return made


@pytest.fixture
def catalog(offline: Program) -> Rehearsed:
    """A catalog that nobody has run yet."""
    made = Rehearsed(offline)
    made.write()
    return made


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))


def _save(file: Path, rows: list[dict[str, str]], separator: str = ",", encoding: str = "utf-8") -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(out.getvalue().encode(encoding))


def _edited(file: Path, key: str = "b", text: str = MINE) -> list[dict[str, str]]:
    return [{**row, "text": text} if row["key"] == key else row for row in _rows(file)]


@pytest.mark.parametrize("more", [", und noch was.", ",", ";", ',"x"'])
def test_a_text_that_a_separator_cuts_is_refused(cards: Rehearsed, more: str) -> None:
    """With the line; nothing of the file is stored, not even the rows before it."""
    file = cards.program.folder / "own.csv"
    separator = more[0]
    lines = [
        "category,key,locale,title,text",
        "card,a,de,Titel a,Gut.",
        f"card,b,de,Titel b,Die Dose geht auf{more}",
        "",
    ]
    file.write_text("\n".join(lines).replace(",", separator) if separator == ";" else "\n".join(lines), "utf-8")
    ended = cards.run("import", file)
    assert (ended.code, cards.texts()) == (2, TEXTS)
    assert "line 3: the number of fields differs" in ended.error["message"]


def _misread(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace").encode()


def _saved_as(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode("utf-8-sig").encode(encoding, "replace").decode(encoding).encode()


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("csv", _misread("cp1252")),
        ("jsonl", _misread("latin-1")),
        ("csv", _misread("mac-roman")),
        ("csv", _misread("ascii")),
        ("csv", _saved_as("latin-1")),
        ("jsonl", lambda data: _misread("cp1252")(_misread("cp1252")(data)).replace(b"Regen", b"Schnee")),
    ],
    ids=["cp1252", "latin-1", "mac", "lost", "no arrow", "twice and edited"],
)
def test_a_file_that_was_wrongly_decoded_is_refused_unless_somebody_insists(
    cards: Rehearsed, damage: Callable[[bytes], bytes], kind: str
) -> None:
    """A dry run shows before and after and changes nothing."""
    file = cards.sheet(f"sheet.{kind}")
    file.write_bytes(damage(file.read_bytes()))
    refused = cards.run("import", file)
    assert (refused.code, cards.texts()) == (2, TEXTS)
    assert "wrongly decoded" in refused.error["message"]
    assert "--insist" in refused.error["hint"]
    shown = cards.run("import", file, "--dry-run").document
    assert {change["key"]: change["before"]["text"] for change in shown["changes"]}.items() <= TEXTS.items()
    assert shown["doubts"]
    told = cards.run("import", file, "--dry-run", plain=True)
    assert (told.code, cards.texts()) == (0, TEXTS)
    for change in shown["changes"]:
        assert f"  - {change['before']['text']}\n  + " in told.out
        assert f"  + {change['after']['text']}\n" in told.out or not change["after"]["text"].isprintable()
    assert cards.run("import", file, "--insist").code == 0
    assert cards.texts() == TEXTS | {change["key"]: change["after"]["text"] for change in shown["changes"]}


def test_a_sheet_for_spreadsheets_says_that_it_is_utf_8(cards: Rehearsed) -> None:
    """By the mark that they know; what goes to another program has none."""
    assert cards.sheet().read_bytes().startswith(b"\xef\xbb\xbfcategory,")
    assert cards.sheet("rows.jsonl").read_bytes().startswith(b"{")
    assert cards.run("export", "--format", "csv").out.startswith("category,")
    assert cards.run("export", "--format", "csv", "--output", "/dev/stdout").out.startswith("category,")


@pytest.mark.parametrize("texts", [[MINE, "Ein anderer.", "Noch ein anderer Text, und kurz."]])
def test_an_import_that_replaces_nearly_everything_is_refused_unless_somebody_insists(
    catalog: Rehearsed, texts: list[str]
) -> None:
    """Twelve of twelve; three of twelve are an editor's day."""
    keys = [f"k{number}" for number in range(12)]
    catalog.write(keys)
    catalog.fill({})
    file = catalog.sheet()
    before = catalog.texts()
    rows = _rows(file)
    few = [{**row, "text": texts[number]} if number < 3 else row for number, row in enumerate(rows)]
    _save(file, [{**row, "text": f"Etwas anderes, Nummer {number}."} for number, row in enumerate(rows)])
    refused = catalog.run("import", file)
    assert (refused.code, catalog.texts()) == (2, before)
    assert "12 of the 12 texts" in refused.error["message"]
    _save(file, few)
    assert len(catalog.run("import", file).document["imported"]) == 3
    _save(file, [{**row, "text": rows[(number + 1) % 12]["text"]} for number, row in enumerate(rows)])
    moved = catalog.run("import", file)
    assert (moved.code, "another item" in moved.error["message"]) == (2, True)


def test_a_dry_run_takes_no_lock_and_names_conflicts(cards: Rehearsed) -> None:
    """What would be changed, what would not, and what somebody else has changed since."""
    file = cards.sheet()
    cards.fill({**TEXTS, "b": "Inzwischen steht hier etwas anderes."})
    _save(file, _edited(file))
    shown = cards.run("import", file, "--dry-run").document
    assert [(change["key"], change["conflict"]) for change in shown["changes"]] == [("b", True)]
    assert shown["changes"][0]["after"]["text"] == MINE
    assert "a conflict" in cards.run("import", file, "--dry-run", plain=True).out
    assert cards.texts()["b"] == "Inzwischen steht hier etwas anderes."


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("csv", lambda text: text.replace("\n", "\r\n")),
        ("csv", lambda text: text.replace("\n", "\r")),
        ("jsonl", lambda text: unicodedata.normalize("NFD", text)),
        ("jsonl", lambda text: text.replace("\n", " \r\n") + " \r\n"),
    ],
    ids=["CRLF", "CR", "NFD", "blanks"],
)
def test_what_programs_change_while_they_save_changes_nothing(
    cards: Rehearsed, kind: str, change: Callable[[str], str]
) -> None:
    """No text becomes a person's by it, and none is a conflict, even if it has changed in the table meanwhile."""
    lines = {key: text.replace(" ", "\n", 3) for key, text in TEXTS.items()}
    cards.fill(lines)
    file = cards.sheet(f"sheet.{kind}")
    if kind == "csv":
        _save(file, [{**row, "text": change(row["text"])} for row in _rows(file)])
    else:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        file.write_text("".join(json.dumps({**row, "text": change(row["text"])}) + "\n" for row in rows), "utf-8")
    cards.fill({"c": "Neuer, und von jemand anderem."})
    ended = cards.run("import", file)
    assert (ended.code, ended.document["imported"]) == (0, [])
    assert set(cards.writers().values()) == {"rehearsal"}


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8", ";"), ("utf-8-sig", "|"), ("utf-16", "\t"), ("utf-16-be", ",")]
)
def test_a_sheet_is_imported_however_a_spreadsheet_saved_it(cards: Rehearsed, encoding: str, separator: str) -> None:
    """Only the edit is stored; blank rows, a heading in capitals and columns of one's own do no harm."""
    file = cards.sheet()
    rows = [{"Key ": row.pop("key"), **row, "Notiz": "x"} for row in _edited(file)]
    blank = dict.fromkeys(rows[0], "")
    _save(file, [rows[0], blank, *rows[1:], blank], separator, encoding)
    ended = cards.run("import", file)
    assert ended.code == 0, ended.out
    assert [item["key"] for item in ended.document["imported"]] == ["b"]
    assert "Notiz" in " ".join(ended.document["notes"])
    assert cards.texts() == {**TEXTS, "b": MINE}


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman"])
def test_a_sheet_in_an_older_encoding_is_named_and_read_on_request(cards: Rehearsed, encoding: str) -> None:
    """The bytes do not say which one it is."""
    cards.fill({key: text.replace("→", "weiter") for key, text in TEXTS.items()})
    file = cards.sheet()
    _save(file, _edited(file), ";", encoding)
    refused = cards.run("import", file)
    assert (refused.code, "not UTF-8" in refused.error["message"]) == (2, True)
    assert "Windows-1252" in refused.error["message"]
    assert [item["key"] for item in cards.run("import", file, "--encoding", encoding).document["imported"]] == ["b"]
    assert cards.run("import", file, "--encoding", "no-such-encoding").code == 2


def test_a_file_may_use_the_names_of_the_table(catalog: Rehearsed) -> None:
    """Which `[table.columns]` says; by both names a column is refused."""
    catalog.write(table='[table.columns]\nkey = "slug"\ntext = "body"\ntitle = "headline"\n')
    assert catalog.run("rehearse").code == 0
    file = catalog.program.folder / "own.csv"
    file.write_text(f"category,slug,locale,headline,body\ncard,b,de,Titel b,{MINE}\n", "utf-8")
    assert [item["key"] for item in catalog.run("import", file).document["imported"]] == ["b"]
    file.write_text(f"category,key,locale,text,body\ncard,b,de,{MINE},Etwas anderes.\n", "utf-8")
    refused = catalog.run("import", file)
    assert (refused.code, "'text' and 'body'" in refused.error["message"]) == (2, True)


def test_a_title_that_was_edited_stays_out_and_is_named(cards: Rehearsed) -> None:
    """Titles are the catalog's."""
    file = cards.sheet()
    _save(file, [{**row, "title": row["title"].replace("Titel b", "Bach")} for row in _edited(file)])
    ended = cards.run("import", file)
    assert (ended.code, cards.texts("title")["b"]) == (0, "Titel b")
    assert "'Bach'" in " ".join(ended.document["notes"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it holds no rows"),
        (b"category,key,locale,text\n", "it holds no rows"),
        (b"nothing of ours\n", "the heading lacks"),
        (b"PK\x03\x04workbook", "workbook"),
        (b"category,key,locale,text\ncard,b,de,a\0b\n", "line 2: holds a NUL"),
        (b"category,key,locale,text,TEXT\ncard,b,de,a,b\n", "'text' is there twice"),
        (b"category,key,locale,text\ncard,zz,de,a\n", "line 2: card/zz/de"),
        (b"category,key,locale,text\ncard,a,de,x\ncard,a,de,y\n", "line 3: names card/a/de, as line 2 does"),
        (b'category,key,locale,text\ncard,a,de,"x\n', "line 2: not CSV: a quote is never closed"),
    ],
)
def test_a_file_that_is_no_import_is_refused_with_a_sentence(cards: Rehearsed, content: bytes, said: str) -> None:
    """Exit 2, and nothing changes."""
    file = cards.program.folder / "own.csv"
    file.write_bytes(content)
    ended = cards.run("import", file)
    assert (ended.code, cards.texts()) == (2, TEXTS)
    assert said in ended.error["message"]


@pytest.mark.parametrize("place", ["nothing.csv", ".", "/dev/null", ""])
def test_a_place_that_is_no_file_is_refused_with_a_sentence(cards: Rehearsed, place: str) -> None:
    """For an import and for a backup."""
    assert cards.run("import", place).code == 2
    assert cards.run("import", place, "--restore").code == 2


def test_a_backup_is_put_back_only_as_it_is(cards: Rehearsed) -> None:
    """A dry run says what is missing; damage is named with its line."""
    cards.write(("a", "c"))
    backup = Path(cards.run("prune", "--yes").document["backup"])
    shown = cards.run("import", backup, "--restore", "--dry-run").document
    assert ([item["key"] for item in shown["missing"]], shown["there"], "b" in cards.texts()) == (["b"], [], False)
    whole = backup.read_bytes()
    for damaged in (whole + whole, whole[:-9], b"[]\n", b"\xff" + whole, whole.replace(b'"row"', b'"now"'), b""):
        backup.write_bytes(damaged)
        assert cards.run("import", backup, "--restore").code == 2
    assert cards.run("import", backup, "--restore", "--insist").code == 2
    backup.write_bytes(b"\xef\xbb\xbf" + whole.replace(b"\n", b"\r\n"))
    assert [item["key"] for item in cards.run("import", backup, "--restore").document["restored"]] == ["b"]
    assert cards.texts() == TEXTS


@pytest.mark.parametrize(
    ("more", "said"),
    [({"slug": "x"}, "the table has no column 'slug'"), ({"title": None}, "NOT NULL"), ({"id": 9**30}, "int")],
)
def test_a_row_of_a_backup_that_the_table_cannot_hold_any_more_is_named(
    cards: Rehearsed, more: dict[str, Any], said: str
) -> None:
    """A column that is gone since, a value that it does not take: the other rows are put back."""
    cards.write(("a",))
    backup = Path(cards.run("prune", "--yes").document["backup"])
    rows = [json.loads(line) for line in backup.read_text("utf-8").splitlines()]
    rows[0]["row"] |= more
    backup.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    ended = cards.run("import", backup, "--restore", plain=True)
    assert (ended.code, set(cards.texts())) == (6, {"a", rows[1]["key"]})
    assert said in ended.err


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "utf-16"},
        {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_data_on_stdout_is_utf_8_whatever_the_locale_says(cards: Rehearsed, surroundings: dict[str, Any]) -> None:
    """Exports and documents alike."""
    for kind in ("csv", "jsonl"):
        exported = cards.run("export", "--format", kind, plain=True, **surroundings).out
        assert all(text in exported for text in TEXTS.values())
    assert cards.run("show", "a", **surroundings).document["texts"][0]["text"] == TEXTS["a"]
    assert TEXTS["a"] in cards.run("show", "a", plain=True, **surroundings).out


@pytest.mark.parametrize("verb", ["export", "report"])
def test_a_result_keeps_links_modes_and_pipes(cards: Rehearsed, verb: str) -> None:
    """And says in a sentence where it cannot go."""
    to = ("--output",) if verb == "export" else ()
    folder = cards.program.folder
    target, link, pipe = folder / "target", folder / "link", folder / "pipe"
    target.write_text("old")
    target.chmod(0o664)
    link.symlink_to("target")
    os.mkfifo(pipe)
    assert cards.run(verb, *to, link).code == 0
    assert (link.is_symlink(), target.stat().st_mode & 0o777) == (True, 0o664)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text("utf-8")))
    reader.start()
    assert cards.run(verb, *to, pipe).code == 0
    reader.join()
    (piped,), printed = heard, cards.run(verb, *to, "/dev/stdout", plain=True).out
    assert _NONCE.sub("", piped) == _NONCE.sub("", printed) == _NONCE.sub("", target.read_text("utf-8"))
    assert cards.run(verb, *to, "/dev/null").code == 0
    for place in ("/dev/full", "nowhere/x", ".", "", "x" * 300, "loop"):
        (folder / "loop").unlink(missing_ok=True)
        (folder / "loop").symlink_to("loop")
        ended = cards.run(verb, *to, place)
        assert (ended.code, bool(ended.error["hint"])) == (2, True), place
    assert _NONCE.sub("", target.read_text("utf-8")) == _NONCE.sub("", piped)


def test_a_backup_never_goes_over_a_file(cards: Rehearsed) -> None:
    """Nor through a link; then nothing is removed."""
    cards.write(("a", "c"))
    victim = cards.program.folder / "victim"
    victim.write_text("precious")
    (cards.program.folder / "link").symlink_to("victim")
    for place in ("victim", "link", "nowhere/x", "/dev/null"):
        assert cards.run("prune", "--yes", "--backup", place).code == 2
    assert (victim.read_text(), cards.texts()) == ("precious", TEXTS)


def test_text_that_looks_like_a_formula_goes_through_a_spreadsheet_and_back(cards: Rehearsed) -> None:
    """It is no formula there, and the very text here."""
    odd = {"a": "=1+1 ist zwei, „so“.", "b": "'-5 Grad, brrr.", "c": "@alle: \ufeffkommt her\n+ bringt Kuchen."}
    cards.fill(odd)
    file = cards.sheet()
    assert {row["text"][0] for row in _rows(file)} == {"'"}
    assert cards.run("import", file).document["imported"] == []
    _save(file, [{**row, "text": row["text"] + " Ja."} for row in _rows(file)])
    assert cards.run("import", file).code == 0
    assert cards.texts() == {key: f"{text} Ja." for key, text in odd.items()}
