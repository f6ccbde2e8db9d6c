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
    "no grants": Broken(_REVOKE, "privileges", DENIED, GRANT),
    "only select granted": Broken(
        f"{_REVOKE}; grant select on table public.content_library to service_role",
        "privileges",
        DENIED,
        GRANT,
    ),
    "only insert granted": Broken(
        f"{_REVOKE}; grant insert on table public.content_library to service_role",
        "privileges",
        DENIED,
        GRANT,
    ),
    "update not granted": Broken(
        "revoke update on table public.content_library from service_role",
        "privileges",
        DENIED,
        GRANT,
    ),
    "a NOT NULL column that nobody fills": Broken(
        f"{ALTER} add column tenant text not null default 'x'; {ALTER} alter column tenant drop default",
        "not null",
        "nobody fills the NOT NULL column tenant of public.content_library",
        "Give tenant a default, or a value in catalog.toml: [table.constants] or [table.columns].",
    ),
    "an id that nobody fills": Broken(
        f"{ALTER} alter column id drop default",
        "not null",
        "nobody fills the NOT NULL column id of public.content_library",
        "Give id a default, or a value in catalog.toml: [table.constants] or [table.columns].",
    ),
    "a CHECK constraint": Broken(
        f"{ALTER} add constraint short check (length(description) < 100)",
        "constraints",
        'new row for relation "content_library" violates check constraint "short" (23514)',
        RULES,
    ),
    "a column that is too short": Broken(
        f"{ALTER} alter column description type varchar(100)",
        "constraints",
        "value too long for type character varying(100) (22001)",
        RULES,
    ),
    "a trigger that objects": Broken(
        _OBJECTING.format(body="raise exception 'not on a Sunday: \"%\"', new.description;"),
        "constraints",
        "not on a Sunday: (a long value) (P0001)",
        RULES,
    ),
    "a trigger that swallows rows": Broken(
        _OBJECTING.format(body="return null;"),
        "table",
        "public.content_library accepted the same row twice; a trigger or a view stands before the table",
        "Look at bazi_year_pillar/yang_wood_rat/de: the probe may have changed it. Seed a plain table instead.",
    ),
}
