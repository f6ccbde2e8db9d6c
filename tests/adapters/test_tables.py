"""Files of records, as programs and people save them: read as they are meant, or refused with the line."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.adapters.tables import csv_lines, json_lines, open_table, unshielded
from seed_library.core.records import Headings, Record, RecordFault

HEADINGS = Headings(("key", "title", "text"), [("key", "slug")])
PERHAPS = "in Windows-1252 (cp1252) it reads"
COLUMNS = ("key", "title", "text")
ROW = {"key": "löwe", "title": "Löwe, groß", "text": 'Er sagt: "Ja"\nund „→“.'}
# What a table can hold, in cells that are not all empty.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


def _read(data: bytes, path: Path, encoding: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    path.write_bytes(data)
    with open_table(path, HEADINGS, encoding) as table:
        return [(record.where, record.cells) for record in table.records]


def _rows(data: bytes, path: Path, encoding: str = "") -> list[Mapping[str, Any]]:
    return [cells for _, cells in _read(data, path, encoding)]


def _fault(data: bytes, path: Path) -> str:
    with pytest.raises(RecordFault) as caught:
        _read(data, path)
    return str(caught.value)


@settings(deadline=None)
@given(texts=st.lists(TEXTS, min_size=3, max_size=3))
def test_any_text_survives_both_formats(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Quotes, line ends of every kind, formulas, apostrophes, marks of a byte order, invisible characters."""
    row = dict(zip(COLUMNS, texts, strict=True))
    folder = tmp_path_factory.mktemp("tables")
    assert _rows("".join(json_lines([row])).encode(), folder / "x.jsonl") == [row]
    (read,) = _read("".join(csv_lines(COLUMNS, [row])).encode(), folder / "x.csv")
    assert unshielded(Record(read[0], dict(read[1]))).cells == row


@pytest.mark.parametrize(
    "text", ["=1+1", "+49", "-5", "@home", "'=1", "''=1", "\tx", "\nx", "\rx", "\uff1d1+1", "\uff20x", "''''-"]
)
def test_no_cell_is_a_formula_to_a_spreadsheet(text: str) -> None:
    """An apostrophe stands before it; one that was there already stays."""
    lines = "".join(csv_lines(["text"], [{"text": text}]))
    ((_, (cell,)),) = list(enumerate(list(csv.reader(io.StringIO(lines, newline="")))[1:]))
    assert cell == f"'{text}"
    assert unshielded(Record("", {"text": cell})).cells == {"text": text}


