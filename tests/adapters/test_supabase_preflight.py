"""Whatever would stop a write is found without writing, and the hint says what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from adapters.broken_tables import ALTER, DENIED, IN_THE_DATABASE, Broken
from adapters.library_rows import row, sample
from servers.supabase import GRANTS, MIGRATIONS, ORIGINAL_TABLE, PROVENANCE, UPDATED_AT, Supabase

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.ports import Check

GARBAGE = "sb_secret_ThisKeyIsNoRealKeyAtAl_Obvious1"
WRONG_KEY = "This key may not write. Use the secret key or the service role key of this project."


@pytest.fixture(scope="module")
def one_project(module_project: Callable[..., Supabase]) -> Supabase:
    """A project whose table the tests break in ways that the API's schema cache need not know."""
    return module_project(*MIGRATIONS)


@pytest.fixture
def remade(one_project: Supabase) -> Supabase:
    """The project with its table dropped and made again by the migrations."""
    one_project.reset()
    one_project.sql("drop table public.content_library cascade; drop function if exists public.objecting")
    one_project.sql(ORIGINAL_TABLE.read_text())
    # The API server hands out privileges on every new table; a hosted project does not.
    one_project.sql("revoke all on table public.content_library from anon, authenticated, service_role")
    for migration in (GRANTS, UPDATED_AT, PROVENANCE):
        one_project.sql(migration.read_text())
    return one_project


@pytest.mark.parametrize("broken", IN_THE_DATABASE.values(), ids=IN_THE_DATABASE)
async def test_a_table_that_would_refuse_a_row_is_found_before_anything_is_paid(
    remade: Supabase, broken: Broken
) -> None:
    """The finding names what is wrong and the exact remedy; the table stays as it was, empty or not."""
    _with_a_row_of_the_sample(remade)
    remade.sql(broken.sql)
    before = _table(remade)
    expected = [Check(broken.name, ok=False, message=broken.message, hint=broken.hint)]
    assert await _failures(remade) == expected
    assert _table(remade) == before
    remade.sql("truncate public.content_library")
    assert await _failures(remade) == expected
    assert _table(remade) == []


@pytest.mark.parametrize("key", ["secret", "legacy service_role"])
async def test_a_right_table_passes_without_being_touched(remade: Supabase, key: str) -> None:
    """With both kinds of privileged key; four reading requests and one refused write are all that is sent."""
    before = _with_a_row_of_the_sample(remade)
    remade.log()
    checks = await _checks(remade, key=_keys(remade)[key])
    assert [(check.name, check.ok) for check in checks] == [("supabase", True), ("table", True), ("provenance", True)]
    assert _table(remade) == before
    sent = [(entry["line"].split()[0], entry["status"]) for entry in remade.log()]
    assert sent == [("GET", 200)] * 3 + [("POST", 500)]


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
async def test_a_public_key_is_found_out_where_it_may_read_and_sees_an_empty_table(remade: Supabase, key: str) -> None:
    """Older projects grant everything to every role and leave the rest to row level security."""
    before = _with_a_row_of_the_sample(remade)
    remade.sql("grant all on table public.content_library to anon")
    store = SupabaseStore(remade.url, _keys(remade)[key], TableSpec())
    assert [found async for found in store.rows(["bazi_year_pillar"], ["de"])] == []
    await store.aclose()
    message = "the key may not write to public.content_library (row level security)"
    expected = [Check("privileges", ok=False, message=message, hint=WRONG_KEY)]
    assert await _failures(remade, key=_keys(remade)[key]) == expected
    assert _table(remade) == before


async def test_a_missing_table_is_named_with_the_verb_that_prints_it(project: Callable[..., Supabase]) -> None:
    """One finding, not one per column."""
    (failure,) = await _failures(project(warm=False))
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
    assert {failure.hint for failure in failures} == {"Add the column, or map it in [table.columns] of catalog.toml."}
    assert _table(server) == []


async def test_the_table_of_the_original_app_is_enough(project: Callable[..., Supabase]) -> None:
    """Neither trigger nor provenance are needed; that the provenance is missing is said, not held against it."""
    server = project(ORIGINAL_TABLE, GRANTS)
    before = _with_a_row_of_the_sample(server)
    checks = await _checks(server)
    assert all(check.ok for check in checks)
    assert "has no column provenance" in checks[-1].message
    assert "add column provenance jsonb" in checks[-1].hint
    assert _table(server) == before


async def test_further_columns_that_may_be_empty_and_a_foreign_provenance_are_left_alone(
    project: Callable[..., Supabase],
) -> None:
    """A column of that name which holds no JSON belongs to somebody else."""
    more = "add column reviewer text, add column views int not null default 0, add column provenance text"
    server = project(ORIGINAL_TABLE, GRANTS, f"{ALTER} {more};")
    server.sql(
        "insert into public.content_library (category, key, locale, title, description, provenance)"
        " values ('bazi_year_pillar', 'yang_wood_rat', 'de', 'T', 'D', 'by hand')"
    )
    assert await _failures(server) == []
    store = SupabaseStore(server.url, server.secret, TableSpec())
    await store.upsert([row("yang_wood_rat", "new", fingerprint="f")])
    (found,) = await store.read("yang_wood_rat", ["bazi_year_pillar"], ["de"])
    await store.aclose()
    assert (found.text, found.provenance) == ("new", None)
    assert server.sql("select provenance, views from public.content_library") == [{"provenance": "by hand", "views": 0}]


async def test_a_schema_that_the_api_does_not_serve_is_named(supabase: Supabase) -> None:
    """The remedy is a setting of the project."""
    (failure,) = await _failures(supabase, table=TableSpec(schema="private"))
    assert failure.name == "table"
    assert failure.hint == "Expose the schema private in the project's API settings."


async def test_the_description_that_an_api_gives_of_itself_names_every_column_that_nobody_fills(
    remade: Supabase,
) -> None:
    """The database stops at the first one; the description (served by hosted projects) knows the others."""
    remade.sql(
        f"{ALTER} add column tenant text not null default 'x', add column owner text not null default 'x';"
        f"{ALTER} alter column tenant drop default, alter column owner drop default"
    )
    required = ["id", "category", "key", "locale", "title", "description", "tenant", "owner"]
    properties = {name: {"type": "string"} for name in required} | {"id": {"default": "gen_random_uuid()"}}
    document = {"swagger": "2.0", "definitions": {"content_library": {"required": required, "properties": properties}}}
    remade.faults(_description(document))
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
    failures = [check for check in await store.check(sample(text="half of a pair \ud83d")) if not check.ok]
    await store.aclose()
    message = "bazi_year_pillar/yang_wood_rat/de: a text holds a character that UTF-8 cannot express"
    assert failures == [Check("constraints", ok=False, message=message, hint="Mend the catalog.")]


@pytest.mark.parametrize(("method", "skip"), [("GET", 0), ("GET", 1), ("GET", 2), ("POST", 0)])
@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}])
async def test_a_server_that_stumbles_is_no_fault_of_the_table(
    supabase: Supabase, method: str, skip: int, fault: dict[str, Any]
) -> None:
    """Whichever request it is: run again later, says the finding."""
    supabase.faults({"match": f"{method} /rest/v1/content_library", "skip": skip, **fault})
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
    assert failure.message == f"{url}: Supabase gave no answer (ConnectError)."
    assert failure.hint == "Check SUPABASE_URL and the network. Run again later; nothing paid is lost."


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
        return await store.check(sample())
    finally:
        await store.aclose()


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
