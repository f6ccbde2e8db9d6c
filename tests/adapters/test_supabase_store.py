"""What the Supabase store asks of the server, and what that does to the table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from adapters.library_rows import named, put, row, stored
from servers.supabase import GRANTS, MIGRATIONS, ORIGINAL_TABLE, PROVENANCE, UPDATED_AT, Supabase

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused

TEXT = "Nobody's business."
_OLD = "2020-02-02 02:02:02+00"


@pytest.fixture
async def open_at() -> AsyncIterator[Callable[[Supabase], SupabaseStore]]:
    """Opens the store of a project and closes it again."""
    opened: list[SupabaseStore] = []

    def opening(project: Supabase) -> SupabaseStore:
        opened.append(SupabaseStore(project.url, project.secret, TableSpec()))
        return opened[-1]

    yield opening
    for store in opened:
        await store.aclose()


@pytest.fixture
def store(supabase: Supabase, open_at: Callable[[Supabase], SupabaseStore]) -> SupabaseStore:
    """The store of a project with everything in it."""
    return open_at(supabase)


VARIANTS = {
    "everything": MIGRATIONS,
    "no trigger": (ORIGINAL_TABLE, GRANTS, PROVENANCE),
    "no provenance": (ORIGINAL_TABLE, GRANTS, UPDATED_AT),
    "as the original app has it": (ORIGINAL_TABLE, GRANTS),
    "no updated_at": (ORIGINAL_TABLE, GRANTS, "alter table public.content_library drop column updated_at;"),
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_an_upsert_replaces_the_text_and_leaves_the_identity_of_the_row(
    project: Callable[..., Supabase], open_at: Callable[[Supabase], SupabaseStore], variant: str
) -> None:
    """`id` and `created_at` stay, `updated_at` moves: with the trigger and without it, with provenance or not."""
    server = project(*VARIANTS[variant])
    has_provenance, has_updated_at = "provenance" in _columns(server), "updated_at" in _columns(server)
    server.sql(
        "insert into public.content_library (category, key, locale, title, description, created_at)"
        f" values ('bazi_year_pillar', 'a', 'de', 'T', 'old', '{_OLD}')"
    )
    if has_updated_at:
        server.sql("alter table public.content_library disable trigger user")
        server.sql(f"update public.content_library set updated_at = '{_OLD}'")
        server.sql("alter table public.content_library enable trigger user")
    (before,) = server.sql("select * from public.content_library")
    store = open_at(server)
    await put(store, row("a", "new", writer="claude", fingerprint="f"), row("b"))
    after, fresh = server.sql("select * from public.content_library order by key")
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert (after["description"], after["title"]) == ("new", "Title of a")
    assert fresh["id"] not in {None, after["id"]}
    if has_updated_at:
        assert after["updated_at"] > before["updated_at"]
        assert fresh["created_at"] == fresh["updated_at"]
    known = {"writer": "claude", "fingerprint": "f", "version": row("a", "new").version}
    if has_provenance:
        assert (after["provenance"], fresh["provenance"]) == (known, {"version": row("b").version})
    (found,) = [found for found in await stored(store) if found.id.key == "a"]
    assert (found.fingerprint, found.writer) == (("f", "claude") if has_provenance else ("", ""))
    (text,) = await store.read(named("a", ["bazi_year_pillar"], ["de"]))
    assert text.provenance == (known if has_provenance else None)
    assert bool(text.updated_at) == has_updated_at


async def test_a_write_names_its_columns_and_its_unique_index_and_replaces_nothing(
    supabase: Supabase, store: SupabaseStore
) -> None:
    """The same columns for every row, never `id` or `created_at`; one request per batch, answered with keys only."""
    await store.upsert([row("a"), row("b", writer="claude", fingerprint="f"), row("c")])
    (write,) = [entry for entry in supabase.log() if entry["line"].startswith("POST")]
    asked = parse_qs(write["query"])
    assert asked["on_conflict"] == ['"category","key","locale"']
    assert asked["select"] == ['category:"category"::text,key:"key"::text,locale:"locale"::text']
    assert {name.strip('"') for name in asked["columns"][0].split(",")} == {
        "category",
        "key",
        "locale",
        "title",
        "description",
        "updated_at",
        "provenance",
    }
    assert {"resolution=ignore-duplicates", "return=representation"} <= set(write["prefer"].split(","))


async def test_the_optional_columns_are_looked_up_once(supabase: Supabase, store: SupabaseStore) -> None:
    """After that a batch is one request and a small library another one."""
    await store.upsert([row("a")])
    supabase.log()
    for key in "bc":
        await store.upsert([row(key)])
    await stored(store)
    assert [entry["line"].split()[0] for entry in supabase.log()] == ["POST", "POST", "GET"]


async def test_three_thousand_rows_are_read_in_as_few_pages_as_the_project_allows(
    supabase: Supabase, store: SupabaseStore
) -> None:
    """A page ends at the project's cap; the count says when there are no more, without an empty page at the end."""
    _fill(supabase, 3000)
    await store.existing_extras()
    supabase.log()
    assert [found.id.key for found in await stored(store, ["x"])] == [f"k{number:05}" for number in range(1, 3001)]
    assert [entry["line"] for entry in supabase.log()] == ["GET /rest/v1/content_library"] * 3


async def test_rows_that_come_and_go_while_reading_do_not_hide_others(supabase: Supabase, store: SupabaseStore) -> None:
    """Pages begin behind the last key, not after a number of rows."""
    _fill(supabase, 2500)
    seen = []
    async for found in store.rows(["x"], ["de"]):
        seen.append(found.id.key)
        if len(seen) == 500:
            supabase.sql("delete from public.content_library where key < 'k00100'")
            _fill(supabase, 40, prefix="a")
    assert seen == [f"k{number:05}" for number in range(1, 2501)]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("add constraint kind check (description not like 'Nobody%')", "23514"),
        ("alter column title type varchar(11)", "22001"),
        ("alter column locale type uuid using null", "22P02"),
    ],
)
async def test_a_row_that_breaks_a_rule_of_the_table_is_refused_without_being_quoted(
    project: Callable[..., Supabase], open_at: Callable[[Supabase], SupabaseStore], rule: str, code: str
) -> None:
    """The engine halves the batch until that row stands alone; the database would quote it in full."""
    server = project(*MIGRATIONS)
    server.sql(f"alter table public.content_library alter column locale drop not null, {rule}")
    store = open_at(server)
    with pytest.raises(RowsRefused) as refusal:
        await store.upsert([row("a", "A good text."), row("key", TEXT, locale="de" * 40)])
    assert f"({code})" in refusal.value.message
    assert TEXT not in refusal.value.message
    assert "dede" not in refusal.value.message
    assert server.count() == 0


def _columns(project: Supabase) -> set[str]:
    found: list[dict[str, Any]] = project.sql(
        "select column_name from information_schema.columns where table_name = 'content_library'"
    )
    return {column["column_name"] for column in found}


def _fill(project: Supabase, rows: int, *, prefix: str = "k") -> None:
    project.sql(
        "insert into public.content_library (category, key, locale, title, description)"
        f" select 'x', '{prefix}' || lpad(n::text, 5, '0'), 'de', 'T', 'D' from generate_series(1, {rows}) n"
    )
