"""The embedded store: made by the first write, never by looking, and as strict about a hand-made table as any."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from adapters.library_rows import CATEGORY, named, put, row, sample, stored

from seed_library.adapters.sqlite import SqliteStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable
from seed_library.ports import Check

_COLUMNS = "category text not null, key text not null, locale text not null, title text, description text"
_UNIQUE = "unique (locale, key, category)"
_RULES = "It must take rows such as the catalog makes: change that rule, or the catalog."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is, once there is one."""
    return tmp_path / "library.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    """The store; it does not wait for a file that somebody else holds."""
    return SqliteStore(path, TableSpec(), free_within=0)


async def test_looking_never_makes_the_file(store: SqliteStore, path: Path) -> None:
    """Neither a preflight nor a plan nor reading a text leaves a trace."""
    assert await store.check(sample()) == [Check("sqlite", ok=True, message=f"{path} will be made")]
    assert await stored(store) == []
    assert await store.read(named("a", [CATEGORY], ["de"])) == []
    assert list(path.parent.glob("library*")) == []


async def test_the_first_upsert_makes_the_file_with_the_columns_of_the_app(store: SqliteStore, path: Path) -> None:
    """A rehearsal needs nothing to be set up; afterwards its file passes the preflight."""
    await store.upsert([row("a")])
    assert [found.id.key for found in await stored(store)] == ["a"]
    assert await store.check(sample()) == [Check("sqlite", ok=True, message=str(path))]
    with _opened(path) as connection:
        columns = [name for _, name, *_ in connection.execute("pragma table_info(content_library)")]
    assert set(columns) == {
        "id", "category", "key", "locale", "title", "description", "provenance", "created_at", "updated_at",
    }  # fmt: skip


async def test_an_upsert_leaves_the_identity_of_the_row_and_moves_its_time(store: SqliteStore, path: Path) -> None:
    """`id` and `created_at` stay as they were."""
    await store.upsert([row("a", "old")])
    with _opened(path) as connection, connection:
        connection.execute("update content_library set created_at = 'then', updated_at = 'then'")
    await put(store, row("b"), row("a", "new"))
    with _opened(path) as connection:
        found = connection.execute("select id, description, created_at from content_library where key = 'a'").fetchall()
    assert found == [(1, "new", "then")]
    (text,) = await store.read(named("a", [CATEGORY], ["de"]))
    assert text.updated_at.startswith("20")


async def test_a_preflight_changes_nothing_in_the_file(store: SqliteStore, path: Path) -> None:
    """It tries the sample out and takes it back; an editor's row of the same item stays."""
    await store.upsert([row("yang_wood_rat", "by an editor"), row("b")])
    before = _content(path)
    assert all(check.ok for check in [*await store.check(sample()), *await store.rehearse([sample(), row("c")])])
    assert _content(path) == before
    assert [entry.name for entry in path.parent.glob("library*")] == ["library.db"]


@pytest.mark.parametrize(
    ("table", "failures"),
    [
        (
            f"category text, key text, title text, {_UNIQUE.replace('locale', 'title')}",
            {"columns": ("the table lacks locale, description", "Add locale, description to it."),
             "unique index": ("none on (category, key, locale)",
                              "create unique index on content_library (category, key, locale);")},
        ),
        (
            _COLUMNS,
            {"unique index": ("none on (category, key, locale)",
                              "create unique index on content_library (category, key, locale);")},
        ),
        (
            f"tenant text not null, id text not null primary key, {_COLUMNS}, n int not null default 1, {_UNIQUE}",
            {"not null": ("nobody fills the NOT NULL columns tenant, id",
                          "Give them a default, or fill them under [table.constants].")},
        ),
        (
            f"{_COLUMNS} check (length(description) < 100), {_UNIQUE}",
            {"rows": (f"{sample().id}: CHECK constraint failed: length(description) < 100", _RULES)},
        ),
    ],
    ids=["columns are missing", "no unique index", "NOT NULL", "CHECK"],
)  # fmt: skip
async def test_a_hand_made_table_that_would_refuse_a_row_is_found_before_anything_is_paid(
    store: SqliteStore, path: Path, table: str, failures: dict[str, tuple[str, str]]
) -> None:
    """Everything at once, each with its remedy, and nothing is changed."""
    _make(path, f"create table content_library ({table})")
    before = _content(path)
    checks = await store.check(sample())
    checks += await store.rehearse([sample()]) if all(check.ok for check in checks) else []
    found = [check for check in checks if not check.ok]
    assert {check.name: (check.message, check.hint) for check in found} == failures
    assert _content(path) == before


