"""Who may use the lease functions, and with which rights: on a real Postgres behind the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from adapters.library_rows import row
from servers.supabase import LEASE, MIGRATIONS, ORIGINAL_TABLE, ROWS, Supabase

from seed_library.adapters.fenced import FencedStore
from seed_library.core.errors import RunBlocked

TARGET = "public.content_library"
Machine = Callable[..., FencedStore]

_PLACE = {"p_schema": "public", "p_table": "content_library"}
_KEY = ["category", "key", "locale"]
_ROWS = [{"category": "c", "key": "k", "locale": "de", "title": "T", "description": "D"}]
CALLS: dict[str, dict[str, Any]] = {
    "peek": {},
    "acquire": {"p_holder": "x", "p_seconds": 90, "p_info": {}},
    "renew": {"p_holder": "r1", "p_token": 1, "p_seconds": 90},
    "release": {"p_holder": "r1", "p_token": 1},
    "break": {"p_token": 1},
    "batches": {},
    "note_batch": {"p_holder": "r1", "p_token": 1, "p_batch": "b1", "p_note": {"intended_at": "2026-11-25T00:00:00Z"}},
    "store": {
        "p_holder": "r1",
        "p_token": 1,
        "p_schema": "public",
        "p_table": "content_library",
        "p_conflict": _KEY,
        "p_content": ["title", "description"],
        "p_rows": _ROWS,
        "p_over": [],
    },
}
# Of the migration of rows; these know no target.
ROW_CALLS: dict[str, dict[str, Any]] = {
    "look": {**_PLACE, "p_conflict": _KEY, "p_columns": ["title"]},
    "statement": {**_PLACE, "p_conflict": _KEY, "p_columns": ["title"], "p_content": []},
    "rehearse": {**_PLACE, "p_conflict": _KEY, "p_rows": _ROWS},
}


@pytest.mark.parametrize("name", [*CALLS, *ROW_CALLS])
async def test_nobody_but_the_service_role_may_call_a_function(supabase: Supabase, machine: Machine, name: str) -> None:
    """Refused over the API for the anonymous role, and by grant for every role; the lease stays as it is."""
    await machine(supabase, "r1")._lease.take(())
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{supabase.url}/rest/v1/rpc/seed_library_{name}",
            headers={"apikey": supabase.publishable},
            json=ROW_CALLS.get(name) or {"p_target": TARGET, **CALLS[name]},
        )
    assert (answer.status_code, answer.json()["code"]) == (401, "42501")
    assert (_holder(supabase), supabase.count()) == ("r1", 0)
    allowed = "select r, has_function_privilege(r, p.oid, 'execute') as may from pg_proc p, unnest(array['anon',"
    rest = f"'authenticated','service_role']) as r where proname = 'seed_library_{name}'"
    assert {one["r"]: one["may"] for one in supabase.sql(allowed + rest)} == {
        "anon": False,
        "authenticated": False,
        "service_role": True,
    }


def test_the_functions_have_the_rights_of_their_caller_and_a_fixed_path(supabase: Supabase) -> None:
    """None is a way to more rights, and none can be led to other tables than it names."""
    found = supabase.sql(
        "select proname, prosecdef, proconfig::text as path from pg_proc where proname like 'seed\\_library\\_%'"
    )
    assert {one["proname"] for one in found} == {f"seed_library_{name}" for name in (*CALLS, *ROW_CALLS)}
    assert {(one["prosecdef"], one["path"]) for one in found} == {(False, '{"search_path=\\"\\""}')}


def test_the_table_is_for_the_service_role_alone(supabase: Supabase) -> None:
    """Row level security without policies, and no grant but that role's three."""
    asked = "select r, p, has_table_privilege(r, 'public.seed_library_lease', p) as has from unnest(array['anon',"
    rest = "'authenticated','service_role']) as r, unnest(array['select','insert','update','delete','truncate']) as p"
    granted = {(one["r"], one["p"]) for one in supabase.sql(asked + rest) if one["has"]}
    assert granted == {("service_role", privilege) for privilege in ("select", "insert", "update")}
    assert supabase.sql(
        "select relrowsecurity as on, (select count(*)::int from pg_policies where tablename = relname) as policies"
        " from pg_class where relname = 'seed_library_lease'"
    ) == [{"on": True, "policies": 0}]


async def test_the_fenced_write_has_no_more_rights_than_the_plain_one(
    project: Callable[..., Supabase], machine: Machine
) -> None:
    """A table that the key may not write to stays closed."""
    closed = project(ORIGINAL_TABLE, LEASE, ROWS, "grant select on public.content_library to service_role;")
    first = machine(closed, "r1")
    await first._lease.take(())
    with pytest.raises(RunBlocked, match="permission denied for table content_library"):
        await first.upsert([row("a")])


async def test_a_trigger_finds_the_same_schema_behind_both_ways(
    project: Callable[..., Supabase], machine: Machine
) -> None:
    """Triggers of the app that name tables without their schema must not break."""
    audited = project(
        *MIGRATIONS,
        "create table public.audit (key text); grant insert on public.audit to service_role;"
        "create function public.note_it() returns trigger language plpgsql as"
        " $$ begin insert into audit values (new.key); return new; end $$;"
        "create trigger note_it after insert on public.content_library for each row execute function public.note_it()",
    )
    first = machine(audited, "r1")
    await first._lease.take(())
    await first.upsert([row("a")])
    assert audited.sql("select key from public.audit") == [{"key": "a"}]


async def test_a_database_without_the_right_to_its_lease_is_no_database_without_leases(
    project: Callable[..., Supabase], machine: Machine
) -> None:
    """Half a migration is an error with its remedy, not a silent step back to the local lock."""
    half = project(*MIGRATIONS, "revoke all on table public.seed_library_lease from service_role;")
    with pytest.raises(RunBlocked, match="may not be used") as blocked:
        await machine(half, "r1")._lease.take(())
    assert "migration" in blocked.value.hint


def _holder(project: Supabase) -> str | None:
    found: str | None = project.sql("select holder from public.seed_library_lease")[0]["holder"]
    return found
