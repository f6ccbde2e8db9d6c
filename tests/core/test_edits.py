"""What counts as an edit, and when an import is doubted."""

from __future__ import annotations

import pytest

from seed_library.core.answers import Content
from seed_library.core.catalog import Item, ItemId
from seed_library.core.edits import Comparison, Edits, Present, doubts_about
from seed_library.core.records import RecordFault
from seed_library.core.row_files import FileRow
from seed_library.core.versions import version_of

TEXT = "A café,\nwith a line."


def _id(key: str) -> ItemId:
    return ItemId("card", key, "en")


def _stored(**texts: str) -> dict[ItemId, Present]:
    return {
        _id(key): Present("T", Content(text, {"teaser": f"See {key}"}), f"version of {key}")
        for key, text in texts.items()
    }


def _edits(stored: dict[ItemId, Present], *rows: FileRow, keys: str = "abcdefghij") -> Edits:
    items = {_id(key): Item(_id(key), "T", {}) for key in keys}
    return Comparison(items, stored, ("teaser",)).edits_in((f"line {n}", row) for n, row in enumerate(rows, start=2))


@pytest.mark.parametrize(
    ("text", "generated"),
    [
        (TEXT, {}),
        (TEXT.replace("\n", "\r\n"), {}),
        (TEXT.replace("\n", "\r") + "\r", {}),
        (TEXT.replace("é", "e\u0301"), {}),
        (TEXT + " \n", {"teaser": "See a\r\n"}),
        (TEXT.replace("\n", " \t\n"), {"teaser": "See a"}),
    ],
)
def test_what_only_programs_change_changes_nothing(text: str, generated: dict[str, str]) -> None:
    """Line ends, normal form, blanks at ends, in the text and beside it."""
    assert _edits(_stored(a=TEXT), FileRow(_id("a"), "T", text, generated=generated)).changed == []


@pytest.mark.parametrize("text", [TEXT.replace("é", "e"), " " + TEXT, TEXT.replace("\n", "\n\n"), TEXT.upper()])
def test_what_a_reader_sees_is_an_edit(text: str) -> None:
    """It is taken as it stands; only its line ends become those of the table."""
    (edit,) = _edits(_stored(a=TEXT), FileRow(_id("a"), "T", text.replace("\n", "\r\n"))).changed
    assert (edit.after.text, edit.over, edit.conflicts) == (text, "version of a", False)


def test_line_ends_that_are_stored_are_kept() -> None:
    """Somebody may have wanted them."""
    (edit,) = _edits(_stored(a="one\r\ntwo"), FileRow(_id("a"), "T", "one\r\nthree")).changed
    assert edit.after.text == "one\r\nthree"


def test_an_edit_of_a_column_beside_the_text_is_one() -> None:
    """An empty cell leaves it as it is."""
    row = FileRow(_id("a"), "T", TEXT, generated={"teaser": "Look"})
    assert [edit.after.columns for edit in _edits(_stored(a=TEXT), row).changed] == [{"teaser": "Look"}]


def test_an_edit_over_an_older_text_is_a_conflict_and_one_that_was_not_made_is_none() -> None:
    """The version in the file says what it was written over."""
    exported = version_of("T", TEXT, {"teaser": ""})
    untouched = FileRow(_id("a"), "T", TEXT.replace("\n", "\r\n"), version=exported)
    edited = FileRow(_id("b"), "T", TEXT + " More.", version=exported)
    (edit,) = _edits(_stored(a="Newer.", b="Newer, too."), untouched, edited).changed
    assert (edit.item.id, edit.conflicts) == (_id("b"), True)


@pytest.mark.parametrize("key", ["caf\u00e9 x", "cafe\u0301 x", " caf\u00e9 x", "caf\u00e9  x", "caf\u00e9\u200b x"])
def test_a_key_is_found_by_what_can_be_seen_of_it(key: str) -> None:
    """A spreadsheet may have changed the rest."""
    item = Item(_id("caf\u00e9 x"), "T", {})
    edits = Comparison({item.id: item}, {}, ()).edits_in([("line 2", FileRow(_id(key), "T", TEXT))])
    assert [edit.item for edit in edits.changed] == [item]


