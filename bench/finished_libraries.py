"""Libraries that are finished: every row in the table and, if wanted, every text in the journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from servers.supabase import Supabase
from servers.texts import text_for

from bench import catalogs
from seed_library.adapters.journal_lines import encode
from seed_library.adapters.sqlite import SqliteStore
from seed_library.adapters.state import target_folder
from seed_library.core.catalog import TableSpec
from seed_library.core.prompts import PromptBook
from seed_library.core.targets import StoreAddress, Target
from seed_library.ports import Row

_TABLE = TableSpec()
_ROWS_AT_ONCE = 2000
_RUN = {"run": "20261101T000000-abcdef", "at": "2026-11-01T00:00:00.000+00:00"}
_STORED_AT_ONCE = 50


def finished_rows(prompts: Path) -> Iterator[Row]:
    """Yield a row for every item of the catalog, as a run would have stored it."""
    catalog = catalogs.load(prompts)
    book = PromptBook(catalog)
    for number, item in enumerate(catalog.items):
        request = book.request(item)
        provenance = {
            "writer": "claude",
            "model": request.spec.model,
            "fingerprint": request.fingerprint,
            "run": _RUN["run"],
            "generated_at": _RUN["at"],
            "message_id": f"msg_{number:024}",
            "input_tokens": 900,
            "output_tokens": 210,
            "cost_micro_usd": 3900,
            "findings": [],
        }
        yield Row(item.id, item.title, text_for(request.prompt.user), provenance)


def fill_sqlite(path: Path, rows: Iterator[Row]) -> None:
    """Store rows in a SQLite file."""
    store = SqliteStore(path, _TABLE)

    async def fill() -> None:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            await store.upsert(some)

    asyncio.run(fill())


def fill_supabase(project: Supabase, rows: Iterator[Row]) -> None:
    """Store rows in a Supabase project, as the owner of its database: that is faster."""
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        document = json.dumps([_columns(row) for row in some], ensure_ascii=False).replace("'", "''")
        project.sql(
            "insert into public.content_library (category, key, locale, title, description, provenance)"
            " select category, key, locale, title, description, provenance from jsonb_to_recordset("
            f"'{document}') as r(category text, key text, locale text, title text, description text, provenance jsonb)"
        )
    project.sql("analyze public.content_library")


def _columns(row: Row) -> dict[str, Any]:
    return {**row.id._asdict(), "title": row.title, "description": row.text, "provenance": row.provenance}


def write_journal(state_dir: Path, address: StoreAddress, rows: Iterator[Row]) -> int:
    """Write the journal of the runs that made these rows; return its size in bytes."""
    folder = target_folder(state_dir, Target(address, _TABLE.schema, _TABLE.name))
    folder.create()
    with folder.journal.open("wb") as file:
        folder.journal.chmod(0o600)
        file.write(encode({"kind": "run", **_RUN, "catalog": catalogs.NAME, "model": "claude-sonnet-5-5"}))
        while some := list(islice(rows, _STORED_AT_ONCE)):
            for record in _records(some):
                file.write(encode(record))
        file.write(encode({"kind": "finished", **_RUN, "exit_code": 0, "failed": 0, "rejected": 0, "error": ""}))
        return file.tell()


def _records(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        said = row.provenance
        about = {**_RUN, "item": list(row.id), "attempt": f"{_RUN['run']}-{said['message_id']}"}
        yield {**about, "kind": "intent", "fingerprint": said["fingerprint"], "model": said["model"], "worst": 12000}
        yield {
            **about,
            "kind": "paid",
            "fingerprint": said["fingerprint"],
            "cost": said["cost_micro_usd"],
            "request_id": f"req_{said['message_id']}",
            "workspace": "wrkspc_bench",
            "message": _message(row),
        }
        yield {**about, "kind": "judged", "accepted": True, "findings": []}
    items = [[*row.id, row.provenance["fingerprint"]] for row in rows]
    yield {**_RUN, "kind": "stored", "items": items, "recovered": 0}


def _message(row: Row) -> dict[str, Any]:
    said = row.provenance
    return {
        "id": said["message_id"],
        "type": "message",
        "role": "assistant",
        "model": said["model"],
        "content": [{"type": "text", "text": row.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": said["input_tokens"],
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": said["output_tokens"],
            "service_tier": "standard",
        },
    }
