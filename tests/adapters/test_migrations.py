"""The migrations on a real Postgres: repeatable, minimal in what they grant, and true to the original table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from servers.supabase import MIGRATIONS, Supabase

from seed_library.adapters.migrations import migrations, migrations_for
from seed_library.core.catalog import TableSpec

INSERT = """
insert into public.content_library (category, key, locale, title, description)
values ('signs', '{key}', 'de', 'Titel', 'Text')
"""


def test_migrations_come_in_the_order_in_which_they_apply() -> None:
    """Named as the Supabase CLI sorts them: the table first, what builds on it later."""
    names = [migration.name for migration in migrations()]
    assert names == sorted(names) == [path.name for path in MIGRATIONS]
    assert all(re.fullmatch(r"\d{14}_content_library\w*\.sql", name) for name in names)
    assert len({name[:14] for name in names}) == len(names)
    assert "create table if not exists public.content_library" in migrations()[0].sql


def test_applying_all_of_them_again_changes_nothing(supabase: Supabase) -> None:
    """A project that has the table already may run them; its rows stay."""
    supabase.sql(INSERT.format(key="dawn"))
    before = supabase.sql("select * from public.content_library")
    for migration in migrations():
        supabase.sql(migration.sql)
    assert supabase.sql("select * from public.content_library") == before


def test_the_table_is_that_of_the_original_app_and_one_column_more(supabase: Supabase) -> None:
    """Name, type, and whether a value must be there."""
    columns = supabase.sql(
        "select column_name, data_type, is_nullable = 'NO' as must, column_default is not null as filled"
        " from information_schema.columns where table_name = 'content_library' order by ordinal_position"
    )
    texts = [(name, "text", True, False) for name in ("category", "key", "locale", "title", "description")]
    times = [(name, "timestamp with time zone", False, True) for name in ("created_at", "updated_at")]
    assert [tuple(column.values()) for column in columns] == [
        ("id", "uuid", True, True),
        *texts,
        *times,
        ("provenance", "jsonb", False, False),
    ]


def test_an_item_can_have_one_row_only(supabase: Supabase) -> None:
    """Category, key and locale together are unique."""
    supabase.sql(INSERT.format(key="dawn"))
    supabase.sql(INSERT.format(key="dusk"))
    with pytest.raises(RuntimeError, match="23505"):
        supabase.sql(INSERT.format(key="dawn"))


@pytest.mark.parametrize(
    ("role", "granted"),
    [("service_role", {"select", "insert", "update"}), ("authenticated", {"select"}), ("anon", set())],
)
def test_each_role_may_do_what_it_needs_and_no_more(supabase: Supabase, role: str, granted: set[str]) -> None:
    """The service role never deletes; signed-in users read; nobody else sees the table."""
    privileges = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
    asked = ", ".join(
        f"has_table_privilege('{role}', 'public.content_library', '{one}') as {one}" for one in privileges
    )
    assert {name for name, has in supabase.sql(f"select {asked}")[0].items() if has} == granted


def test_row_level_security_is_on(supabase: Supabase) -> None:
    """With policies for signed-in readers and for the service role."""
    secured = "select relrowsecurity as on from pg_class where oid = 'public.content_library'::regclass"
    policies = "select cmd, roles::text as roles from pg_policies where tablename = 'content_library' order by cmd"
    assert supabase.sql(secured) == [{"on": True}]
    assert [tuple(row.values()) for row in supabase.sql(policies)] == [
        ("INSERT", "{service_role}"),
        ("SELECT", "{authenticated}"),
        ("UPDATE", "{service_role}"),
    ]


def test_updated_at_moves_with_a_change_and_only_then(supabase: Supabase) -> None:
    """Writing the same values again is no change."""
    read = "select updated_at::text as at from public.content_library"
    times = supabase.sql(INSERT.format(key="dawn") + "returning updated_at::text as at")
    for change in ("title = title", "title = 'Anders'"):
        supabase.sql(f"update public.content_library set {change}")
        times += supabase.sql(read)
    inserted, rewritten, changed = (time["at"] for time in times)
    assert inserted == rewritten < changed


# The table of another catalog.

TWIN = TableSpec(name="Twin_of_it")
OWN = TableSpec(
    schema="garden", name="plants", category="kind", key="id", text="order", constants={"app": "x"}, generated=("tip",)
)


def _shape(server: Supabase, table: str) -> list[list[dict[str, Any]]]:
    """Everything about a table that a program or a reader could run into, its own name taken out."""
    columns = (
        "select column_name, data_type, is_nullable, column_default from information_schema.columns"
        f" where table_name = '{table}' order by column_name"
    )
    policies = (
        "select replace(policyname, tablename, '') as name, cmd, roles::text as roles, qual, with_check"
        f" from pg_policies where tablename = '{table}' order by cmd"
    )
    grants = (
        "select grantee, privilege_type from information_schema.role_table_grants"
        f" where table_name = '{table}' order by grantee, privilege_type"
    )
    unique = (
        "select array(select attname::text from pg_attribute where attrelid = indexrelid order by attnum)::text"
        f" from pg_index join pg_class on pg_class.oid = indrelid where relname = '{table}' and indisunique order by 1"
    )
    guarded = f"select relrowsecurity as secured, relhastriggers as touched from pg_class where relname = '{table}'"
    return [server.sql(question) for question in (columns, policies, grants, unique, guarded)]


def test_another_table_is_made_as_content_library_is(project: Callable[..., Supabase]) -> None:
    """Same columns, rights, policies, trigger and unique index: its users need not know two kinds of table."""
    server = project(*MIGRATIONS, *(migration.sql for migration in migrations_for(TWIN)))
    assert all(_shape(server, TWIN.name))
    assert _shape(server, TWIN.name) == _shape(server, "content_library")


def test_a_table_has_the_columns_of_its_catalog_and_can_be_made_again(project: Callable[..., Supabase]) -> None:
    """In a schema of its own, with a name that is a keyword, and with a key that is called id."""
    server = project(*(migration.sql for migration in migrations_for(OWN)))
    server.sql("""
        insert into garden.plants (kind, id, locale, title, "order", app, tip)
        values ('tree', 'oak', 'de', 'Eiche', 'Ein Baum.', 'x', 'Wenig Wasser.')
    """)
    for migration in migrations_for(OWN):
        server.sql(migration.sql)
    (row,) = server.sql("select * from garden.plants")
    assert list(row) == [
        *("id", "kind", "locale", "title", "order", "tip", "app"),
        *("created_at", "updated_at", "provenance"),
    ]


def test_no_two_tables_have_migrations_of_one_name() -> None:
    """Supabase tells migrations apart by the time in their names; those of the lease are the same for all."""
    known = [migration.name for migration in migrations()]
    (mine, *shared), (twins, *_) = ([one.name for one in migrations_for(table)] for table in (OWN, TWIN))
    assert shared == known[-3:]
    assert len({name[:14] for name in (mine, twins, *known)}) == len(known) + 2
    assert re.fullmatch(r"20260210([01]\d|2[0-3])([0-5]\d){2}_plants\.sql", mine)
