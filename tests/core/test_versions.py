"""What identifies a stored text, the form in which keys come back, and numbers that keep their digits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from seed_library.adapters.key_forms import comes_back
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.exact_json import dumps, loads
from seed_library.core.records import RecordFault
from seed_library.core.row_files import FileRow, backup_records, row_of_backup
from seed_library.core.versions import version_of
from seed_library.ports import StoredText

_VERSION = version_of("T", "text", {})


def test_a_version_depends_on_everything_that_would_be_written_over() -> None:
    """And on nothing else: not on the order of the columns."""
    same = version_of("T", "text", {"a": "1", "b": "2"})
    assert same == version_of("T", "text", {"b": "2", "a": "1"})
    others = [
        version_of("t", "text", {"a": "1", "b": "2"}),
        version_of("T", "text ", {"a": "1", "b": "2"}),
        version_of("T", "text", {"a": "2", "b": "1"}),
        version_of("T", "text", {}),
        version_of("", "T", {"a": "text"}),
    ]
    assert len({same, *others}) == 6
    assert version_of("", "half of a pair \ud83d", {}) != version_of("", "", {})


@pytest.mark.parametrize(
    ("provenance", "touched"),
    [(None, False), ({}, False), ({"version": version_of("T", "text", {})}, False), ({"version": "0" * 24}, True)],
)
def test_a_text_that_is_not_what_was_stored_has_been_touched(provenance: dict[str, str] | None, touched: bool) -> None:
    """Where nobody has noted what was stored, nothing is known."""
    assert StoredText(ItemId("c", "k", "l"), "T", "text", provenance).touched is touched


@pytest.mark.parametrize(
    ("kind", "key", "right"),
    [
        *(("text", key, True) for key in ("", " a ", "007")),
        *(("character varying(9)", key, True) for key in ("a", "A")),
        *(("character(4)", key, right) for key, right in (("a", True), ("a ", False), (" a", True))),
        *(("integer", key, right) for key, right in (("0", True), ("-7", True), ("007", False), ("+7", False))),
        *(("bigint", key, right) for key, right in (("-0", False), ("7.0", False), ("a", False), ("٣", False))),
        ("uuid", "0b1e5f2c-0000-4000-8000-00000000000a", True),
        ("uuid", "0B1E5F2C-0000-4000-8000-00000000000A", False),
        ("uuid", "0b1e5f2c000040008000000000000000", False),
        *(("boolean", key, right) for key, right in (("true", True), ("t", False), ("TRUE", False))),
        *((kind, "1.0", None) for kind in ("numeric", "date", "public.mood", "jsonb")),
    ],
)
def test_a_key_comes_back_as_its_column_spells_it(kind: str, key: str, right: bool | None) -> None:
    """None where the type does not say."""
    assert comes_back(kind, key) is right


@pytest.mark.parametrize(
    "text",
    ["12.50", "12345678901234567.8900", "1E+2", "9" * 5000, "1E+400", '{"a": [1, 0.10, null, true, "\\u00e9\\""]}'],
)
def test_numbers_keep_every_digit(text: str) -> None:
    """There and back."""
    assert loads(dumps(loads(text))) == loads(text)
    assert str(loads("12.50")) == "12.50" == dumps(Decimal("12.50"))


@pytest.mark.parametrize(
    "value",
    [
        b"\x00\xff",
        Decimal("1.50"),
        None,
        {"base": ["é"]},
        True,
        float("-inf"),
        {"base64": "no bytes"},
        {"number": "inf"},
        {"value": {"base64": "eA=="}},
        {},
    ],
)
def test_a_backup_gives_back_what_it_took(value: object) -> None:
    """Bytes, numbers, nulls and objects, those included that look like what stands for bytes."""
    row = {"category": "c", "key": " k\n", "locale": "l", "x": value}
    item = ItemId("c", " k\n", "l")
    (record,) = backup_records([(item, row)])
    assert row_of_backup(loads(dumps(record)), TableSpec()) == (item, row)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"category": "c", "key": None, "locale": "l", "row": {}},
        {"category": "c", "key": "k", "locale": "l", "row": "row"},
        {"category": "c", "key": "k", "locale": "l", "row": {"x": {"base64": "no bytes"}}},
        {"category": "c", "key": "k", "locale": "l", "row": {"x": {"number": []}}},
        {"category": "c", "key": "k", "locale": "l", "row": {"title": "T"}},
        {"category": "c", "key": "k", "locale": "l", "row": {"category": "c", "key": "\ud83d", "locale": "l"}},
    ],
)
def test_something_else_is_no_row_of_a_backup(fields: dict[str, object]) -> None:
    """Also a row without the columns that this table is known by."""
    with pytest.raises(RecordFault):
        row_of_backup(fields, TableSpec())


@pytest.mark.parametrize(
    ("version", "same"),
    [
        ("", False),
        ("0" * 24, False),
        (version_of("T", "text", {"teaser": ""}), True),
        (version_of("T", "text", {}), False),
    ],
)
def test_a_row_of_a_file_knows_whether_it_was_edited(version: str, same: bool) -> None:
    """An empty column of the file counts as the empty one that was exported."""
    row = FileRow(ItemId("c", "k", "l"), "T", "text", version=version)
    assert row.is_as_exported(TableSpec(generated=("teaser",)).generated) is same
