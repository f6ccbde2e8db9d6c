"""`prune` takes out what it lists, counts what is gone, and keeps it whole; `import --restore` puts it back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from processes.cards import Cards
from processes.own_tables import WITH_FUNCTIONS, Lib, lib
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase


@pytest.fixture
def table(tmp_path: Path, messages: MessagesServer, shared_project: Supabase) -> Lib:
    """A library of three cards in a table of other people, with columns of theirs."""
    shared_project.remake(*WITH_FUNCTIONS["functions"], lib(more="slug text, score numeric, tags text[], meta jsonb"))
    made = Lib(Program(tmp_path / "work", {**messages.environment, **shared_project.environment}), shared_project)
    made.write()
    _add(made, "a", "b", "c")
    return made


def _add(table: Lib, *keys: str) -> None:
    for key in keys:
        quoted = key.replace("\\", "\\\\").replace("'", "''")
        table.project.sql(
            "insert into public.lib (category, key, locale, title, description)"
            f" values ('card', E'{quoted}', 'en', 'Theirs', 'A text that is theirs.')"
        )


def _keys(table: Lib) -> list[str]:
    return sorted(row["key"] for row in table.rows("key"))


def test_the_rows_that_are_removed_are_those_that_are_listed(table: Lib) -> None:
    """However their keys are read elsewhere, the good rows beside them stay."""
    odd = [
        " a",
        "a ",
        '"a"',
        "a,b",
        "(a)",
        "",
        "a)",
        "null",
        "in.(a)",
        "a\\",
        "eq.a",
        "a&key=eq.b",
        "%61",
        "a+b",
        "b,a",
    ]
    _add(table, *odd)
    removed = table.run("--yes", verb="prune")
    assert removed.code == 0
    assert sorted(item["key"] for item in removed.document["removed_rows"]) == sorted(odd)
    assert _keys(table) == ["a", "b", "c"]


def test_a_key_with_a_blank_is_not_the_key_without_it(table: Lib) -> None:
    """In a list of the API a blank after a parenthesis or comma is skipped."""
    _add(table, " a")
    removed = table.run("--yes", verb="prune")
    assert [item["key"] for item in removed.document["removed_rows"]] == [" a"]
    assert _keys(table) == ["a", "b", "c"]


def test_many_long_keys_of_any_script_are_removed(table: Lib) -> None:
    """An address has room for a few of them only."""
    keys = [f"{'日本語の長い鍵' * 9}{number}" for number in range(60)]
    _add(table, *keys)
    removed = table.run("--yes", verb="prune")
    assert (removed.code, len(removed.document["removed_rows"]), _keys(table)) == (0, 60, ["a", "b", "c"])


def test_a_row_that_the_table_keeps_is_not_counted_as_removed(table: Lib) -> None:
    """A trigger or a policy before it: said, with exit 6."""
    _add(table, "x", "y")
    table.project.sql(
        "create function public.keeping() returns trigger language plpgsql as"
        " $$ begin if old.key = 'x' then return null; end if; return old; end $$;"
        "create trigger keeping before delete on public.lib for each row execute function public.keeping()"
    )
    removed = table.run("--yes", verb="prune")
    assert (removed.code, [item["key"] for item in removed.document["removed_rows"]]) == (6, ["y"])
    assert _keys(table) == ["a", "b", "c", "x"]
    told = table.program.run("prune", "cards", "--yes", SEED_LIBRARY_CATALOG="cards", SEED_LIBRARY_LOCALES="en")
    assert "0 rows removed" in told.out
    assert "keeps its row" in told.err


def test_a_row_with_all_its_columns_comes_back_as_it_was(table: Lib) -> None:
    """Machine texts stay the machine's, other people's columns theirs; what no catalog knows is put back, too."""
    _add(table, "theirs", " a")
    table.project.sql("delete from public.lib where key in ('a', 'b', 'c')")
    assert table.run().code == 0
    table.project.sql(
        "update public.lib set slug = key || '-slug', score = 12345678901234567.8900, tags = '{p,\"q r\"}',"
        " meta = '{\"deep\": [1, null, 0.10]}'"
    )
    everything = "category, key, locale, title, description, provenance, slug, score::text, tags, meta::text"
    before = sorted(table.rows(everything), key=lambda row: str(row["key"]))
    table.write(("a", "b"))
    removed = table.run("--yes", verb="prune")
    assert sorted(item["key"] for item in removed.document["removed_rows"]) == [" a", "c", "theirs"]
    backup = removed.document["backup"]
    restored = table.run(backup, "--restore", verb="import")
    assert restored.code == 0, restored.out + restored.err
    assert len(restored.document["restored"]) == 3
    assert sorted(table.rows(everything), key=lambda row: str(row["key"])) == before
    table.write()
    again = table.run("--refresh", "all")
    assert (again.code, again.document["stored"]) == (0, 3), "c is the machine's still"


def test_a_row_that_is_there_again_is_not_replaced_by_a_backup(table: Lib) -> None:
    """What somebody has put there since stays: a conflict, listed, exit 6."""
    _add(table, "x", "y")
    backup = table.run("--yes", verb="prune").document["backup"]
    table.project.sql(
        "insert into public.lib (category, key, locale, title, description) values ('card', 'x', 'en', 'N', 'Newer.')"
    )
    restored = table.run(backup, "--restore", verb="import")
    assert (restored.code, [item["key"] for item in restored.document["restored"]]) == (6, ["y"])
    assert [row["description"] for row in table.rows() if row["key"] == "x"] == ["Newer."]


@pytest.mark.parametrize(
    "content", ["{}", "[1]", "not JSON", '{"category": "card", "key": 1, "locale": "en", "row": {}}']
)
def test_what_is_no_backup_is_refused_with_its_line(table: Lib, content: str) -> None:
    """And nothing is stored."""
    file = table.program.folder / "file.jsonl"
    file.write_text(content + "\n", "utf-8")
    ended = table.run(str(file), "--restore", verb="import")
    assert (ended.code, "line 1" in ended.error["message"], len(table.rows())) == (2, True, 3)


def test_a_backup_is_kept_whole_before_anything_is_removed(table: Lib) -> None:
    """A file that is there already is not replaced, and then nothing is removed."""
    _add(table, "x")
    kept = table.program.folder / "kept.jsonl"
    kept.write_text("mine")
    refused = table.run("--yes", "--backup", str(kept), verb="prune")
    assert (refused.code, kept.read_text(), len(table.rows())) == (2, "mine", 4)
    kept.unlink()
    assert table.run("--yes", "--backup", str(kept), verb="prune").code == 0
    row: dict[str, Any] = json.loads(kept.read_text("utf-8"))["row"]
    assert set(row) == set(table.rows()[0])


def test_a_file_gives_its_rows_back_as_well(cards: Cards) -> None:
    """SQLite: other columns, bytes among them."""
    cards.write(("Alpha", "Beta"))
    assert cards.run().code == 0
    file = cards.program.folder / "library.sqlite3"
    with closing(sqlite3.connect(file)) as library, library:
        library.execute("alter table content_library add column slug text")
        library.execute("alter table content_library add column picture blob")
        library.execute("update content_library set slug = 'their ' || key, picture = x'00ff10'")
        before = library.execute("select * from content_library order by id").fetchall()
    cards.write(("Alpha",))
    removed = cards.run("--yes", verb="prune")
    assert [item["key"] for item in removed.document["removed_rows"]] == ["beta"]
    backup = removed.document["backup"]
    restored = cards.program.run("import", backup, "cards", "--restore", "--json")
    assert restored.code == 0, restored.out + restored.err
    with closing(sqlite3.connect(file)) as library:
        assert library.execute("select * from content_library order by id").fetchall() == before
