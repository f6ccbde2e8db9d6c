"""SQL as text: names, literals, and the table that a catalog asks for."""

from __future__ import annotations

import zlib

from seed_library.core.catalog import TableSpec

_DAY = "20260210"  # on which content_library was made
_SECONDS_OF_A_DAY = 86_400
_SCHEMA = """\
-- The schema has to be exposed in the project's API settings as well.
create schema if not exists {schema};

"""
# As the migrations of content_library leave that table.
_TABLE = """\
create table if not exists {table} (
{columns}
);

create unique index if not exists {index} on {table} ({unique});

alter table {table} enable row level security;

-- Signed-in users read; only the service role writes.
drop policy if exists {may_select} on {table};
create policy {may_select} on {table} for select to authenticated using (true);
drop policy if exists {may_insert} on {table};
create policy {may_insert} on {table} for insert to service_role with check (true);
drop policy if exists {may_update} on {table};
create policy {may_update} on {table} for update to service_role using (true);
grant usage on schema {schema} to service_role, authenticated;
grant select, insert, update on table {table} to service_role;
grant select on table {table} to authenticated;

-- A default applies to inserts only; an update must move updated_at by itself, but not when nothing changed.
create or replace function {schema}.{touch}() returns trigger language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

drop trigger if exists {touch} on {table};
create trigger {touch} before update on {table}
  for each row when (old.* is distinct from new.*) execute function {schema}.{touch}();
"""


def identifier(name: str) -> str:
    """Quote a name, so that its case is kept and no name is a keyword."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Quote a string, for standard_conforming_strings = on."""
    return "'" + value.replace("'", "''") + "'"


def table_migration_name(table: TableSpec) -> str:
    """Return the file name of a table's migration: always the same, and not another table's.

    Supabase knows a migration by the time in its name, so two tables must not share one.
    """
    second = zlib.crc32(f"{table.schema}.{table.name}".encode()) % _SECONDS_OF_A_DAY
    time = f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"
    return f"{_DAY}{time}_{table.name}.sql"


def table_migration(table: TableSpec) -> str:
    """Return SQL that makes the table of a catalog: its columns, unique index, rights, trigger and provenance.

    It may be applied again. A table of that name that is there already keeps its columns.
    """
    filled = (*table.conflict_columns, table.title, table.text, *table.generated, *table.constants)
    columns = {
        "id": "uuid primary key default gen_random_uuid()",
        **dict.fromkeys(filled, "text not null"),
        "created_at": "timestamptz default now()",
        "updated_at": "timestamptz default now()",
        "provenance": "jsonb",
    }
    made = "" if table.schema == TableSpec().schema else _SCHEMA
    return (made + _TABLE).format(
        schema=identifier(table.schema),
        table=f"{identifier(table.schema)}.{identifier(table.name)}",
        columns=",\n".join(f"  {identifier(name)} {kind}" for name, kind in columns.items()),
        unique=", ".join(map(identifier, table.conflict_columns)),
        index=identifier(f"idx_{table.name}_lookup"),
        may_select=identifier(f"{table.name}_select_authenticated"),
        may_insert=identifier(f"{table.name}_insert_service"),
        may_update=identifier(f"{table.name}_update_service"),
        touch=identifier(f"{table.name}_touch"),
    )
