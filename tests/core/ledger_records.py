"""Journal records as the engine writes them, for tests of what is read out of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seed_library.core.catalog import ItemId
from seed_library.core.journal_records import Record
from seed_library.core.ledger import Ledger, fold

AT = "2026-11-25T10:00:00.000+00:00"
ITEM = ItemId("signs", "dawn", "de")
PRINT = "ab" * 16
OTHER_PRINT = "cd" * 16


def begun(run: str = "r1", *, refresh: str = "", **more: Any) -> Record:
    """Return the record that opens a run."""
    return {"kind": "run", "run": run, "at": AT, "refresh": refresh, **more}


def intent(attempt: str = "r1-1", *, item: ItemId = ITEM, fingerprint: str = PRINT, worst: int = 9_000) -> Record:
    """Return the record before a request."""
    return _about("intent", attempt, item, fingerprint=fingerprint, model="m", worst=worst)


def paid(
    attempt: str = "r1-1", *, item: ItemId = ITEM, fingerprint: str = PRINT, cost: int = 700, **more: Any
) -> Record:
    """Return the record of an answer."""
    return _about("paid", attempt, item, fingerprint=fingerprint, cost=cost, message={"content": []}, **more)


def judged(attempt: str = "r1-1", *, item: ItemId = ITEM, **verdict: Any) -> Record:
    """Return the record of a judgement; accepted unless told otherwise."""
    return _about("judged", attempt, item, **({"accepted": True} | verdict))


def failed(attempt: str = "r1-1", *, item: ItemId = ITEM, billed: str = "no", worst: int = 9_000) -> Record:
    """Return the record of an attempt without an answer."""
    return _about("failed", attempt, item, reason="the API is overloaded", billed=billed, worst=worst)


def batch_intent(run: str = "r1", *, token: str = "b1", **more: Any) -> Record:
    """Return the record before a batch of one request is created."""
    note = {"token": token, "count": 1, "intended_at": AT, "model": "m", "worst": 9_000}
    return {"kind": "batch_intent", "run": run, "at": AT, **note, "items": [[*ITEM, PRINT]], **more}


def batch(kind: str, run: str = "r1", *, token: str = "b1", **more: Any) -> Record:
    """Return a later record about a batch: its kind is `created`, `done` or `failed`."""
    return {"kind": f"batch_{kind}", "run": run, "at": AT, "token": token, **more}


def stored(run: str = "r1", *, item: ItemId = ITEM, fingerprint: str = PRINT, **more: Any) -> Record:
    """Return the record of an upsert of one row."""
    return {"kind": "stored", "run": run, "at": AT, "items": [[*item, fingerprint]], **more}


def finished(run: str = "r1", *, exit_code: int = 0, **more: Any) -> Record:
    """Return the record that closes a run."""
    return {"kind": "finished", "run": run, "at": AT, "exit_code": exit_code, **more}


def ledger_of(records: Iterable[Record]) -> Ledger:
    """Fold records that stand 100 bytes apart."""
    return fold((100 * place, record) for place, record in enumerate(records))


def _about(kind: str, attempt: str, item: ItemId, **more: Any) -> Record:
    run, _, _ = attempt.partition("-")
    return {"kind": kind, "run": run, "at": AT, "item": list(item), "attempt": attempt, **more}
