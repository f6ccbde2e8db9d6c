"""One contract for every store: the real ones, and the one in memory that the engine's tests rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from adapters.library_rows import AWKWARD, CATEGORY, named, put, row, stored
from fakes.store import MemoryStore
from servers.supabase import MIGRATIONS, Supabase

from seed_library.adapters.fenced import FencedStore
from seed_library.adapters.lease import Applicant, SupabaseLease
from seed_library.adapters.lease_functions import LeaseFunctions
from seed_library.adapters.sqlite import SqliteStore
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused
from seed_library.core.lease import LeaseTimes
from seed_library.ports import Library, StoredRow, StoredText

STORES = ("sqlite", "supabase", "fenced", "memory")
MAPPED = TableSpec(
    name="texts",
    category="kind",
    key="slug",
    locale="language",
    title="heading",
    text="body",
    constants={"app": "nuuray", "Note": "100 % 'so'"},
)
_MAPPED_TABLE = """
create table public.texts (id bigint generated always as identity primary key, kind text, slug text, language text,
  heading text not null, body text not null, app text not null, "Note" text not null, "Tip" text,
  unique (slug, language, kind));
grant select, insert, update on table public.texts to service_role;
"""
# Columns that are called as our words for other ones.
SWAPPED = TableSpec(name="swapped", category="text", key="title", locale="key", title="category", text="locale")
_SWAPPED_TABLE = """
create table public.swapped (text text, title text, key text, category text, locale text, unique (text, title, key));
grant select, insert, update on table public.swapped to service_role;
"""
# Keys are ordered by the rules of a language, as in many hosted projects, and no answer holds more than a few rows.
_ORDERED_BY_LANGUAGE = 'alter table public.content_library alter column key type text collate "und-x-icu";'
_MAX_ROWS = 7

Opener = Callable[[TableSpec], Library]


@pytest.fixture(scope="module")
def small_pages(module_project: Callable[..., Supabase]) -> Supabase:
    """A project that gives a few rows per answer and has a second table with columns of other names."""
    return module_project(*MIGRATIONS, _ORDERED_BY_LANGUAGE, _MAPPED_TABLE, _SWAPPED_TABLE, max_rows=_MAX_ROWS)


@pytest.fixture
async def opener(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """How to open a store of the kind that the test asks for; there is nothing in it yet."""
    opened: list[Library] = []
    remote = {"supabase": _supabase, "fenced": _fenced}.get(request.param)
    opening = remote(request) if remote else _local(request.param, tmp_path)

    def keeping(table: TableSpec) -> Library:
        opened.append(opening(table))
        return opened[-1]

    yield keeping
    for store in opened:
        await store.aclose()


def _fenced(request: pytest.FixtureRequest) -> Opener:
    """Open stores whose writes carry a token; the lease was granted before, by hand."""
    project: Supabase = request.getfixturevalue("small_pages")
    plain = _supabase(request)

    def opening(table: TableSpec) -> Library:
        project.sql(f"select public.seed_library_acquire('{table.schema}.{table.name}', 'me', 90, '{{}}')")
        store = plain(table)
        assert isinstance(store, SupabaseStore)
        lease = SupabaseLease(LeaseFunctions(store.connection, table, LeaseTimes()), Applicant("me", {}))
        lease._token = 1
        return FencedStore(store, lease)

    return opening


def _supabase(request: pytest.FixtureRequest) -> Opener:
    project: Supabase = request.getfixturevalue("small_pages")
    project.reset()
    project.sql("truncate public.texts")
    return lambda table: SupabaseStore(project.url, project.secret, table)


def _local(kind: str, folder: Path) -> Opener:
    return lambda table: MemoryStore() if kind == "memory" else SqliteStore(folder / "library.db", table)


@pytest.fixture
def store(opener: Opener) -> Library:
    """An empty store with the table of the Bazi library."""
    return opener(TableSpec())


every_store = pytest.mark.parametrize("opener", STORES, indirect=True)


@every_store
async def test_an_empty_library_holds_nothing(store: Library) -> None:
    """Neither rows nor texts, and that is no error."""
    assert await stored(store) == []
    assert await store.read(named("yang_wood_rat", [CATEGORY], ["de"])) == []


@every_store
async def test_an_upsert_inserts_what_is_new_and_replaces_what_is_there(store: Library) -> None:
    """By category, key and locale; the neighbours stay as they are."""
    await store.upsert([row("a", "old"), row("b", "stays"), row("a", "other locale", locale="en")])
    assert await put(store, row("a", "new"), row("c", "added")) == []
    assert {found.id.key for found in await stored(store)} == {"a", "b", "c"}
    texts = [text.text for key in "abc" for text in await store.read(named(key, [CATEGORY], ["de", "en"]))]
    assert texts == ["new", "other locale", "stays", "added"]


@every_store
async def test_repeating_an_upsert_changes_nothing(store: Library) -> None:
    """A lost answer is simply asked for again."""
    batch = [row(key, f"Text {key}", fingerprint=key) for key in "abc"]
    await store.upsert(batch)
    before = await stored(store), await _texts(store, "abc")
    await store.upsert(batch)
    assert (await stored(store), await _texts(store, "abc")) == before


@every_store
async def test_a_plan_learns_the_fingerprint_and_the_writer_of_every_row(store: Library) -> None:
    """They come from the provenance; a row without them has empty ones."""
    await store.upsert([row("a", fingerprint="f" * 64, writer="claude", cost_micro_usd=3), row("b")])
    assert sorted(await stored(store), key=lambda found: found.id) == [
        StoredRow(ItemId(CATEGORY, "a", "de"), "f" * 64, "claude"),
        StoredRow(ItemId(CATEGORY, "b", "de"), "", ""),
    ]


@every_store
async def test_rows_come_from_the_wanted_categories_and_locales_only(store: Library) -> None:
    """And once, even where a category or a locale is named twice."""
    batch = [row("a", category=category, locale=locale) for category in ("x", "y", "z") for locale in ("de", "en")]
    await store.upsert(batch)
    found = [str(found.id) for found in await stored(store, ["x", "y", "x"], ["en", "en"])]
    assert sorted(found) == ["x/a/en", "y/a/en"]
    assert [str(text.id) for text in await store.read(named("a", ["z", "y"], ["de"]))] == ["y/a/de", "z/a/de"]


@every_store
async def test_every_row_comes_exactly_once_whatever_its_key_looks_like(store: Library) -> None:
    """Keys that have to be quoted stand at the end of pages too, where the next page begins behind them."""
    keys = [f"{start}{awkward}" for awkward in AWKWARD for start in ("", "z ", "Ä_")]
    assert len(keys) > 4 * _MAX_ROWS
    await store.upsert([row(key) for key in keys])
    assert sorted(found.id.key for found in await stored(store)) == sorted(keys)


@every_store
async def test_a_library_may_be_larger_than_the_thousand_rows_of_one_answer(store: Library) -> None:
    """Rows are read page by page."""
    ids = [ItemId(category, f"key_{number}", "de") for category in ("x", "y") for number in range(600)]
    await store.upsert([row(item.key, category=item.category) for item in ids])
    found = [found.id for found in await stored(store, ["x", "y"])]
    assert sorted(found) == sorted(ids)


@every_store
@pytest.mark.parametrize("awkward", AWKWARD)
async def test_a_text_is_read_back_as_it_was_written(store: Library, awkward: str) -> None:
    """Key, title, text and provenance, character by character."""
    said: dict[str, Any] = {
        "writer": "claude",
        "fingerprint": awkward,
        "findings": [{"gate": "length", "message": awkward}],
    }
    written = row(awkward, f" {awkward}\n\n{awkward} ", **said)
    await store.upsert([written, row("other")])
    (found,) = await store.read(named(awkward, [CATEGORY], ["de", "en"]))
    known = {**said, "version": written.version}
    assert _without_time(found) == StoredText(written.id, written.title, written.text, known)
    assert StoredRow(written.id, awkward, "claude") in await stored(store)


@every_store
@pytest.mark.parametrize("bad", ["NUL \0 inside", "half of a pair \ud83d"])
async def test_one_unacceptable_row_refuses_the_whole_batch(store: Library, bad: str) -> None:
    """None of it is written, so the engine may halve the batch and try again; the message holds no text."""
    await store.upsert([row("a", "old")])
    with pytest.raises(RowsRefused) as refusal:
        await store.upsert([row("a", "new"), row("b"), row("c", bad)])
    assert await _texts(store, "abc") == ["old"]
    assert "inside" not in refusal.value.message
    assert "half of" not in refusal.value.message


@pytest.mark.parametrize("opener", ["sqlite", "supabase", "fenced"], indirect=True)
async def test_columns_may_have_other_names_and_constant_ones_are_filled(opener: Opener) -> None:
    """As `[table.columns]` and `[table.constants]` of a catalog say; the unique index may name them in any order."""
    store = opener(MAPPED)
    assert [check for check in await store.check(row("a")) if not check.ok] == []
    await store.upsert([row("a", "old"), row("b")])
    await put(store, row("a", "new"))
    assert sorted(found.id.key for found in await stored(store)) == ["a", "b"]
    assert await _texts(store, "ab") == ["new", "A text."]
    other = opener(replace(MAPPED, title="app", text="Note", constants={}))
    (found,) = await other.read(named("b", [CATEGORY], ["de"]))
    assert (found.title, found.text) == ("nuuray", "100 % 'so'")


@pytest.mark.parametrize("opener", ["sqlite", "supabase", "fenced"], indirect=True)
async def test_columns_may_be_called_as_our_words_for_other_ones(opener: Opener) -> None:
    """The text of one key is read from its own column all the same."""
    store, written = opener(SWAPPED), row("a", "A text.")
    await store.upsert([written])
    (found,) = await store.read(named("a", [CATEGORY], ["de"]))
    assert (found.id, found.title, found.text) == (written.id, written.title, "A text.")


@pytest.mark.parametrize("opener", ["sqlite", "supabase", "fenced"], indirect=True)
async def test_generated_columns_are_read_back_with_the_text(opener: Opener) -> None:
    """By key and with all others."""
    store = opener(replace(MAPPED, generated=("Tip",)))
    await store.upsert([replace(row("a"), generated={"Tip": "100 % 'so'"})])
    all_texts = [text async for text in store.texts([CATEGORY], ["de"])]
    assert [text.generated for text in all_texts] == [{"Tip": "100 % 'so'"}]
    assert all_texts == await store.read(named("a", [CATEGORY], ["de"]))


@pytest.mark.parametrize("opener", ["supabase", "fenced"], indirect=True)
async def test_a_generated_column_that_is_null_is_empty(opener: Opener) -> None:
    """As in a row that was there before the column was."""
    await opener(MAPPED).upsert([row("a")])
    (found,) = await opener(replace(MAPPED, generated=("Tip",))).read(named("a", [CATEGORY], ["de"]))
    assert found.generated == {"Tip": ""}


async def _texts(store: Library, keys: str) -> list[str]:
    return [text.text for key in keys for text in await store.read(named(key, [CATEGORY], ["de"]))]


def _without_time(text: StoredText) -> StoredText:
    return StoredText(text.id, text.title, text.text, text.provenance)


@every_store
async def test_all_texts_are_read_in_full_each_exactly_once(store: Library) -> None:
    """More than an answer holds, in both locales; with title, text and provenance."""
    rows = [row(f"key_{number:02}", locale=locale) for number in range(12) for locale in ("de", "en")]
    await store.upsert(rows)
    found = [text async for text in store.texts([CATEGORY], ["de", "en"])]
    assert sorted(text.id for text in found) == sorted(one.id for one in rows)
    assert {text.text for text in found} == {one.text for one in rows}
    assert [text.id async for text in store.texts([CATEGORY], ["fr"])] == []


@every_store
async def test_rows_are_removed_by_name_and_no_others(request: pytest.FixtureRequest, store: Library) -> None:
    """Odd keys too; one that is not there is no error."""
    if "small_pages" in request.fixturenames or not isinstance(store, SqliteStore | MemoryStore):
        request.getfixturevalue("small_pages").sql("grant delete on public.content_library to service_role")
    kept, odd = row("kept"), row('a,b(c)"d')
    await store.upsert([kept, odd, row("gone"), row("gone", locale="en")])
    read = await store.whole([odd.id, row("gone").id, row("never_there").id])
    assert sorted(await store.remove(read)) == sorted([odd.id, row("gone").id])
    assert sorted(one.id for one in await stored(store, locales=("de", "en"))) == [row("gone", locale="en").id, kept.id]


@every_store
async def test_a_row_is_written_only_over_what_that_was_decided_on(store: Library) -> None:
    """Over nothing, over the version that was read, or over itself; the others of the batch are written."""
    await store.upsert([row("a", "first"), row("b", "first"), row("c", "first")])
    read = {text.id.key: text for text in await store.read([row(key).id for key in "abc"])}
    await put(store, row("a", "a person's"), row("c", "second"))
    batch = [
        replace(row("a", "mine"), over=read["a"]),
        replace(row("b", "mine"), over=read["b"]),
        row("c", "mine"),
        row("d", "mine"),
    ]
    assert sorted(item.key for item in await store.upsert(batch)) == ["a", "c"]
    assert await _texts(store, "abcd") == ["a person's", "mine", "second", "mine"]
    assert sorted(item.key for item in await store.upsert(batch)) == ["a", "c"], "an answer that got lost"
    assert await _texts(store, "abcd") == ["a person's", "mine", "second", "mine"]


@every_store
async def test_a_row_that_was_removed_meanwhile_is_inserted(request: pytest.FixtureRequest, store: Library) -> None:
    """Nothing of anybody is replaced by that."""
    _let_delete(request, store)
    await store.upsert([row("a", "first")])
    (read,) = await store.read([row("a").id])
    assert await store.remove(await store.whole([row("a").id])) == [row("a").id]
    assert await store.upsert([replace(row("a", "again"), over=read)]) == []
    assert await _texts(store, "a") == ["again"]


@every_store
async def test_a_row_that_has_changed_since_it_was_read_is_not_removed(
    request: pytest.FixtureRequest, store: Library
) -> None:
    """Whoever removes it has not seen what would be lost."""
    _let_delete(request, store)
    await store.upsert([row("a", "first"), row("b")])
    read = await store.whole([row("a").id, row("b").id])
    await put(store, row("a", "a person's"))
    assert await store.remove(read) == [row("b").id]
    assert await _texts(store, "ab") == ["a person's"]


@every_store
async def test_a_removed_row_is_put_back_and_another_one_stays(request: pytest.FixtureRequest, store: Library) -> None:
    """With its provenance; twice is once."""
    _let_delete(request, store)
    await store.upsert([row("a", "first", writer="claude", fingerprint="f"), row("b", "first")])
    before = await store.whole([row("a").id, row("b").id])
    await store.remove(before)
    await store.upsert([row("b", "newer")])
    assert await store.restore(before) == [row("a").id]
    (back,) = await store.read([row("a").id])
    assert (back.writer, back.touched) == ("claude", False)
    await store.restore(before)
    assert await _texts(store, "ab") == ["first", "newer"]


@pytest.mark.parametrize("opener", ["sqlite", "supabase", "fenced"], indirect=True)
async def test_a_long_text_is_compared_as_well(opener: Opener) -> None:
    """Longer than an address may be; the functions and a file compare it whole."""
    store = opener(TableSpec())
    long = "word " * 4_000
    await store.upsert([row("a", long)])
    (read,) = await store.read([row("a").id])
    await put(store, row("a", f"{long}and one more"))
    assert await store.upsert([replace(row("a", "mine"), over=read)]) == [row("a").id]
    assert await _texts(store, "a") == [f"{long}and one more"]


def _let_delete(request: pytest.FixtureRequest, store: Library) -> None:
    if not isinstance(store, SqliteStore | MemoryStore):
        request.getfixturevalue("small_pages").sql("grant delete on public.content_library to service_role")