@pytest.mark.parametrize(
    "index",
    [
        "create unique index i on content_library (category, key, locale) where locale = 'de'",
        "create unique index i on content_library (category, key, lower(locale))",
        "create unique index i on content_library (category, key, locale, title)",
        "create index i on content_library (category, key, locale)",
    ],
)
async def test_an_index_of_another_kind_is_no_unique_index(store: SqliteStore, path: Path, index: str) -> None:
    """Partial ones, expressions, further columns: an upsert could not rely on them."""
    _make(path, f"create table content_library ({_COLUMNS})", index)
    assert [check.name for check in await store.check(sample()) if not check.ok] == ["unique index"]
    with pytest.raises(RunBlocked) as failure:
        await store.upsert([row("a")])
    assert type(failure.value) is RunBlocked, "no patience helps here"


@pytest.mark.parametrize(
    "table",
    [
        f"{_COLUMNS}, {_UNIQUE}",
        f"{_COLUMNS}, primary key (category, key, locale)",
        f"id integer primary key not null, {_COLUMNS}, views integer not null default 0, {_UNIQUE}",
    ],
)
async def test_a_hand_made_table_with_what_is_needed_is_enough(store: SqliteStore, path: Path, table: str) -> None:
    """Without provenance, without times, with further columns that fill themselves."""
    _make(path, f"create table content_library ({table})")
    assert all(check.ok for check in await store.check(sample()))
    await store.upsert([row("a", "old", writer="claude")])
    await put(store, row("a", "new", writer="claude"))
    (text,) = await store.read(named("a", [CATEGORY], ["de"]))
    assert (text.text, text.provenance, text.updated_at) == ("new", None, "")
    assert [found.writer for found in await stored(store)] == [""]


@pytest.mark.parametrize("provenance", ["by hand", "", None, "[1]", '{"writer": 7}', '{"fingerprint": null}'])
async def test_a_provenance_that_somebody_wrote_by_hand_is_tolerated(
    store: SqliteStore, path: Path, provenance: str | None
) -> None:
    """The row is there; where its text comes from is unknown."""
    await store.upsert([row("a")])
    with _opened(path) as connection, connection:
        connection.execute("update content_library set provenance = ?", [provenance])
    (found,) = await stored(store)
    assert found.fingerprint == ""
    (text,) = await store.read(named("a", [CATEGORY], ["de"]))
    assert text.text == "A text."


async def test_a_constraint_of_a_hand_made_table_refuses_the_batch(store: SqliteStore, path: Path) -> None:
    """As in any other store: none of it is written."""
    _make(path, f"create table content_library ({_COLUMNS} check (description <> 'bad'), {_UNIQUE})")
    with pytest.raises(RowsRefused):
        await store.upsert([row("a"), row("b", "bad")])
    assert await stored(store) == []


@pytest.mark.parametrize(
    ("make", "found", "kind"),
    [
        (
            lambda path: path.write_text("This is a letter and no database. " * 99),
            Check(
                "sqlite",
                ok=False,
                message="{path}: file is not a database",
                hint="Give the path of a SQLite file, or a new one.",
            ),
            RunBlocked,
        ),
        (
            lambda path: path.mkdir(),
            Check("sqlite", ok=False, message="{path} is not a file", hint="Give another --store sqlite:PATH."),
            StoreUnavailable,
        ),
    ],
    ids=["a letter", "a folder"],
)
async def test_something_else_in_the_place_of_the_file_is_named(
    store: SqliteStore, path: Path, make: Callable[[Path], object], found: Check, kind: type[RunBlocked]
) -> None:
    """By the preflight, and by every call that would need the file."""
    make(path)
    assert await store.check(sample()) == [replace(found, message=found.message.format(path=path))]
    for call in (store.upsert([row("a")]), stored(store), store.read(named("a", [CATEGORY], ["de"]))):
        with pytest.raises(kind) as refusal:
            await call
        assert type(refusal.value) is kind
        assert refusal.value.message.startswith(f"The SQLite file {path} cannot be used: ")
        assert refusal.value.hint == "Free it, mend it, or give another --store sqlite:PATH."


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """It is not made: a typing error would hide in it."""
    store = SqliteStore(tmp_path / "nowhere" / "library.db", TableSpec())
    (failure,) = await store.check(sample())
    assert failure.message == f"the folder {tmp_path / 'nowhere'} does not exist or is not writable"
    assert failure.hint == "Make it, or give another --store sqlite:PATH."
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        await store.upsert([row("a")])
    assert not (tmp_path / "nowhere").exists()


