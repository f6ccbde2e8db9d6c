"""Whatever would stop a write is found without writing, and the hint says what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from adapters.broken_tables import ALTER, DENIED, IN_THE_DATABASE, Broken
from adapters.library_rows import sample
from servers.supabase import GRANTS, MIGRATIONS, ORIGINAL_TABLE, PROVENANCE, ROWS, UPDATED_AT, Supabase

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.ports import Check, Row

GARBAGE = "sb_secret_ThisKeyIsNoRealKeyAtAl_Obvious1"
WRONG_KEY = "This key may not write. Use the secret key or the service role key of this project."


WITHOUT_FUNCTIONS = [migration for migration in MIGRATIONS if migration != ROWS]


@pytest.fixture(scope="module", params=["functions", "twins"])
def one_project(request: pytest.FixtureRequest, module_project: Callable[..., Supabase]) -> Supabase:
    """A project whose table the tests break, with and without the functions that try rows and take them back."""
    return module_project(*(MIGRATIONS if request.param == "functions" else WITHOUT_FUNCTIONS))


@pytest.fixture
def has_functions(one_project: Supabase) -> bool:
    """Whether it is the one with the functions."""
    found = one_project.sql(
        "select to_regprocedure('public.seed_library_look(text,text,jsonb,jsonb)') is not null as it"
    )
    return bool(found[0]["it"])


@pytest.fixture
def remade(one_project: Supabase) -> Supabase:
    """The project with its table dropped and made again by the migrations."""
    one_project.reset()
    one_project.sql(
        "drop table public.content_library cascade; drop function if exists public.objecting;"
        "drop table if exists public.parents; drop type if exists public.kind"
    )
    one_project.sql(ORIGINAL_TABLE.read_text())
    # The API server hands out privileges on every new table; a hosted project does not.
    one_project.sql("revoke all on table public.content_library from anon, authenticated, service_role")
    for migration in (GRANTS, UPDATED_AT, PROVENANCE):
        one_project.sql(migration.read_text())
    return one_project


@pytest.mark.parametrize("broken", IN_THE_DATABASE.values(), ids=IN_THE_DATABASE)
async def test_a_table_that_would_refuse_a_row_is_found_before_anything_is_paid(
    remade: Supabase, has_functions: bool, broken: Broken
) -> None:
    """The finding names what is wrong and the exact remedy; the table stays as it was."""
    remade.sql(broken.sql)
    wanted = broken.found if has_functions else broken.probed
    failures = await _failures(remade)
    assert _table(remade) == []
    if wanted is None:
        assert failures == []
        assert (
            "foreign keys, other unique indexes and AFTER triggers could not be" in (await _checks(remade))[-1].message
        )
        return
    (failure,) = failures
    assert (failure.name, failure.message) == wanted[:2]
    assert wanted[2] in failure.hint


async def test_a_right_table_passes_without_being_touched(remade: Supabase, has_functions: bool) -> None:
    """Also where the row is there already; what is sent reads, or is taken back."""
    for key in (remade.secret, remade.legacy["service_role"]):
        before = _with_a_row_of_the_sample(remade)
        checks = await _checks(remade, key=key)
        names = [(check.name, check.ok) for check in checks]
        assert names == [(name, True) for name in ("supabase", "table", "provenance", "rows")]
        assert _table(remade) == before
        remade.sql("truncate public.content_library")
        assert all(check.ok for check in await _checks(remade, key=key))
        assert _table(remade) == []
    writes = [entry for entry in remade.log() if entry["line"] == "POST /rest/v1/content_library"]
    assert {entry["status"] for entry in writes} == (set() if has_functions else {500})


async def test_what_stands_before_the_table_never_makes_a_preview_write(remade: Supabase, has_functions: bool) -> None:
    """A BEFORE trigger that updates the row that is there and returns nothing would take a probe for a write."""
    before = _with_a_row_of_the_sample(remade)
    remade.sql(
        "create function public.objecting() returns trigger language plpgsql as $$ begin"
        " update public.content_library set description = new.description where key = new.key; return null; end $$;"
        "create trigger objecting before insert on public.content_library"
        " for each row execute function public.objecting()"
    )
    (failure,) = await _failures(remade)
    assert failure.name == ("keys" if has_functions else "table")
    assert _table(remade) == before


async def test_a_trigger_that_catches_errors_does_not_keep_what_was_tried(remade: Supabase) -> None:
    """It cannot catch the one that takes everything back."""
    remade.sql(
        "create function public.objecting() returns trigger language plpgsql as $$ begin begin"
        " perform 1 / 0; exception when others then null; end; return new; end $$;"
        "create trigger objecting after insert on public.content_library"
        " for each row execute function public.objecting()"
    )
    assert await _failures(remade) == []
    assert _table(remade) == []


async def test_every_fault_of_a_table_is_in_one_report(remade: Supabase, has_functions: bool) -> None:
    """Missing column, unfilled column, index and grants: a person mends them in one round."""
    remade.sql(
        f"{ALTER} drop column title, add column tenant text not null default 'x';"
        f"{ALTER} alter column tenant drop default; drop index public.idx_content_library_lookup;"
        "revoke update on table public.content_library from service_role"
    )
    names = [failure.name for failure in await _failures(remade)]
    assert names == (
        ["columns", "not null", "privileges", "unique index"] if has_functions else ["columns", "not null"]
    )


@pytest.mark.parametrize(
    ("key", "name", "message", "hint"),
    [
        ("publishable", "privileges", DENIED, WRONG_KEY),
        ("legacy anon", "privileges", DENIED, WRONG_KEY),
        (
            "garbage",
            "key",
            "Invalid API key (HTTP 401)",
            "Check SUPABASE_SERVICE_ROLE_KEY: it must be a valid secret or service role key of this project.",
        ),
        ("ill-shaped", "supabase", "{url}: The Supabase key holds a character that no key has.", "Copy the key again."),
    ],
)
async def test_a_key_that_may_not_write_is_told_so(
    remade: Supabase, key: str, name: str, message: str, hint: str
) -> None:
    """And is not mistaken for an empty table."""
    before = _with_a_row_of_the_sample(remade)
    expected = Check(name, ok=False, message=message.format(url=remade.url), hint=hint)
    assert await _failures(remade, key=_keys(remade)[key]) == [expected]
    assert _table(remade) == before


@pytest.mark.parametrize("key", ["publishable", "legacy anon"])
async def test_a_public_key_is_found_out_where_it_may_read_and_sees_an_empty_table(
    remade: Supabase, has_functions: bool, key: str
) -> None:
    """Older projects grant everything to every role and leave the rest to row level security."""
    before = _with_a_row_of_the_sample(remade)
    remade.sql("grant all on table public.content_library to anon")
    store = SupabaseStore(remade.url, _keys(remade)[key], TableSpec())
    assert [found async for found in store.rows(["bazi_year_pillar"], ["de"])] == []
    await store.aclose()
    by_twin = "the key may not write to public.content_library (row level security)"
    message = "permission denied for function seed_library_look (42501)" if has_functions else by_twin
    expected = [Check("privileges", ok=False, message=message, hint=WRONG_KEY)]
    assert await _failures(remade, key=_keys(remade)[key]) == expected
    assert _table(remade) == before


async def test_a_missing_table_is_named_with_the_verb_that_prints_it(project: Callable[..., Supabase]) -> None:
    """One finding, not one per column."""
    (failure,) = await _failures(project())
    assert (failure.name, "PGRST205" in failure.message) == ("table", True)
    assert failure.hint.startswith(
        "Create the table public.content_library: `seed-library schema` prints the migration."
    )


async def test_every_missing_column_is_named_at_once(project: Callable[..., Supabase]) -> None:
    """Constant columns of the catalog among them; the others are not blamed."""
    server = project(ORIGINAL_TABLE, GRANTS, f"{ALTER} drop column title, drop column description;")
    failures = await _failures(server, table=TableSpec(constants={"app": "nuuray"}))
    assert [failure.message for failure in failures] == [
        f"public.content_library has no column {name!r}" for name in ("title", "description", "app")
    ]
    assert all(failure.hint.startswith("Add the column, or map it in [table.columns]") for failure in failures)
    assert _table(server) == []


async def test_the_table_of_the_original_app_is_enough(project: Callable[..., Supabase]) -> None:
    """Neither trigger nor provenance are needed; that the provenance is missing is said, not held against it."""
    server = project(ORIGINAL_TABLE, GRANTS)
    before = _with_a_row_of_the_sample(server)
    checks = await _checks(server)
    assert all(check.ok for check in checks)
    (about,) = (check for check in checks if check.name == "provenance")
    assert "has no jsonb column provenance" in about.message
    assert "add column provenance jsonb" in about.hint
    assert _table(server) == before


async def test_a_schema_that_the_api_does_not_serve_is_named(supabase: Supabase) -> None:
    """The remedy is a setting of the project."""
    (failure,) = await _failures(supabase, table=TableSpec(schema="private"))
    assert failure.name == "table"
    assert failure.hint == "Expose the schema private in the project's API settings."


async def test_every_column_that_nobody_fills_is_named(remade: Supabase) -> None:
    """The database stops at the first one; its catalog, or else the API's description of itself, knows the others."""
    remade.sql(
        f"{ALTER} add column tenant text not null default 'x', add column owner text not null default 'x';"
        f"{ALTER} alter column tenant drop default, alter column owner drop default"
    )
    (failure,) = await _failures(remade)
    assert failure.message == "nobody fills the NOT NULL columns tenant, owner of public.content_library"


