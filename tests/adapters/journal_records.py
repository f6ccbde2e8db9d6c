"""Journal records as a run writes them, for tests that need a journal with something in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seed_library.adapters.journal_lines import encode
from seed_library.adapters.state import TargetFolder

FINGERPRINT = "ab" * 20
AT = "2026-11-23T12:00:00.000+00:00"


def target_folder_in(place: Path) -> TargetFolder:
    """Return the folder of a target, made below this place."""
    folder = TargetFolder(place / "state" / "targets" / "supabase_test-0123")
    folder.create()
    return folder


def record(kind: str, number: int = 0, run: str = "run-1", **fields: Any) -> dict[str, Any]:
    """Return a record about the attempt with this number."""
    return {
        "kind": kind,
        "run": run,
        "at": AT,
        "item": ["bazi_year_pillar", f"key_{number}", "de"],
        "attempt": f"{run}-{number}",
        "fingerprint": FINGERPRINT,
        **fields,
    }


def intent(number: int = 0, run: str = "run-1") -> dict[str, Any]:
    """Return what is written before a request leaves."""
    return record("intent", number, run, model="claude-sonnet-5-5", worst=10_000)


def paid(number: int = 0, run: str = "run-1", text: str = "Süße Größe.") -> dict[str, Any]:
    """Return what is written when an answer has arrived."""
    message = {"type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
    return record("paid", number, run, cost=1_000, message=message, request_id=f"req_{number}", workspace="w")


def judged(number: int = 0, run: str = "run-1", *, accepted: bool = True) -> dict[str, Any]:
    """Return what the gates said."""
    return record("judged", number, run, accepted=accepted, findings=[])


def failed(number: int = 0, run: str = "run-1", reason: str = "overloaded", billed: str = "maybe") -> dict[str, Any]:
    """Return what is written when no answer arrived."""
    return record("failed", number, run, reason=reason, billed=billed, worst=10_000)


def stored(number: int = 0, run: str = "run-1", recovered: int = 0) -> dict[str, Any]:
    """Return what is written when a row is in the table."""
    items = [["bazi_year_pillar", f"key_{number}", "de", FINGERPRINT]]
    return {"kind": "stored", "run": run, "at": AT, "items": items, "recovered": recovered}


def begun(run: str = "run-1", to_do: int = 4, **fields: Any) -> dict[str, Any]:
    """Return the record that opens a run."""
    parts = {"bazi_year_pillar/de": {"items": 60, "done": 50}}
    said = {"catalog": "bazi_pillars", "model": "claude-sonnet-5-5", "target": "supabase:test public.content_library"}
    return {"kind": "run", "run": run, "at": AT, **said, "to_do": to_do, "parts": parts, "totals": {"new": 4}, **fields}


def finished(run: str = "run-1", exit_code: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the last word of a run."""
    return {"kind": "finished", "run": run, "at": AT, "exit_code": exit_code, "error": "", **fields}


def write_journal(folder: TargetFolder, *records: dict[str, Any]) -> list[int]:
    """Write a journal as a finished process leaves it, and return the positions."""
    lines = [encode(one) for one in records]
    with folder.journal.open("ab") as file:
        start = file.tell()
        file.write(b"".join(lines))
    return [start + sum(map(len, lines[:number])) for number in range(len(lines))]