async def test_a_locked_file_means_later(store: SqliteStore, path: Path) -> None:
    """Another program writes to it; once that is done, the same upsert succeeds."""
    await store.upsert([row("a", "old")])
    with _opened(path) as other:
        other.execute("begin immediate")
        assert [found.id.key for found in await stored(store)] == ["a"]
        assert all(check.ok for check in await store.check(sample())), "looking is possible"
        (failure,) = await store.rehearse([sample()])
        assert failure.message == f"The SQLite file {path} cannot be used: database is locked."
        with pytest.raises(StoreUnavailable, match="database is locked"):
            await store.upsert([row("a", "new")])
        other.rollback()
    await put(store, row("a", "new"))
    assert [text.text for text in await store.read(named("a", [CATEGORY], ["de"]))] == ["new"]


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("integer", ("1", "30"), ""),
        ("integer", ("1", "007"), "007/de: it comes back as bazi_year_pillar/7/de"),
        ("integer", ("1", "one"), ""),  # SQLite keeps what is no number as it is
        ("real", ("1", "2"), "1/de: it comes back as bazi_year_pillar/1.0/de"),
        ("text collate nocase", ("a", "A"), "a/de: to the table its key is that of another item"),
        ("text", ("a", "A", " a"), ""),
    ],
)
async def test_keys_are_tried_in_the_form_that_the_column_gives_back(
    store: SqliteStore, path: Path, kind: str, keys: tuple[str, ...], said: str
) -> None:
    """Recognised afterwards, or named before anything is paid."""
    _make(path, f"create table content_library ({_COLUMNS.replace('key text', f'key {kind}')}, {_UNIQUE})")
    rows = [row(key) for key in keys]
    failures = [check.message for check in await store.rehearse(rows) if not check.ok]
    if said:
        assert said in failures[0]
        return
    assert failures == []
    assert await store.upsert(rows) == []
    assert sorted(found.id.key for found in await stored(store)) == sorted(keys)
    assert [text.id for text in await store.read([one.id for one in rows])] == sorted(one.id for one in rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("provenance text", "Joey Yap, p. 44"),
        ("provenance integer", 44),
        ("provenance text", "[1]"),
        ("updated_at integer", 7),
        ("updated_at text", "last Tuesday"),
        ("updated_at text generated always as ('x') stored", "x"),
    ],
)
async def test_a_column_of_our_name_that_holds_something_else_is_left_alone(
    store: SqliteStore, path: Path, column: str, value: object
) -> None:
    """Somebody else's words survive a write over their row."""
    _make(path, f"create table content_library ({_COLUMNS}, {column}, {_UNIQUE})")
    await store.upsert([row("a", "old")])
    name = column.split(maxsplit=1)[0]
    if "generated" not in column:
        with _opened(path) as connection, connection:
            connection.execute(f"update content_library set {name} = ?", [value])
    again = SqliteStore(path, TableSpec())
    assert all(check.ok for check in [*await again.check(sample()), *await again.rehearse([row("b")])])
    await put(again, row("a", "new", writer="claude"))
    with _opened(path) as connection:
        assert connection.execute(f"select description, {name} from content_library").fetchall() == [("new", value)]
    (text,) = await again.read(named("a", [CATEGORY], ["de"]))
    assert text.provenance is None


async def test_constants_of_any_type_are_kept(path: Path) -> None:
    """Objects as JSON, numbers as numbers."""
    store = SqliteStore(path, TableSpec(constants={"meta": {"x": [1, None]}, "level": 3, "live": True}))
    await store.upsert([row("a")])
    with _opened(path) as connection:
        assert connection.execute("select meta, level, live from content_library").fetchall() == [
            ('{"x": [1, null]}', "3", "1")
        ]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _make(path: Path, *statements: str) -> None:
    with _opened(path) as connection:
        for statement in statements:
            connection.execute(statement)
