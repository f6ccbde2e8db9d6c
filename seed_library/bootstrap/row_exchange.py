"""Rows on their way out of the target and back in: export, backup, import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from seed_library.adapters.destinations import write_new
from seed_library.bootstrap.preparing import Prepared
from seed_library.bootstrap.working import items_by_id, stored_texts
from seed_library.core.answers import Content, judged_alone
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.drafts import Finding
from seed_library.core.errors import UsageInvalid
from seed_library.core.row_files import (
    FileRow,
    RowFileFault,
    as_backup,
    as_csv,
    as_jsonl,
    as_sql,
    read_backup,
    read_csv,
    read_jsonl,
)
from seed_library.engine.row_works import HumanText
from seed_library.ports import StoredText, WholeRow

_BYTE_ORDER_MARK = "\ufeff"
_MOST_NAMED = 10


def exported_lines(texts: Sequence[StoredText], kind: str, table: TableSpec) -> Iterator[str]:
    """Yield the lines of an export."""
    rows = [FileRow(text.id, text.title, text.text, text.provenance, text.generated, text.version) for text in texts]
    if kind == "csv":
        return as_csv(rows, table)
    return as_sql(rows, table) if kind == "sql" else as_jsonl(rows)


def for_spreadsheets(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a sheet with the mark in front by which spreadsheets know UTF-8."""
    return chain([_BYTE_ORDER_MARK], lines)


def backup_rows(prepared: Prepared, rows: Sequence[WholeRow], path: Path | None) -> Path:
    """Write rows with all their columns to a file before they are removed, and return where it is.

    Raises:
        UsageInvalid: it cannot be written, or there is a file of that name.
    """
    if path is None:
        folder = prepared.known_folder
        folder.create()
        path = folder.path / f"pruned-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl"
    write_new(path, as_backup((row.id, row.columns) for row in rows))
    return path


def backed_up(path: Path) -> list[WholeRow]:
    """Read the rows of a backup.

    Raises:
        UsageInvalid: the file cannot be read, or is none.
    """
    try:
        rows = [WholeRow(*pair) for pair in read_backup(path.read_bytes().decode("utf-8-sig"))]
    except (OSError, UnicodeDecodeError, RowFileFault) as error:
        raise UsageInvalid(
            f"{path}: {error}", hint="It must be a backup, as `prune` writes it. Nothing was stored."
        ) from None
    if len({row.id for row in rows}) != len(rows):
        raise UsageInvalid(f"{path} names a row twice.", hint="Nothing was stored.")
    return rows


def changed_texts(prepared: Prepared, path: Path) -> tuple[list[HumanText], list[tuple[ItemId, Finding]]]:
    """Read a file of rows; return those that were edited, and what the gates have against them.

    What is as it was exported has not been edited, whatever the table holds by now. Gates only speak up here: a
    person's text is stored whatever they say.

    Raises:
        UsageInvalid: the file cannot be read, or names items that the catalog does not have; nothing was stored.
    """
    items = items_by_id(prepared)
    rows = _rows_in(path, prepared.catalog.table)
    if unknown := [f"line {number}: {row.id}" for number, row in rows if row.id not in items]:
        raise UsageInvalid(
            f"{path} names items that the catalog {prepared.catalog.name!r} does not have: "
            + "; ".join(unknown[:_MOST_NAMED]),
            hint="Nothing was stored. `seed-library plan` lists the items.",
        )
    if len({row.id for _, row in rows}) != len(rows):
        raise UsageInvalid(f"{path} names an item twice.", hint="Nothing was stored.")
    stored = {text.id: text for text in stored_texts(prepared, prepared.catalog.locales)}
    generated = prepared.catalog.table.generated
    changed = [
        HumanText(items[row.id], Content(row.text, row.generated), row.version or _version_of(stored.get(row.id)))
        for _, row in rows
        if not row.is_as_exported(generated) and _differs(row, stored.get(row.id))
    ]
    spec = prepared.catalog.request
    findings = [
        (one.item.id, finding)
        for one in changed
        for finding in judged_alone(one.content, spec, prepared.catalog.rules_of(one.item.id), one.item)
    ]
    return changed, findings


def _version_of(text: StoredText | None) -> str:
    return text.version if text is not None else ""


def _differs(row: FileRow, stored: StoredText | None) -> bool:
    if stored is None or row.text != stored.text:
        return True
    return any(value != stored.generated.get(name) for name, value in row.generated.items())


def _rows_in(path: Path, table: TableSpec) -> list[tuple[int, FileRow]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        read = read_csv if path.suffix.lower() == ".csv" else read_jsonl
        return list(read(text, table))
    except (OSError, UnicodeDecodeError) as error:
        fault = str(error)
    except RowFileFault as error:
        fault = str(error)
    raise UsageInvalid(f"{path}: {fault}", hint="It must be jsonl or csv, as `export` writes it. Nothing was stored.")
