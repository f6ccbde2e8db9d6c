"""Tables that were right and would now refuse a row, and what a preflight has to say about each."""

from __future__ import annotations

from typing import NamedTuple

GRANT = (
    "grant usage on schema public to service_role; "
    "grant select, insert, update on table public.content_library to service_role;"
)
DENIED = "permission denied for table content_library (42501)"
RULES = "public.content_library must take rows such as the catalog makes: change that rule, or the catalog."
ALTER = "alter table public.content_library"
_REVOKE = "revoke all on table public.content_library from service_role"
_OBJECTING = """
create or replace function public.objecting() returns trigger language plpgsql as $$ begin {body} end $$;
create trigger objecting before insert on public.content_library for each row execute function public.objecting();
"""


class Broken(NamedTuple):
    """What is done to a table that was right, and what a preflight has to say about it, with and without functions.

    `found` is the finding where the functions of the migration are installed, `probed` where they are not; empty: that
    cannot be seen then.
    """

    sql: str
    found: tuple[str, str, str]
    probed: tuple[str, str, str] | None

    @classmethod
    def alike(cls, sql: str, name: str, message: str, hint: str) -> Broken:
        """Return one of which both ways say the same."""
        return cls(sql, (name, message, hint), (name, message, hint))


_TABLE = "public.content_library"
_ITEM = "bazi_year_pillar/yang_wood_rat/de"
_NO_INDEX = "public.content_library has no unique index on (category, key, locale)"
_INDEX = "create unique index on public.content_library (category, key, locale);"
_FILL = "Give {0} a default, or a value in catalog.toml: [table.constants] or [table.columns]."
_UNFILLED = "nobody fills the NOT NULL column {0} of public.content_library"
_NEVER_FOUND = (
    "Its row would never be found again. Write the keys as the columns of public.content_library give them back, "
    "or make these columns text."
)

IN_THE_DATABASE = {
    "no unique index": Broken.alike("drop index public.idx_content_library_lookup", "unique index", _NO_INDEX, _INDEX),
    "an index on part of the rows": Broken.alike(
        "drop index public.idx_content_library_lookup;"
        "create unique index on public.content_library (category, key, locale) where locale = 'de'",
        "unique index",
        _NO_INDEX,
        _INDEX,
    ),
    "an index on other columns": Broken.alike(
        "drop index public.idx_content_library_lookup;"
        "create unique index on public.content_library (category, key, locale, title)",
        "unique index",
        _NO_INDEX,
        _INDEX,
    ),
    "a deferrable constraint": Broken.alike(
        "drop index public.idx_content_library_lookup;"
        f"{ALTER} add constraint later unique (category, key, locale) deferrable",
        "unique index",
        f"{_NO_INDEX} that an upsert can use: its constraint is deferrable",
        _INDEX,
    ),
    "no grants": Broken.alike(_REVOKE, "privileges", DENIED, GRANT),
    "only select granted": Broken(
        f"{_REVOKE}; grant select on table public.content_library to service_role",
        ("privileges", "the key may not insert, update on public.content_library", GRANT),
        ("privileges", DENIED, GRANT),
    ),
    "only insert granted": Broken.alike(
        f"{_REVOKE}; grant insert on table public.content_library to service_role", "privileges", DENIED, GRANT
    ),
    "update not granted": Broken(
        "revoke update on table public.content_library from service_role",
        ("privileges", "the key may not update on public.content_library", GRANT),
        ("privileges", DENIED, GRANT),
    ),
    "a NOT NULL column that nobody fills": Broken.alike(
        f"{ALTER} add column tenant text not null default 'x'; {ALTER} alter column tenant drop default",
        "not null",
        _UNFILLED.format("tenant"),
        _FILL.format("tenant"),
    ),
    "an id that nobody fills": Broken.alike(
        f"{ALTER} alter column id drop default", "not null", _UNFILLED.format("id"), _FILL.format("id")
    ),
    "a NOT NULL column beside those whose defaults the API does not describe": Broken.alike(
        f"{ALTER} add column number bigserial, add column meta jsonb not null default '{{}}',"
        " add column tags text[] not null default '{}', add column counted bigint generated always as identity,"
        " add column tenant text not null default 'x'; " + f"{ALTER} alter column tenant drop default;"
        "grant usage on all sequences in schema public to service_role",
        "not null",
        _UNFILLED.format("tenant"),
        _FILL.format("tenant"),
    ),
    "a CHECK constraint": Broken.alike(
        f"{ALTER} add constraint short check (length(description) < 100)",
        "rows",
        f'{_ITEM}: new row for relation "content_library" violates check constraint "short" (23514)',
        RULES,
    ),
    "a column that is too short": Broken.alike(
        f"{ALTER} alter column description type varchar(100)",
        "rows",
        f"{_ITEM}: value too long for type character varying(100) (22001)",
        RULES,
    ),
    "a trigger that objects": Broken(
        _OBJECTING.format(body="raise exception 'not on a Sunday: \"%\"', new.description;"),
        ("rows", f"{_ITEM}: not on a Sunday: (a long value) (P0001) [function objecting()]", RULES),
        ("rows", f"{_ITEM}: not on a Sunday: (a long value) (P0001)", RULES),
    ),
    "a trigger that swallows rows": Broken(
        _OBJECTING.format(body="return null;"),
        ("keys", f"{_ITEM}: a trigger drops its row without a word", _NEVER_FOUND),
        (
            "table",
            "public.content_library accepted the same row twice; a trigger or a view stands before the table",
            "",
        ),
    ),
    "a foreign key without its parent": Broken(
        "create table if not exists public.parents (slug text primary key);"
        f"{ALTER} add constraint of_parent foreign key (category) references public.parents (slug)",
        (
            "rows",
            f'{_ITEM}: insert or update on table "content_library" violates foreign key constraint "of_parent" (23503)',
            RULES,
        ),
        None,
    ),
    "a foreign key that waits for the end of the transaction": Broken(
        "create table if not exists public.parents (slug text primary key);"
        f"{ALTER} add constraint of_parent foreign key (locale) references public.parents (slug)"
        " deferrable initially deferred",
        (
            "rows",
            f'{_ITEM}: insert or update on table "content_library" violates foreign key constraint "of_parent" (23503)',
            RULES,
        ),
        None,
    ),
    "a trigger that writes into a table that is not there": Broken(
        _OBJECTING.format(body="insert into public.audit_log select new.key; return new;").replace(
            "before insert", "after insert"
        ),
        (
            "rows",
            f'{_ITEM}: relation "public.audit_log" does not exist (42P01) [function objecting()]',
            f"A trigger or function behind {_TABLE} needs public.audit_log: create that, or mend the trigger.",
        ),
        None,
    ),
}