def test_a_key_that_may_be_two_is_none() -> None:
    """Nobody guesses; one that is there exactly is that one."""
    items = {_id(key): Item(_id(key), "T", {}) for key in ("a b", "a  b")}
    with pytest.raises(RecordFault, match="does not have: line 2: card/a   b/en"):
        Comparison(items, {}, ()).edits_in([("line 2", FileRow(_id("a   b"), "T", TEXT))])
    (edit,) = Comparison(items, {}, ()).edits_in([("line 2", FileRow(_id("a  b"), "T", TEXT))]).changed
    assert edit.item.id.key == "a  b"


def test_rows_without_an_item_are_named_together() -> None:
    """Ten of them, with their lines."""
    with pytest.raises(RecordFault, match=r"line 2: card/z0/en; line 3: .* and 2 more"):
        _edits({}, *(FileRow(_id(f"z{number}"), "T", TEXT) for number in range(12)))


@pytest.mark.parametrize("second", ["a", " a"])
def test_an_item_that_is_named_twice_is_named_with_both_lines(second: str) -> None:
    """Also by two spellings of its key."""
    with pytest.raises(RecordFault, match="line 3: names card/a/en, as line 2 does"):
        _edits({}, FileRow(_id("a"), "T", TEXT), FileRow(_id(second), "T", TEXT))


def test_a_file_without_rows_is_said() -> None:
    """Nobody imports nothing on purpose."""
    with pytest.raises(RecordFault, match="it holds no rows"):
        _edits({})


@pytest.mark.parametrize(
    ("title", "named"), [("T", 0), ("", 0), (" T\r\n", 0), ("Theirs", 1)], ids=["same", "none", "blanks", "edited"]
)
def test_an_edited_title_is_named(title: str, named: int) -> None:
    """Titles are the catalog's, and would be lost without a word."""
    edits = _edits(_stored(a=TEXT), FileRow(_id("a"), title, TEXT))
    assert (len(edits.titles), edits.changed) == (named, [])


def _doubts(stored: dict[str, str], new: dict[str, str]) -> list[str]:
    present = _stored(**stored)
    return list(doubts_about(_edits(present, *(FileRow(_id(key), "T", text) for key, text in new.items())), present))


TEN = {key: f"Text of {key}." for key in "abcdefghij"}


@pytest.mark.parametrize(
    ("new", "doubted"),
    [
        ({key: f"{text}!" for key, text in TEN.items()}, True),
        ({**{key: f"{text}!" for key, text in TEN.items()}, "a": TEN["a"]}, True),
        ({**{key: f"{text}!" for key, text in TEN.items()}, "a": TEN["a"], "b": TEN["b"]}, False),
        ({key: f"{TEN[key]}!" for key in "abcde"}, True),
        ({key: f"{TEN[key]}!" for key in "abcd"}, False),
        (TEN, False),
    ],
    ids=["all", "nearly all", "most", "a sheet of edits", "a short one", "none"],
)
def test_an_import_that_replaces_nearly_everything_is_doubted(new: dict[str, str], doubted: bool) -> None:
    """Of the rows that the file has; a handful of edits is an editor's day."""
    assert bool(_doubts(TEN, new)) is doubted


@pytest.mark.parametrize(
    ("order", "doubted"),
    [("bcaefghij", True), ("bacdefghij", False), ("jihgfedcba", True)],
    ids=["three moved", "two changed places", "the other way round"],
)
def test_texts_that_went_to_other_rows_are_doubted(order: str, doubted: bool) -> None:
    """As when somebody sorts one column of a sheet."""
    new = {key: TEN[other] for key, other in zip(TEN, order, strict=False)}
    assert any("another item" in doubt for doubt in _doubts(TEN, new)) is doubted


def test_texts_that_are_not_stored_yet_are_no_ground_for_doubt() -> None:
    """A first import has nothing to compare with."""
    assert _doubts({}, TEN) == []