@pytest.mark.parametrize("description", [{}, [], {"definitions": None}, {"definitions": {"content_library": 1}}])
async def test_a_description_of_another_shape_is_done_without(remade: Supabase, description: Any) -> None:
    """The column that the database named is named."""
    remade.sql(f"{ALTER} alter column id drop default")
    remade.faults(_description(description))
    (failure,) = await _failures(remade)
    assert failure.message == "nobody fills the NOT NULL column id of public.content_library"


async def test_a_sample_that_cannot_be_sent_is_the_catalogs_fault(supabase: Supabase) -> None:
    """The item is named."""
    store = SupabaseStore(supabase.url, supabase.secret, TableSpec())
    failures = [check for check in await store.rehearse([sample(text="half of a pair \ud83d")]) if not check.ok]
    await store.aclose()
    message = "a text holds a character that UTF-8 cannot express"
    assert failures == [Check("rows", ok=False, message=message, hint="Mend the catalog.")]


@pytest.mark.parametrize("request_", ["GET /rest/v1/content_library", "POST /rest/v1/rpc/seed_library_look"])
@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}])
async def test_a_server_that_stumbles_is_no_fault_of_the_table(
    supabase: Supabase, request_: str, fault: dict[str, Any]
) -> None:
    """Whichever request it is: run again later, says the finding."""
    supabase.faults({"match": request_, **fault})
    (failure,) = await _failures(supabase)
    assert failure.name == "supabase"
    assert "Run again later; nothing paid is lost." in failure.hint
    assert supabase.count() == 0


