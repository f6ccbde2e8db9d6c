"""Every way in which Supabase can fail has one meaning: later, these rows, or nobody. The store never tries again."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from adapters.library_rows import named, row, stored
from servers.gateway import GATEWAY_ANSWERS
from servers.supabase import Supabase

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable

PATH = "/rest/v1/content_library"
TEXT = "The text of a row, which is nobody's business but the library's and has no place in an error message."
HTML = "<!DOCTYPE html><html><head><title>Web server is returning an unknown error</title></head></html>"
GATEWAY = "the answer came from a gateway or proxy, not from the API"
LATER = "Run again later; nothing paid is lost."


class Case(NamedTuple):
    """An answer, the failure that a write and a read make of it, and what that says."""

    status: int
    body: str
    write: type[Exception]
    read: type[Exception]
    message: str
    hint: str = ""


def _later(status: int, body: str, message: str) -> Case:
    return Case(status, body, StoreUnavailable, StoreUnavailable, message, LATER)


def _blocked(status: int, body: str, message: str, hint: str) -> Case:
    return Case(status, body, RunBlocked, RunBlocked, message, hint)


def _rows(status: int, body: str, message: str, read: type[Exception] = RunBlocked) -> Case:
    return Case(status, body, RowsRefused, read, message)


def _said(message: str, code: object = None, **more: Any) -> str:
    return json.dumps({"message": message, "code": code, "hint": None, "details": f"Failing row: ({TEXT})"} | more)


CASES = {
    "503 without a body": _later(503, "", f"{GATEWAY} (HTTP 503)"),
    "520 with a page": _later(520, HTML, f"{GATEWAY} (HTTP 520)"),
    "200 with a page": _later(200, HTML, f"{GATEWAY} (HTTP 200)"),
    "200 with a truncated body": _later(200, '[{"key":"a"', f"{GATEWAY} (HTTP 200)"),
    "200 with something else": _later(200, '{"status":"ok"}', f"{GATEWAY} (HTTP 200)"),
    "200 with a list of something else": _later(200, '["ok"]', f"{GATEWAY} (HTTP 200)"),
    "522": _later(*GATEWAY_ANSWERS["no connection to the project"], f"{GATEWAY} (HTTP 522)"),
    "525": _later(*GATEWAY_ANSWERS["no handshake with the project"], f"{GATEWAY} (HTTP 525)"),
    "429": _later(429, '{"message":"API rate limit exceeded"}', "API rate limit exceeded (HTTP 429)"),
    "544": _later(544, '{"error":"timeout"}', "no reason given (HTTP 544)"),
    "statement timeout": _later(500, _said("canceling statement due to statement timeout", "57014"), "(57014)"),
    "deadlock": _later(500, _said("deadlock detected", "40P01"), "deadlock detected (40P01)"),
    "no connection to the database": _later(503, _said("Could not connect", "PGRST001"), "(PGRST001)"),
    "an error of the server that has no name here": _later(500, _said("internal error", "XX000"), "(XX000)"),
    "paused": _blocked(*GATEWAY_ANSWERS["a paused project"], "Project paused (HTTP 540)", "Restore it"),
    "paused, with a number as code": _blocked(540, _said("paused", 540), "(HTTP 540)", "Restore it"),
    "empty 401": _blocked(
        *GATEWAY_ANSWERS["an empty 401, also to a good key"], f"{GATEWAY} (HTTP 401)", "Gateways have"
    ),
    "over quota": _blocked(*GATEWAY_ANSWERS["a quota"], "exceed_egress_quota (HTTP 402)", "billing"),
    "invalid key": _blocked(401, '{"message":"Invalid API key"}', "Invalid API key (HTTP 401)", "SERVICE_ROLE_KEY"),
    "grants": _blocked(
        403, _said("permission denied for table x", "42501"), "permission denied", "grant select, insert"
    ),
    "policies": _blocked(403, _said("violates row-level security policy", "42501"), "policy", "This key may not write"),
    "read-only database": _blocked(405, _said("read-only transaction", "25006"), "(25006)", "disk is full"),
    "404 with a page": _blocked(404, HTML, f"{GATEWAY} (HTTP 404)", "SUPABASE_URL"),
    "a list as error": _blocked(400, "[1]", f"{GATEWAY} (HTTP 400)", "SUPABASE_URL"),
    "redirect": _blocked(308, "", f"{GATEWAY} (HTTP 308)", "redirect"),
    "CHECK": _rows(400, _said("violates check constraint", "23514"), "violates check constraint (23514)"),
    "twin rows, with PostgREST's status": _rows(
        500, _said("a second time", "21000"), "a second time (21000)", StoreUnavailable
    ),
    "a trigger's own exception": _rows(
        400, _said("no more than\n\n80 words", "P0001"), "no more than 80 words (P0001)"
    ),
    "too large": _rows(413, HTML, f"{GATEWAY} (HTTP 413)"),
    "a value of the row": _rows(
        400, _said(f'invalid input syntax for type uuid: "{TEXT}"', "22P02"), "type uuid: (a long value) (22P02)"
    ),
    "a long story": _rows(400, _said("so " * 500 + TEXT, "P0001"), "... (P0001)"),
}


@pytest.fixture
async def store(supabase: Supabase) -> AsyncIterator[SupabaseStore]:
    """The store; it has been in touch with its table already. It soon gives up waiting for an answer."""
    store = SupabaseStore(supabase.url, supabase.secret, TableSpec(), answer_within=1.5)
    await store.existing_extras()
    supabase.log()
    yield store
    await store.aclose()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_an_answer_has_its_meaning_for_a_write(supabase: Supabase, store: SupabaseStore, case: Case) -> None:
    """One request, nothing written, no text of a row in what is said."""
    supabase.faults(_fault("POST", case, supabase))
    with pytest.raises(case.write) as failure:
        await store.upsert([row("a", TEXT)])
    _assert_said(failure, case.write, case)
    assert [entry["line"] for entry in supabase.log()] == [f"POST {PATH}"]
    assert supabase.count() == 0


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_an_answer_has_its_meaning_for_a_read(supabase: Supabase, store: SupabaseStore, case: Case) -> None:
    """One request; that a row is to blame makes no sense here."""
    supabase.faults(_fault("GET", case, supabase))
    with pytest.raises(case.read) as failure:
        await stored(store)
    _assert_said(failure, case.read, case)
    assert [entry["line"] for entry in supabase.log()] == [f"GET {PATH}"]


@pytest.mark.parametrize(
    ("fault", "message", "rows"),
    [
        ({"drop": True}, "no answer (R", 0),  # ReadError or RemoteProtocolError
        ({"drop": True, "after": True}, "no answer (R", 1),
        ({"drop": True, "delay_ms": 4000}, "no whole answer within 1.5 s", 0),
        ({"status": 502, "after": True}, "(HTTP 502)", 1),
        ({"status": 200, "body": "[]", "headers": {"content-encoding": "gzip"}}, "no answer (DecodingError)", 0),
    ],
    ids=["dropped", "dropped after the commit", "no answer in time", "502 after the commit", "unreadable"],
)
async def test_an_answer_that_gets_lost_means_later(
    supabase: Supabase, store: SupabaseStore, fault: dict[str, Any], message: str, rows: int
) -> None:
    """Whether the rows were written is unknown, so the write is repeated by whoever owns the retries: once is right."""
    supabase.faults({"match": f"POST {PATH}", **fault})
    with pytest.raises(StoreUnavailable) as failure:
        await store.upsert([row("a", TEXT)])
    assert message in failure.value.message
    assert "nothing paid is lost" in failure.value.hint
    assert (len(supabase.log()), supabase.count()) == (1, rows)
    await store.upsert([row("a", TEXT)])
    assert supabase.sql("select description from public.content_library") == [{"description": TEXT}]


async def test_a_failure_between_two_pages_is_not_the_end_of_the_library(
    supabase: Supabase, store: SupabaseStore
) -> None:
    """Half a library must never pass for a whole one: the missing rows would be paid for again."""
    supabase.sql(
        "insert into public.content_library (category, key, locale, title, description)"
        " select 'x', 'k' || n, 'de', 'T', 'D' from generate_series(1, 1500) n"
    )
    supabase.faults({"match": f"GET {PATH}", "skip": 1, "status": 503})
    with pytest.raises(StoreUnavailable):
        await stored(store, ["x"])
    assert len(supabase.log()) == 2


@pytest.mark.parametrize(
    "key", ["sb_secret_obviously_fake_key", "sb_secret_fake\nkey_on_two_lines", "sb_secret_fäke_key"]
)
@pytest.mark.parametrize("drop", [False, True])
async def test_the_key_is_in_no_error_nor_in_what_led_to_it(supabase: Supabase, key: str, drop: bool) -> None:
    """Libraries quote the headers that they cannot send: their errors are not even the context of ours."""
    supabase.faults(*({"match": method, "drop": True, "times": 9} for method in ("GET", "POST") if drop))
    store = SupabaseStore(supabase.url, key, TableSpec())
    for call in (store.upsert([row("a")]), stored(store), store.read(named("a", ["x"], ["de"]))):
        with pytest.raises(RunBlocked) as failure:
            await call
        told = _told(failure.value)
        assert "fake" not in told
        assert "fäke" not in told
    assert not any("fake" in check.message + check.hint for check in await store.check(row("a")))
    await store.aclose()


def _fault(method: str, case: Case, supabase: Supabase) -> dict[str, Any]:
    kind = "text/html" if case.body.startswith("<") else "application/json"
    headers = {"content-type": kind, "location": f"{supabase.url}/rest/v1/elsewhere"}
    # A store that tries again by itself would get through.
    return {"match": f"{method} {PATH}", "status": case.status, "body": case.body, "headers": headers}


def _assert_said(failure: pytest.ExceptionInfo[Exception], kind: type[Exception], case: Case) -> None:
    error = failure.value
    assert type(error) is kind
    assert case.message in str(error)
    assert TEXT[:40] not in _told(error)
    if isinstance(error, RunBlocked):
        assert case.hint in error.hint


def _told(error: BaseException | None) -> str:
    """Everything that an error and the ones before it say."""
    told = ""
    while error is not None:
        told += repr(error) + "".join(traceback.format_exception(error, chain=False)) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told
