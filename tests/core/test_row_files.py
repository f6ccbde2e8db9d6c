"""What the records of a file mean as rows, and what an SQL export holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.records import Record, RecordFault
from seed_library.core.row_files import FileRow, RowReader, as_sql, records_of
from seed_library.core.versions import version_of

ITEM = ItemId("signs", "dawn", "de")
TABLE = TableSpec(generated=("teaser",))
GOOD = {"category": "signs", "key": "dawn", "locale": "de", "text": "A text."}


def _row(cells: Mapping[str, Any], table: TableSpec = TABLE) -> FileRow:
    return RowReader(table).row(Record("line 7", dict(cells)))


def test_what_is_written_is_read_again() -> None:
    """Title, text, generated columns and the version; provenance is shown and never read."""
    row = FileRow(ITEM, "T", "A text.", {"writer": "claude"}, {"teaser": "Read."}, "0" * 24)
    (record,) = records_of([row], TABLE)
    assert _row(record) == FileRow(ITEM, "T", "A text.", None, {"teaser": "Read."}, "0" * 24)


def test_sql_doubles_quotes_and_names_every_column() -> None:
    """Generated and constant ones too; nothing of a text can end its literal."""
    table = TableSpec(name='ta"ble', text="body", constants={"app": "it's"}, generated=("teaser",))
    row = FileRow(ITEM, "T", "Robert'); drop table students;--", generated={"teaser": "Bob's"})
    sql = "".join(as_sql([row], table))
    assert "'Robert''); drop table students;--', 'Bob''s', 'it''s')" in sql
    assert 'insert into "public"."ta""ble" ("category", "key", "locale", "title", "body", "teaser", "app")' in sql
    assert 'on conflict ("category", "key", "locale") do update set "title" = excluded."title"' in sql
    assert sql.startswith("set standard_conforming_strings = on;")


OWN = TableSpec(category="kind", key="slug", locale="lang", title="headline", text="body")
CROSSED = TableSpec(title="headline", text="title")


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        (OWN, {"kind": "signs", "slug": "dawn", "lang": "de", "headline": "T", "body": "A text."}),
        (OWN, {**GOOD, "title": "T"}),
        (OWN, {"category": "signs", "slug": "dawn", "locale": "de", "headline": "T", "text": "A text."}),
        (CROSSED, {"category": "signs", "key": "dawn", "locale": "de", "headline": "T", "title": "A text."}),
        (CROSSED, {**GOOD, "title": "T"}),
    ],
)
def test_a_file_may_name_columns_as_the_table_does(table: TableSpec, cells: dict[str, str]) -> None:
    """Or as an export does, or partly so; a name that means two things is read by the others beside it."""
    assert _row(cells, table) == FileRow(ITEM, "T", "A text.")


@pytest.mark.parametrize(
    ("table", "more", "ignored"),
    [
        (TABLE, {"notes": "x", "id": 7}, ["notes", "id"]),
        (TABLE, {"provenance": {}, "updated_at": "now", "teaser": "x", "version": None}, []),
        (TableSpec(constants={"app": "x"}), {"app": "y", "App": "z"}, ["App"]),
        (OWN, {"description": "x"}, ["description"]),
    ],
)
def test_what_no_import_stores_is_named(table: TableSpec, more: dict[str, Any], ignored: list[str]) -> None:
    """But for what an export of this table holds besides."""
    reader = RowReader(table)
    reader.row(Record("line 2", {**GOOD, **more}))
    assert list(reader.ignored) == ignored


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"key": "a"}, "category, locale, text missing or empty"),
        ({**GOOD, "text": " \n"}, "text missing or empty"),
        ({**ITEM._asdict(), "row": {"description": "A text."}}, "text missing or empty; .* --restore takes"),
        ({**GOOD, "key": 7}, "'key' is 7, no text"),
        ({**GOOD, "locale": True}, "'locale' is True, no text"),
        ({**GOOD, "text": ["A text."]}, "'text' is "),
        ({**GOOD, "teaser": 1.5}, "'teaser' is 1.5, no text"),
        ({**GOOD, "text": "a\0b"}, "holds a NUL"),
        ({**GOOD, "teaser": "\ud83d"}, "holds a NUL or half of a surrogate pair"),
        ({**GOOD, "description": "Another text."}, "'text' and 'description' are the same column"),
    ],
)
def test_a_record_that_is_no_row_is_named(cells: dict[str, Any], fault: str) -> None:
    """With its place and what is wrong."""
    with pytest.raises(RecordFault, match=f"line 7: {fault}"):
        _row(cells)


@pytest.mark.parametrize(
    "saved", ["One line\r\nand one\r\n", "One line \nand one\t", "One line\rand one", "One line\nand one\u00a0\n\n"]
)
def test_what_a_program_changes_while_it_saves_is_no_edit(saved: str) -> None:
    """Line ends and blanks at ends, also in the columns beside; the version is that of the text as it was exported."""
    version = version_of("T", "One line\nand one", {"teaser": "Café"})
    row = FileRow(ITEM, "T", saved, generated={"teaser": "Cafe\u0301"}, version=version)
    assert row.is_as_exported(TABLE.generated)
    assert not FileRow(ITEM, "T", saved.replace("One", "on"), version=version).is_as_exported(TABLE.generated)
