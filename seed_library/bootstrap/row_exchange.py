"""Rows on their way out of the target: export, and the backup before they are removed. `importing` is the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from seed_library.adapters.destinations import write_new
from seed_library.adapters.tables import BYTE_ORDER_MARK, csv_lines, json_lines
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.catalog import TableSpec
from seed_library.core.row_files import FileRow, as_sql, backup_records, columns_of, records_of
from seed_library.ports import StoredText, WholeRow


def exported_lines(texts: Sequence[StoredText], kind: str, table: TableSpec) -> Iterator[str]:
    """Yield the lines of an export."""
    rows = [FileRow(text.id, text.title, text.text, text.provenance, text.generated, text.version) for text in texts]
    if kind == "csv":
        return csv_lines(columns_of(table), records_of(rows, table))
    return as_sql(rows, table) if kind == "sql" else json_lines(records_of(rows, table))


def for_spreadsheets(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a sheet with the mark in front by which spreadsheets know UTF-8."""
    return chain([BYTE_ORDER_MARK], lines)


def backup_rows(prepared: Prepared, rows: Sequence[WholeRow], path: Path | None) -> Path:
    """Write rows with all their columns to a file before they are removed, and return where it is.

    Raises:
        UsageInvalid: it cannot be written, or there is a file of that name.
    """
    if path is None:
        folder = prepared.known_folder
        folder.create()
        path = folder.path / f"pruned-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl"
    write_new(path, json_lines(backup_records((row.id, row.columns) for row in rows)))
    return path
