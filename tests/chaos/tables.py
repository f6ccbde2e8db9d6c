"""The table of a trial: how it is made harder, and the history of its rows, kept by the database itself.

Every change of a row is noted in the transaction that makes it, with the role that does it: the program comes through
the API as the service role, a person does not. All of it is in a schema of its own, which goes away with the trial.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from servers.supabase import Supabase

TABLE = "public.content_library"
PROGRAM = "service_role"
CATEGORY, LOCALE = "bazi_year_pillar", "de"
_USUAL_LIMIT_MS = 8_000
_HISTORY = f"""
drop schema if exists chaos cascade;
create schema chaos;
create table chaos.changes (
  id bigint generated always as identity primary key, who text not null, deed text not null, key text not null,
  title_before text, text_before text, title_after text, text_after text
);
create function chaos.note() returns trigger language plpgsql as $$
begin
  insert into chaos.changes (who, deed, key, title_before, text_before, title_after, text_after)
  values (current_user, tg_op, coalesce(new.key, old.key)::text,
          old.title, old.description, new.title, new.description);
  return null;
end
$$;
create trigger chaos_note after insert or update or delete on {TABLE} for each row execute function chaos.note();
grant usage on schema chaos to {PROGRAM};
grant insert on chaos.changes to {PROGRAM};
grant delete on {TABLE} to {PROGRAM};
"""
_AWAY = f"""
drop schema if exists chaos cascade;
revoke delete on {TABLE} from {PROGRAM};
"""
_SLOW = """
create function chaos.dawdle() returns trigger language plpgsql as $$
begin
  perform pg_sleep({seconds});
  return new;
end
$$;
create trigger chaos_dawdle before insert or update on {table} for each row execute function chaos.dawdle();
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What makes a text: what nobody may replace unseen."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a row. `before` is None where there was none, `after` where there is none any more."""

    deed: str
    by_program: bool
    key: str
    before: Content | None
    after: Content | None


@dataclass(frozen=True, slots=True)
class Slowness:
    """How long the table takes for a row, and how long the API lets a statement take, in milliseconds."""

    row: int
    limit: int


@contextmanager
def watched_table(supabase: Supabase, key_type: str, slowness: Slowness | None) -> Iterator[None]:
    """Have the history of the empty library kept, its keys of another type, and each of its rows take its time."""
    try:
        supabase.sql(_HISTORY)
        if key_type != "text":
            _retype(supabase, key_type)
        if slowness is not None:
            supabase.sql(_SLOW.format(table=TABLE, seconds=slowness.row / 1000))
            supabase.limit(PROGRAM, slowness.limit)
        yield
    finally:
        be_quick(supabase)
        supabase.sql(f"truncate {TABLE}")
        supabase.sql(_AWAY)
        if key_type != "text":
            _retype(supabase, "text")


def be_quick(supabase: Supabase) -> None:
    """Let no row take its time any more."""
    supabase.sql(f"drop trigger if exists chaos_dawdle on {TABLE}")
    supabase.limit(PROGRAM, _USUAL_LIMIT_MS)


def _retype(supabase: Supabase, key_type: str) -> None:
    supabase.sql(f"alter table {TABLE} alter column key type {key_type} using key::{key_type}")


@contextmanager
def refusing(supabase: Supabase, key_type: str, refused: Collection[str], allowed: Collection[str]) -> Iterator[None]:
    """Let a foreign key refuse new rows of some keys, for a while; rows that are there stay."""
    if not refused:
        yield
        return
    supabase.sql(f"create table chaos.parents (key {key_type} primary key)")
    if allowed:
        supabase.sql(f"insert into chaos.parents select unnest({as_array(allowed)})")
    supabase.sql(
        f"alter table {TABLE} add constraint chaos_parent foreign key (key) references chaos.parents (key) not valid"
    )
    try:
        yield
    finally:
        supabase.sql(f"alter table {TABLE} drop constraint chaos_parent")
        supabase.sql("drop table chaos.parents")


def history(supabase: Supabase) -> list[Change]:
    """Return every change of a row since the trial began, in the order in which the rows saw them."""
    return [
        Change(
            row["deed"],
            row["who"] == PROGRAM,
            row["key"],
            _content(row["title_before"], row["text_before"]),
            _content(row["title_after"], row["text_after"]),
        )
        for row in supabase.sql("select * from chaos.changes order by id")
    ]


def _content(title: str | None, text: str | None) -> Content | None:
    return None if title is None or text is None else Content(title, text)


def stored(supabase: Supabase) -> dict[str, Content]:
    """Return what is in the table, by key."""
    rows = supabase.sql(f"select key::text as key, title, description from {TABLE}")
    return {row["key"]: Content(row["title"], row["description"]) for row in rows}


def taken_out_by_a_person(changes: Sequence[Change]) -> set[str]:
    """Return the keys whose rows a person has deleted, and that nobody has written since."""
    last = {change.key: change for change in changes}
    return {key for key, change in last.items() if change.deed == "DELETE" and not change.by_program}


def as_array(keys: Collection[str]) -> str:
    """Return keys as an array of SQL."""
    spelt = ", ".join("'" + key.replace("'", "''") + "'" for key in sorted(keys))
    return f"array[{spelt}]::text[]"