async def test_a_server_that_is_down_is_one_finding() -> None:
    """It names the address that does not answer."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        store = SupabaseStore(url, GARBAGE, TableSpec())
        (failure,) = await store.check(sample())
        await store.aclose()
    assert (failure.name, failure.ok) == ("supabase", False)
    assert failure.message == f"{url}: Supabase cannot be reached: 127.0.0.1 is there, but nobody listens at that port."
    assert failure.hint.startswith("Check host and port in SUPABASE_URL, and whether the service is started.")


def _keys(project: Supabase) -> dict[str, str]:
    return {
        "secret": project.secret,
        "publishable": project.publishable,
        "legacy service_role": project.legacy["service_role"],
        "legacy anon": project.legacy["anon"],
        "garbage": GARBAGE,
        "ill-shaped": f"{GARBAGE}ä",
    }


async def _checks(project: Supabase, *, key: str = "", table: TableSpec | None = None) -> list[Check]:
    store = SupabaseStore(project.url, key or project.secret, table or TableSpec())
    try:
        checks = await store.check(sample())
        if all(check.ok for check in checks):
            checks += await store.rehearse([await _over_what_is_there(store)])
        return checks
    finally:
        await store.aclose()


async def _over_what_is_there(store: SupabaseStore) -> Row:
    """Return the sample as a plan would have it written."""
    there = await store.read([sample().id])
    return replace(sample(), over=there[0] if there else None)


async def _failures(project: Supabase, *, key: str = "", table: TableSpec | None = None) -> list[Check]:
    checks = await _checks(project, key=key, table=table)
    assert not any("placeholder" in check.message + check.hint for check in checks), "row contents leaked"
    return [check for check in checks if not check.ok]


def _with_a_row_of_the_sample(project: Supabase) -> list[dict[str, Any]]:
    """Store a row of the sample's item and return the table."""
    project.sql(
        "insert into public.content_library (category, key, locale, title, description)"
        " values ('bazi_year_pillar', 'yang_wood_rat', 'de', 'Yang-Holz-Ratte', 'A text of an editor.')"
    )
    return _table(project)


def _table(project: Supabase) -> list[dict[str, Any]]:
    """Every column of every row, with the hidden one that changes whenever a row is written."""
    return project.sql("select *, xmin::text from public.content_library")


def _description(document: Any) -> dict[str, Any]:
    """The fault that makes the server describe itself; it does not do so of its own accord."""
    body = {"status": 200, "body": json.dumps(document), "headers": {"content-type": "application/openapi+json"}}
    return {"match": "GET /rest/v1/$", **body}