@pytest.mark.parametrize("text", ["'", "'tis", "a=b", " =1", "1-2", ""])
def test_other_cells_are_written_as_they_are(text: str) -> None:
    """An apostrophe alone shields nothing."""
    assert "".join(csv_lines(["text"], [{"text": text}])).splitlines()[1:] == [text or '""']
    assert unshielded(Record("", {"text": text})).cells == {"text": text}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_sheet_is_read_however_it_was_saved(tmp_path: Path, encoding: str, separator: str, line_end: str) -> None:
    """Every mark of a byte order, and none; every separator; every line end; a line end in a cell stays what it is."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=line_end).writerows([COLUMNS, ROW.values()])
    assert _rows(out.getvalue().encode(encoding), tmp_path / "x.csv") == [ROW]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;", "sep=; "])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_first_line_may_name_the_separator(tmp_path: Path, first: str, mark: str) -> None:
    """As spreadsheets write it; lines are counted as an editor counts them."""
    data = f"{mark}{first}\r\nkey;title,text;text\r\na;x,y;z\r\n".encode()
    assert _read(data, tmp_path / "x.csv") == [("line 3", {"key": "a", "title,text": "x,y", "text": "z"})]


def test_an_unusual_separator_may_be_named_too(tmp_path: Path) -> None:
    """Nothing has to be guessed then."""
    assert _rows(b"sep=:\nkey:title\na:b", tmp_path / "x.csv") == [{"key": "a", "title": "b"}]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("Key, title ,TEXT\na,b,c\n", [{"key": "a", "title": "b", "text": "c"}]),
        ("key,Sign\na,b\n", [{"key": "a", "Sign": "b"}]),
        ("\n\n , \nkey,title\n\n,\n  ,\t\na,b\n,,\n"[:-4], [{"key": "a", "title": "b"}]),
        ("key,title,,\na,b,,\n,,,\n", [{"key": "a", "title": "b"}]),
        ('"key","ti\ntle"\na,b\n', [{"key": "a", "ti\ntle": "b"}]),
        ("key\na\nb", [{"key": "a"}, {"key": "b"}]),
        ("slug;title\na;b,c\n", [{"slug": "a", "title": "b,c"}]),
        (
            "key,title\r\na,b\rc,d\ne,f",
            [{"key": "a", "title": "b"}, {"key": "c", "title": "d"}, {"key": "e", "title": "f"}],
        ),
        ("key,title\n", []),
        ("", []),
        ("\ufeff", []),
        (" \r\n", []),
    ],
)
def test_what_is_beside_the_point_of_a_sheet_does_no_harm(
    tmp_path: Path, data: str, rows: list[dict[str, str]]
) -> None:
    """Case and blanks of a heading, rows and columns without a text, line ends of several kinds."""
    assert _rows(data.encode(), tmp_path / "x.csv") == rows


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("key,title,title\na,b,c", "line 1: 'title' is there twice"),
        ("key,title, Title\na,b,c", "line 1: 'title' is there twice"),
        ("\n\nkey,sign,Sign\na,b,c", "line 3: 'sign' is there twice, once as 'Sign'"),
        (
            "key,title\na,b\nc,d,e",
            "line 3: the number of fields differs from the heading's (3 instead of 2, separated by commas)",
        ),
        (
            "key;title\na;b\nc;d;",
            "line 3: the number of fields differs from the heading's (3 instead of 2, separated by semi",
        ),
        (
            "key\ttitle\na",
            "line 2: the number of fields differs from the heading's (1 instead of 2, separated by tabs)",
        ),
        ('key,title\n"a\nb",c\nd', "line 4 (row 3): the number of fields differs"),
        ("key,title,\na,b,lost", "line 2: a text stands in column 3, which has no heading"),
        ('key,title\na,"b" c', "line 2: not CSV: "),
        ('key,title\na,b\nc,"d\ne,f\n', "line 3: not CSV: a quote is never closed"),
        ("id,name\na,b", "line 1: the heading lacks 'key' or 'slug'; separated by commas it holds 'id', 'name'"),
        (
            "schlüssel|name\na|b",
            "line 1: the heading lacks 'key' or 'slug'; separated by bars it holds 'schlüssel', 'name'",
        ),
    ],
)
def test_a_sheet_that_would_lose_something_is_refused(tmp_path: Path, data: str, fault: str) -> None:
    """With the line, what was read, and how it was separated."""
    assert _fault(data.encode(), tmp_path / "x.csv").startswith(fault)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("key,title\na,b\nc,Löwe und so".encode("cp1252"), f"line 3: not UTF-8 (byte 0xf6); {PERHAPS} 'Löwe'"),
        (b"key,title\r\rb,\x80 5\r", f"line 3: not UTF-8 (byte 0x80); {PERHAPS} '€'"),
        (b"key,title\n" + b"a,b\n" * 9000 + b"a,b\xff", "line 9002: not UTF-8"),
        ("\ufeffkey,title\na,b".encode("utf-16-le") + b"\x00", "line 2: not UTF-16"),
        (b"key\n\xed\xa0\x80", "line 2: not UTF-8"),
        (b"PK\x03\x04rest", "this is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an old workbook"),
        (b"\x1f\x8b\x08rest", "this is compressed"),
    ],
)
def test_an_encoding_that_is_not_ours_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    """And how the word reads in the one that spreadsheets write most; what is no text at all is named as well."""
    assert _fault(data, tmp_path / "x.csv").startswith(said)


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp1250", "cp850", "iso-8859-15"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_another_encoding_is_read_when_it_is_named(tmp_path: Path, encoding: str, name: str) -> None:
    """Nobody has to guess it; a mark of a byte order knows better."""
    row = {"key": "a", "title": "Löwe", "text": "größer"}
    text = "".join(csv_lines(COLUMNS, [row]) if name == "x.csv" else json_lines([row]))
    assert _rows(text.encode(encoding), tmp_path / name, encoding) == [row]
    assert _rows(text.encode("utf-8-sig"), tmp_path / name, encoding) == [row]


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ('{"key": "a"}\n\n{"Key": "b"}', [("line 1", "a"), ("line 3", "b")]),
        ('{"key": "a"}\r{"key": "b"}\r\n', [("line 1", "a"), ("line 2", "b")]),
        ('{"key": "\u2028\u0085\x1c"}', None),
        ('[{"key": "a"},\n\n {"key": "b"} ]\n', [("line 1", "a"), ("line 3", "b")]),
        ('\n[\n{\n"key":\n"a"\n}\n,{"key": "b"}]', [("line 3", "a"), ("line 7", "b")]),
        (" [ ] ", []),
        ("", []),
        ('[{"key": "a", "text": [{"x": "]"}, "\\"}"]}]', [("line 1", "a")]),
    ],
)
def test_objects_are_read_line_by_line_or_as_a_list(
    tmp_path: Path, data: str, places: list[tuple[str, str]] | None
) -> None:
    """Only real line ends divide them; a list may be written over as many lines as one likes."""
    if places is None:
        assert "not JSON" in _fault(data.encode(), tmp_path / "x.jsonl")
        return
    for name in ("x.jsonl", "x.json", "x.ndjson", "x"):
        if name != "x" or data.strip():
            assert [(where, cells["key"]) for where, cells in _read(data.encode(), tmp_path / name)] == places


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("data", ['{"key": "löwe"}\r\n{"key": "→"}', '[{"key": "löwe"},\n{"key": "→"}]'])
def test_objects_are_read_in_every_encoding_that_says_itself(tmp_path: Path, data: str, encoding: str) -> None:
    """As sheets are."""
    assert _rows(data.encode(encoding), tmp_path / "x.jsonl") == [{"key": "löwe"}, {"key": "→"}]


@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ('{"key": "a", "title": "R", "title": "W"}', "'title' is there twice"),
        ('{"key": "a", "Title": "R", "title": "W"}', "'Title' is there twice|'title' is there twice"),
        ('{"key": "a", "facts": [{"x": 1, "x": 1}]}', "'x' is there twice"),
        ('{"key": "a", "x": NaN}', "NaN is no number of JSON"),
        ('{"key": "a", "x": [-Infinity]}', "-Infinity is no number of JSON"),
        ('{"key": "a", "x": 1e400}', "the number 1e400 is too large"),
        ('{"key": "a", "x": ' + "7" * 5000 + "}", "a number of 5,000 digits is too large"),
        ('{"key": "a", "x": ' + "[" * 70 + "]" * 70 + "}", "nested too deeply"),
        ('{"key": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"key": "a"} {"key": "b"}', "not JSON|"),
        ('{"key": "a",}', "not JSON"),
        ("{'key': 'a'}", "not JSON"),
        ('{"key": "a\tb"}', "not JSON"),
        ('["key"]', "not a JSON object"),
        ('"key"', "not a JSON object"),
        ('{"key": "a"', "not JSON"),
    ],
)
def test_what_json_leaves_open_is_refused(tmp_path: Path, item: str, fault: str, line: int) -> None:
    """In lines and in a list, with the line; nothing wins silently."""
    before = '{"key": "before"}\n' * (line - 1)
    if item != '["key"]' or line > 1:
        assert _fault((before + item).encode(), tmp_path / "x.jsonl").startswith(f"line {line}: ")
        assert any(part in _fault((before + item).encode(), tmp_path / "x.jsonl") for part in fault.split("|"))
    before = '{"key": "before"},\n' * (line - 1)
    assert _fault(f"[{before}{item}]".encode(), tmp_path / "x.json").startswith(f"line {line}: ")


@pytest.mark.parametrize("data", ['[{"key": "a"}] x', '[{"key": "a"}, ]', '[{"key": "a"}', "[", '[{"key": "a"}]]'])
def test_a_list_ends_where_the_file_ends(tmp_path: Path, data: str) -> None:
    """A torn one, and one with something behind it, are named."""
    assert _fault(data.encode(), tmp_path / "x.json").startswith("line 1: ")


def test_a_cell_may_be_as_large_as_a_book(tmp_path: Path) -> None:
    """Ten million characters, in every format; where a list is read in pieces, too."""
    row = {"key": "a", "title": "T", "text": "Word \n" * 1_700_000}
    assert _rows("".join(csv_lines(COLUMNS, [row])).encode(), tmp_path / "x.csv") == [row]
    assert _rows("".join(json_lines([row])).encode(), tmp_path / "x.jsonl") == [row]
    assert _rows(f'[{"".join(json_lines([row]))}, {{"key": "b"}}]'.encode(), tmp_path / "x.json") == [row, {"key": "b"}]


def test_a_quote_that_swallows_the_rest_of_a_large_file_is_named(tmp_path: Path) -> None:
    """With the line where it begins, long before memory ends."""
    data = b'key,title\na,"b\n' + b"c,d\n" * 17_000_000
    assert _fault(data, tmp_path / "x.csv").startswith("line 2: not CSV: a cell has more than 67,108,864 characters")


def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    """A hundred megabytes of rows take a fraction of that."""
    import tracemalloc

    path = tmp_path / "x.json"
    with path.open("w") as file:
        file.write("[")
        file.writelines(f'{{"key": "{number}", "text": "{"x" * 1000}"}},\n' for number in range(30_000))
        file.write('{"key": "last"}]')
    tracemalloc.start()
    with open_table(path, HEADINGS) as table:
        count = sum(1 for _ in table.records)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, path.stat().st_size > 30_000_000, peak < 5_000_000) == (30_001, True, True), peak


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    """What it holds says which format it is."""
    for data, expected in (("key;title\na;b", {"key": "a", "title": "b"}), ('{"key": "a"}', {"key": "a"})):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        thread = threading.Thread(target=path.write_text, args=(data,))
        thread.start()
        with open_table(path, HEADINGS) as table:
            assert [record.cells for record in table.records] == [expected]
        thread.join()
        path.unlink()


@pytest.mark.parametrize("place", [".", "missing.csv", "/dev/null", "/dev/zero"])
def test_what_is_no_file_is_refused(tmp_path: Path, place: str) -> None:
    """A folder, nothing, a device without an end."""
    with pytest.raises((OSError, RecordFault)), open_table(tmp_path / place, HEADINGS) as table:
        list(table.records)
