"""Whatever would stop a write is found without writing, and the hint says what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from adapters.library_rows import row, sample
from servers.supabase import GRANTS, MIGRATIONS, ORIGINAL_TABLE, PROVENANCE, UPDATED_AT, Supabase

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.ports import Check

GARBAGE = "sb_secret_ThisKeyIsNoRealKeyAtAl_Obvious1"
GRANT = (
    "grant usage on schema public to service_role; "
    "grant select, insert, update on table public.content_library to service_role;"
)
WRONG_KEY = "This key may not write. Use the secret key or the service role key of this project."
_ALTER = "alter table public.content_library"
_REVOKE = "revoke all on table public.content_library from service_role"
_OBJECTING = """
create or replace function public.objecting() returns trigger language plpgsql as $$ begin {body} end $$;
create trigger objecting before insert on public.content_library for each row execute function public.objecting();
"""


class Broken(NamedTuple):
    """What is done to a table that was right, and what the preflight has to say about it."""

    sql: str
    name: str
    message: str
    hint: str


IN_THE_DATABASE = {
    "no unique index": Broken(
        "drop index public.idx_content_library_lookup",
        "unique index",
        "public.content_library has no unique index on (category, key, locale)",
        "create unique index on public.content_library (category, key, locale);",
    ),
    "an index on part of the rows": Broken(
        "drop index public.idx_content_library_lookup;"
        "create unique index on public.content_library (category, key, locale) where locale = 'de'",
        "unique index",
        "public.content_library has no unique index on (category, key, locale)",
        "create unique index on public.content_library (category, key, locale);",
    ),
    "no grants": Broken(_REVOKE, "privileges", "permission denied for table content_library (42501)", GRANT),
    "only select granted": Broken(
        f"{_REVOKE}; grant select on table public.content_library to service_role",
        "privileges",
        "permission denied for table content_library (42501)",
        GRANT,
    ),
    "only insert granted": Broken(
        f"{_REVOKE}; grant insert on table public.content_library to service_role",
        "privileges",
        "permission denied for table content_library (42501)",
        GRANT,
    ),
    "update not granted": Broken(
        "revoke update on table public.content_library from service_role",
        "privileges",
        "permission denied for table content_library (42501)",
        GRANT,
    ),
    "a NOT NULL column that nobody fills": Broken(
        f"{_ALTER} add column tenant text not null default 'x'; {_ALTER} alter column tenant drop default",
        "not null",
        "nobody fills the NOT NULL column tenant of public.content_library",
        "Give tenant a default, or a value in catalog.toml: [table.constants] or [table.columns].",
    ),
    "an id that nobody fills": Broken(
        f"{_ALTER} alter column id drop default",
        "not null",
        "nobody fills the NOT NULL column id of public.content_library",
        "Give id a default, or a value in catalog.toml: [table.constants] or [table.columns].",
    ),
    "a CHECK constraint": Broken(
        f"{_ALTER} add constraint short check (length(description) < 100)",
        "constraints",
        'new row for relation "content_library" violates check constraint "short" (23514)',
        "public.content_library must take rows such as the catalog makes: change that rule, or the catalog.",
    ),
    "a column that is too short": Broken(
        f"{_ALTER} alter column description type varchar(100)",
        "constraints",
        "value too long for type character varying(100) (22001)",
        "public.content_library must take rows such as the catalog makes: change that rule, or the catalog.",
    ),
    "a trigger that objects": Broken(
        _OBJECTING.format(body="raise exception 'not on a Sunday: \"%\"', new.description;"),
        "constraints",
        "not on a Sunday: (a long value) (P0001)",
        "public.content_library must take rows such as the catalog makes: change that rule, or the catalog.",
    ),
    "a trigger that swallows rows": Broken(
        _OBJECTING.format(body="return null;"),
        "table",
        "public.content_library accepted the same row twice; a trigger or a view stands before the table",
        "Look at bazi_year_pillar/yang_wood_rat/de: the probe may have changed it. Seed a plain table instead.",
    ),
}


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
        ("publishable", "privileges", "permission denied for table content_library (42501)", WRONG_KEY),
        ("legacy anon", "privileges", "permission denied for table content_library (42501)", WRONG_KEY),
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
    server = project(ORIGINAL_TABLE, GRANTS, f"{_ALTER} drop column title, drop column description;")
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
    assert "seed-library schema" in checks[-1].hint
    assert _table(server) == before


async def test_further_columns_that_may_be_empty_and_a_foreign_provenance_are_left_alone(
    project: Callable[..., Supabase],
) -> None:
    """A column of that name which holds no JSON belongs to somebody else."""
    more = "add column reviewer text, add column views int not null default 0, add column provenance text"
    server = project(ORIGINAL_TABLE, GRANTS, f"{_ALTER} {more};")
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
        f"{_ALTER} add column tenant text not null default 'x', add column owner text not null default 'x';"
        f"{_ALTER} alter column tenant drop default, alter column owner drop default"
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
    remade.sql(f"{_ALTER} alter column id drop default")
    remade.faults(_description(description))
    (failure,) = await _failures(remade)
    assert failure.message == "nobody fills the NOT NULL column id of public.content_library"


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
