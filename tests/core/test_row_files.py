"""Rows as files survive the way there and back, and do no harm on it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.row_files import FileRow, RowFileFault, as_csv, as_jsonl, as_sql, read_csv, read_jsonl

ITEM = ItemId("signs", "dawn", "de")
TABLE = TableSpec(generated=("teaser",))
# What the table can hold; a carriage return is not kept by every CSV reader.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1).filter(str.strip)


@given(TEXTS)
def test_any_text_survives_both_formats(text: str) -> None:
    """Quotes, line breaks, formulas, apostrophes; in the text and in a column beside it."""
    row = FileRow(ITEM, "Title", text, generated={"teaser": text})
    assert [found for _, found in read_jsonl("".join(as_jsonl([row])), TABLE)] == [row]
    assert [found for _, found in read_csv("".join(as_csv([row], TABLE)), TABLE)] == [row]


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5", "@home", "'=1", "''=1", "\tx"])
def test_no_cell_is_a_formula_to_a_spreadsheet(text: str) -> None:
    """An apostrophe stands before it; one that was there already stays."""
    ((_, record),) = [*enumerate(csv.DictReader(io.StringIO("".join(as_csv([FileRow(ITEM, "T", text)], TABLE)))))]
    assert record["text"] == f"'{text}"


def test_sql_doubles_quotes_and_names_every_column() -> None:
    """Generated and constant ones too; nothing of a text can end its literal."""
    table = TableSpec(name='ta"ble', text="body", constants={"app": "it's"}, generated=("teaser",))
    row = FileRow(ITEM, "T", "Robert'); drop table students;--", generated={"teaser": "Bob's"})
    sql = "".join(as_sql([row], table))
    assert "'Robert''); drop table students;--', 'Bob''s', 'it''s')" in sql
    assert 'insert into "public"."ta""ble" ("category", "key", "locale", "title", "body", "teaser", "app")' in sql
    assert 'on conflict ("category", "key", "locale") do update set "title" = excluded."title"' in sql
    assert sql.startswith("set standard_conforming_strings = on;")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("no json", "line 1: not JSON"),
        ('{"key": "a"}\n', "line 1: category, locale, text missing or empty"),
        ("[1]", "line 1: not a JSON object"),
    ],
)
def test_a_line_that_is_no_row_is_named(text: str, fault: str) -> None:
    """With its number and what is missing."""
    with pytest.raises(RowFileFault, match=fault):
        list(read_jsonl(text, TABLE))


def test_a_table_without_the_columns_is_refused() -> None:
    """With the number of the line."""
    with pytest.raises(RowFileFault, match="line 2: category, locale, text missing"):
        list(read_csv("key,other\na,b\n", TABLE))
