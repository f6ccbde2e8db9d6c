"""Rows on their way back in: what a file of people's texts would change, and what a backup would put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seed_library.adapters.mojibake import mark_of_wrong_decoding
from seed_library.adapters.tables import open_table, read_exact_lines, unshielded
from seed_library.bootstrap.preparing import Prepared
from seed_library.bootstrap.working import items_by_id, stored_texts
from seed_library.core.answers import Content, judged_alone
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.drafts import Finding
from seed_library.core.edits import Comparison, Edit, Edits, Present, doubts_about
from seed_library.core.errors import UsageInvalid
from seed_library.core.records import RecordFault
from seed_library.core.row_files import RowReader, row_of_backup
from seed_library.engine.row_works import HumanText
from seed_library.ports import WholeRow

_MOST_NAMED = 10
_UNCHANGED = "Nothing was stored."


@dataclass(frozen=True, slots=True)
class Import:
    """What a file would change.

    Attributes:
        findings: what the gates have against it. They only speak up: a person's text is stored whatever they say.
        notes: what the file holds that no import stores.
        doubts: why it may not be meant as it is; then it is stored only if somebody insists.
    """

    changed: Sequence[Edit]
    findings: Sequence[tuple[ItemId, Finding]]
    notes: Sequence[str]
    doubts: Sequence[str]

    @property
    def texts(self) -> list[HumanText]:
        """The edited texts, to be stored."""
        return [HumanText(edit.item, edit.after, edit.over) for edit in self.changed]


def read_import(prepared: Prepared, path: Path, encoding: str) -> Import:
    """Read a file of rows and compare it with what is stored. Nothing is changed.

    Raises:
        UsageInvalid: the file cannot be read, or names items that the catalog does not have.
        RunBlocked, StoreUnavailable: the target cannot be read.
    """
    _check_encoding(encoding)
    reader = RowReader(prepared.catalog.table)
    try:
        edits, stored = _compared(prepared, path, reader, encoding)
    except RecordFault as fault:
        hint = "It must be jsonl or csv, as `export` writes it, in UTF-8 or in the encoding that --encoding names."
        raise UsageInvalid(f"{path}: {fault}.", hint=f"{hint} {_UNCHANGED}") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    spec = prepared.catalog.request
    findings = [
        (edit.item.id, finding)
        for edit in edits.changed
        for finding in judged_alone(edit.after, spec, prepared.catalog.rules_of(edit.item.id), edit.item)
    ]
    return Import(edits.changed, findings, list(_notes(reader, edits)), [*_marks(edits), *doubts_about(edits, stored)])


def read_backup(prepared: Prepared, path: Path) -> list[WholeRow]:
    """Read the rows of a backup.

    Raises:
        UsageInvalid: the file cannot be read, or is none.
    """
    try:
        return _whole_rows(path, prepared.catalog.table)
    except RecordFault as fault:
        hint = f"It must be a backup, as `prune` writes it. {_UNCHANGED}"
        raise UsageInvalid(f"{path}: {fault}.", hint=hint) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding or "utf-8")
    except (LookupError, ValueError):
        raise UsageInvalid(
            f"There is no encoding {encoding!r}.",
            hint="Common ones: utf-8, utf-16, cp1252, cp1250, mac-roman, cp932.",
        ) from None


def _compared(
    prepared: Prepared, path: Path, reader: RowReader, encoding: str
) -> tuple[Edits, Mapping[ItemId, Present]]:
    with open_table(path, reader.headings, encoding) as table:
        stored = {
            text.id: Present(text.title, Content(text.text, text.generated), text.version)
            for text in stored_texts(prepared, prepared.catalog.locales)
        }
        records = map(unshielded, table.records) if table.is_sheet else table.records
        rows = ((record.where, reader.row(record)) for record in records)
        comparison = Comparison(items_by_id(prepared), stored, prepared.catalog.table.generated)
        return comparison.edits_in(rows), stored


def _notes(reader: RowReader, edits: Edits) -> Iterator[str]:
    """Yield a word about what stays out."""
    if reader.ignored:
        yield f"Not imported are the columns {', '.join(reader.ignored)}: only texts and generated columns are."
    if edits.titles:
        more = ", and more" if len(edits.titles) > _MOST_NAMED else ""
        named = "; ".join(edits.titles[:_MOST_NAMED])
        yield f"Not imported are titles, which are the catalog's: {named}{more}."


def _marks(edits: Edits) -> Iterator[str]:
    """Yield a word about the texts that look wrongly decoded."""
    marked = [(edit.item.id, mark) for edit in edits.changed if (mark := _mark_of(edit))]
    if marked:
        item, mark = marked[0]
        yield f"{len(marked)} of the texts look wrongly decoded, such as {item}: {mark!r}"


def _mark_of(edit: Edit) -> str:
    before = edit.before.content if edit.before else Content("")
    pairs = [
        (edit.after.text, before.text),
        *((value, before.columns.get(name, "")) for name, value in edit.after.columns.items()),
    ]
    return next((mark for after, stored in pairs if (mark := mark_of_wrong_decoding(after, stored))), "")


def _whole_rows(path: Path, table: TableSpec) -> list[WholeRow]:
    rows: dict[ItemId, WholeRow] = {}
    with read_exact_lines(path) as lines:
        for line, fields in lines:
            try:
                row = WholeRow(*row_of_backup(fields, table))
            except RecordFault as fault:
                raise RecordFault(f"line {line}: {fault}") from None
            if row.id in rows:
                raise RecordFault(f"line {line}: names {row.id} a second time")
            rows[row.id] = row
    if not rows:
        raise RecordFault("it holds no rows")
    return list(rows.values())


def _unreadable(path: Path, error: OSError) -> UsageInvalid:
    return UsageInvalid(f"{path} cannot be read ({error.strerror or error}).", hint=f"Name another file. {_UNCHANGED}")
