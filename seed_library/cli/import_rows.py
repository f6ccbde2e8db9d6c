"""`import`: texts that people have reviewed or edited, and rows that `prune` has removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.output import Content, as_content
from seed_library.cli.paths import file_path
from seed_library.cli.run import prepared_for, work_here
from seed_library.cli.wording import counted
from seed_library.core.errors import ExitCode, UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seed_library.bootstrap.importing import Import
    from seed_library.bootstrap.preparing import Flags, Prepared
    from seed_library.cli.output import Output
    from seed_library.core.answers import Content as Texts
    from seed_library.core.catalog import ItemId
    from seed_library.core.edits import Edit
    from seed_library.engine.row_works import Restore, WriteByHand

_DONE = {0, ExitCode.ITEMS_FAILED}


@click.command("import")
@click.argument("path", metavar="FILE", type=file_path)
@click.option("--restore", is_flag=True, help="Put back the rows of a backup of `prune`, with all their columns.")
@click.option("--dry-run", is_flag=True, help="Show what would change, before and after; change nothing.")
@click.option("--insist", is_flag=True, help="Store texts although they look as if a program had damaged them.")
@click.option("--encoding", default="", metavar="NAME", help="Of a file that is not in UTF-8, such as cp1252.")
@catalog_options
@global_options
def import_(flags: Flags, path: Path, **how: Any) -> int:
    """Store reviewed or edited texts; a run never replaces them."""
    from seed_library.settings import Needs

    if how["restore"] and (how["insist"] or how["encoding"]):
        raise UsageInvalid("--restore takes a backup as it is.", hint="Leave out --insist and --encoding.")
    prepared = prepared_for(flags, Needs(store=True))
    if how["restore"]:
        return _put_back(prepared, path, dry_run=how["dry_run"])
    return _bring_in(prepared, path, how)


def _bring_in(prepared: Prepared, path: Path, how: Mapping[str, Any]) -> int:
    """Store what was edited, or show it."""
    from seed_library.bootstrap.importing import read_import
    from seed_library.engine.row_works import WriteByHand

    output = invocation().output
    found = read_import(prepared, path, how["encoding"])
    for note in found.notes:
        output.narrate(note)
    for item, finding in found.findings:
        output.narrate(f"{finding.severity}: {item}: {finding.gate}: {finding.message} {finding.span}".rstrip())
    if how["dry_run"]:
        _show(output, found)
        return 0
    if found.doubts and not how["insist"]:
        raise UsageInvalid(
            f"{path} was not imported: {'; '.join(found.doubts)}.",
            hint="`import --dry-run` shows before and after. Mend the file, or store it as it is with --insist.",
        )
    code, done = _do(prepared, WriteByHand(found.texts)) if found.changed else (0, [])
    if code in _DONE:
        told = f"{counted(len(done), 'text')} stored as people's own; no run will replace them."
        _tell(output, {"imported": _listed(done), "notes": list(found.notes)}, told)
    return code


def _put_back(prepared: Prepared, path: Path, *, dry_run: bool) -> int:
    """Put the rows of a backup back, or show which are missing."""
    from seed_library.bootstrap.importing import read_backup
    from seed_library.bootstrap.working import rows_there
    from seed_library.engine.row_works import Restore

    output = invocation().output
    rows = read_backup(prepared, path)
    if dry_run:
        there = rows_there(prepared, [row.id for row in rows])
        gone = [row.id for row in rows if row.id not in there]
        lines = "".join(f"{item}\n" for item in gone)
        told = f"{lines}{counted(len(gone), 'row')} would be put back; {len(there):,} are there."
        _tell(output, {"missing": _listed(gone), "there": _listed(sorted(there))}, told)
        return 0
    code, done = _do(prepared, Restore(rows))
    if code in _DONE:
        _tell(output, {"restored": _listed(done)}, f"{counted(len(done), 'row')} put back as they were.")
    return code


def _do(prepared: Prepared, work: WriteByHand | Restore) -> tuple[int, Sequence[ItemId]]:
    return work_here(prepared, "import", work).exit_code, work.done


def _tell(output: Output, document: Mapping[str, Any], text: str) -> None:
    if output.as_json:
        output.document(document)
    else:
        output.result(text)


def _listed(items: Sequence[ItemId]) -> Any:
    return as_content([item._asdict() for item in items])


def _show(output: Output, found: Import) -> None:
    """Show every change, before and after, and whether an import would be refused."""
    if output.as_json:
        changes = [_as_json(edit) for edit in found.changed]
        output.document({"changes": changes, "notes": list(found.notes), "doubts": list(found.doubts)})
        return
    for edit in found.changed:
        output.result(Content(_as_text(edit)))
    output.result(f"{counted(len(found.changed), 'text')} would change.")
    for doubt in found.doubts:
        output.result(f"An import is refused unless --insist is given: {doubt}.")


def _as_json(edit: Edit) -> Mapping[str, Any]:
    before = _columns(edit.before.content) if edit.before else None
    changed = {"before": before, "after": _columns(edit.after), "conflict": edit.conflicts}
    return {**as_content({**edit.item.id._asdict(), **changed})}


def _columns(content: Texts) -> dict[str, str]:
    return {"text": content.text, **content.columns}


def _as_text(edit: Edit) -> str:
    before, after = _columns(edit.before.content) if edit.before else {}, _columns(edit.after)
    lines = [str(edit.item.id)]
    for name, value in after.items():
        if value != before.get(name, ""):
            lines += [f"  {name}" if len(after) > 1 else "", *_marked("-", before.get(name, "")), *_marked("+", value)]
    if edit.conflicts:
        lines.append("  ! a conflict: the table holds another text by now than this one was written over")
    return "\n".join(filter(None, lines))


def _marked(sign: str, text: str) -> list[str]:
    return [f"  {sign} {line}" for line in text.splitlines()]
