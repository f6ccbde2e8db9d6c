"""Tables that other people made: what is in them is sacred, and what they refuse is known before anything is paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from processes.own_tables import WITH_FUNCTIONS, Lib, lib
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

MINE = "A person wrote this one, and it is theirs."
UUIDS = ("0b1e5f2c-0000-4000-8000-00000000000a", "0b1e5f2c-0000-4000-8000-00000000000b")

_NEW = "A new text about {0}, which is long enough for its gate."

_PARENTS = "create table public.cats (slug text primary key)"
_LATE = "deferrable initially deferred"
_NOTING = (
    "create function public.noting() returns trigger language plpgsql as $$ begin"
    " insert into public.audit_log values (new.key); return new; end $$;"
    "create trigger noting after insert on public.lib for each row execute function public.noting()"
)
_ENUM = (
    "create type public.kind as enum ('card');"
    "alter table public.lib alter category type public.kind using category::public.kind"
)
_SLOW = (
    "create function public.slow() returns trigger language plpgsql"
    " as $$ begin perform pg_sleep(0.02); return new; end $$;"
    "create trigger slow before insert on public.lib for each row execute function public.slow()"
)

Maker = Callable[..., Lib]


@pytest.fixture(params=WITH_FUNCTIONS)
def made(request: pytest.FixtureRequest, tmp_path: Path, messages: MessagesServer, shared_project: Supabase) -> Maker:
    """A factory of projects with a table of other people, with and without our functions."""

    def make(sql: str) -> Lib:
        shared_project.remake(*WITH_FUNCTIONS[request.param], sql)
        settings = {**messages.environment, **shared_project.environment}
        return Lib(Program(tmp_path / "work", settings), shared_project)

    return make


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("bigint", ("1", "9007199254740993", "-4")),
        ("uuid", UUIDS),
        ("char(4)", ("k", "ab")),
    ],
)
def test_a_key_of_another_type_is_recognised_in_the_form_that_the_column_gives_back(
    made: Maker, messages: MessagesServer, kind: str, keys: tuple[str, ...]
) -> None:
    """Nothing is paid twice, an edit stays, nothing is offered to be pruned; on a new machine as well."""
    table = made(lib(kind))
    table.write(keys)
    assert table.run().code == 0
    table.edit(keys[0], MINE)
    paid = len(messages.log())
    assert paid == len(keys)
    for machine in (table, table.elsewhere()):
        again = machine.run()
        assert (again.code, again.document["requests"]) == (0, 0)
    assert table.run(verb="prune").document["orphaned"] == []
    assert table.texts()[keys[0]] == MINE
    assert len(messages.log()) == paid


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("integer", ("1", "007")),
        ("uuid", (UUIDS[0], UUIDS[1].upper())),
        ("char(4)", ("k", "x ")),
        ("integer", ("1", "one")),
    ],
)
def test_a_key_that_would_come_back_in_another_form_is_refused_before_the_first_payment(
    made: Maker, messages: MessagesServer, kind: str, keys: tuple[str, ...]
) -> None:
    """The finding names the key; without functions it knows the type of the column."""
    table = made(lib(kind))
    table.write(keys)
    ended = table.run()
    assert (ended.code, messages.log(), table.rows()) == (4, [], [])
    assert any(key in ended.error["message"] for key in keys)


def test_a_key_that_can_be_tried_with_functions_only_is_refused_without_them(
    made: Maker, messages: MessagesServer, request: pytest.FixtureRequest
) -> None:
    """No key of two values is one that no row has; the type is named."""
    table = made(lib("boolean"))
    table.write(("true", "false"))
    ended = table.run()
    if "functions" in request.node.callspec.id:
        assert (ended.code, table.run().document["requests"]) == (0, 0)
    else:
        assert (ended.code, messages.log()) == (4, [])
        assert "boolean" in ended.error["message"]


def test_a_row_that_the_column_spells_otherwise_is_never_offered_to_be_removed(made: Maker) -> None:
    """It would pass for an orphan, while it is the catalog's own."""
    table = made(lib("integer"))
    table.write(("007", "8"))
    table.project.sql(
        "insert into public.lib (category, key, locale, title, description) values ('card', 7, 'en', 't', 'd')"
    )
    ended = table.run("--yes", verb="prune")
    assert (ended.code, len(table.rows())) == (4, 1)
    assert "007" in ended.error["message"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "'Joey Yap, The Ten Gods, p. 44'"),
        ("integer", "44"),
        ("text[]", "'{Joey Yap,p. 44}'"),
    ],
)
def test_a_column_called_provenance_that_is_not_ours_is_left_alone(made: Maker, kind: str, value: str) -> None:
    """People's words in it survive a refresh, and the text is shown."""
    table = made(lib().replace("provenance jsonb", f"provenance {kind}"))
    table.write()
    assert table.run().code == 0
    table.project.sql(f"update public.lib set provenance = {value}")
    before = table.rows("provenance")
    assert table.run("--refresh", "all").code == 0
    assert table.rows("provenance") == before
    shown = table.run("a", verb="show")
    assert (shown.code, shown.document["texts"][0]["provenance"]) == (0, None)
    checked = {check["name"]: check for check in table.run(verb="check").document["checks"]}
    assert "cannot be told apart" in checked["provenance"]["message"]


@pytest.mark.parametrize(
    "column",
    [
        "updated_at text not null default 'never'",
        "updated_at bigint not null default 7",
        "updated_at timestamptz generated always as ('2026-01-01 00:00:00+00'::timestamptz) stored",
    ],
)
def test_a_column_called_updated_at_that_is_no_time_to_be_set_is_left_alone(made: Maker, column: str) -> None:
    """A table says `now` in it to nobody."""
    table = made(lib(more=column))
    table.write()
    assert table.run().code == 0
    before = table.rows("updated_at")
    assert table.run("--refresh", "all").code == 0
    assert table.rows("updated_at") == before


def test_our_own_columns_have_other_names_or_none(made: Maker) -> None:
    """`[table.columns]` says so."""
    table = made(lib(more="made_by jsonb, seen timestamptz, updated_at timestamptz"))
    table.write(table='columns = { provenance = "made_by", updated_at = false }')
    assert table.run().code == 0
    (row, *_) = table.rows("provenance, made_by ->> 'writer' as writer, updated_at")
    assert row == {"provenance": None, "writer": "claude", "updated_at": None}
    table.write(table="columns = { provenance = false }")
    table.project.sql("update public.lib set made_by = null")
    assert table.run("--refresh", "all").code == 0
    assert {row["made_by"] for row in table.rows()} == {None}


def test_a_constant_may_be_of_any_type(made: Maker) -> None:
    """An object for a jsonb column is an object, not a text that looks like one."""
    table = made(lib(more="meta jsonb, level int, live boolean, tags text[]"))
    table.write(table='constants = { meta = { x = 1, y = ["z"] }, level = 3, live = true, tags = ["p", "q"] }')
    assert table.run().code == 0
    kept = {"meta": {"x": 1, "y": ["z"]}, "level": 3, "live": True, "tags": ["p", "q"]}
    assert table.rows("meta, level, live, tags") == [kept] * 3
    assert table.run("--refresh", "all").code == 0


def test_columns_may_be_called_as_the_api_calls_its_parameters(made: Maker, messages: MessagesServer) -> None:
    """All of them at once: written, read, refreshed, removed, and paid for once."""
    names = {"category": "select", "key": "order", "locale": "limit", "title": "offset", "text": "and"}
    columns = ", ".join(f'"{name}" text not null' for name in names.values())
    table = made(
        f"create table public.lib (id bigint generated always as identity primary key, {columns}, provenance jsonb,"
        ' "or" text, "columns" text, on_conflict text); create unique index on public.lib ("select", "order", "limit");'
        "grant select, insert, update, delete on public.lib to service_role"
    )
    toml = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in names.items())
    toml = f'columns = {{ {toml} }}\nconstants = {{ or = "x", columns = "y", on_conflict = "z" }}'
    table.write(table=toml)
    assert table.run().code == 0
    assert table.run().document["requests"] == 0
    _write_anew(messages)
    assert table.run("--refresh", "all", "--key", "a").code == 0
    assert len(messages.log()) == 4
    table.write(("a", "b"), table=toml)
    removed = table.run("--yes", verb="prune").document["removed_rows"]
    assert [item["key"] for item in removed] == ["c"]
    found = table.project.sql('select "order" as key, "and" as text, "or" as constant from public.lib order by 1')
    assert [(row["key"], row["constant"]) for row in found] == [("a", "x"), ("b", "x")]
    assert found[0]["text"] == _NEW.format("a")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"{_PARENTS}; alter table public.lib add foreign key (category) references public.cats", "lib_category_fkey"),
        (f"{_PARENTS}; alter table public.lib add foreign key (key) references public.cats {_LATE}", "lib_key_fkey"),
        ("create unique index only_title on public.lib (left(title, 5))", "only_title"),
        (_NOTING, "public.audit_log"),
    ],
    ids=["a foreign key", "a foreign key that waits", "another unique index", "an AFTER trigger"],
)  # fmt: skip
def test_what_only_a_real_write_meets_is_found_before_paying_where_our_functions_are(
    made: Maker, messages: MessagesServer, request: pytest.FixtureRequest, sql: str, said: str
) -> None:
    """Elsewhere `check` says what it could not see, and the refusal names the object that the database names."""
    table = made(lib(after=sql))
    table.write()
    checked = table.run(verb="check")
    found = json.dumps([check for check in checked.document["checks"] if not check["ok"]])
    if "functions" in request.node.callspec.id:
        assert (checked.code, said in found) == (4, True)
        assert (table.run().code, messages.log()) == (4, [])
    else:
        assert checked.code == 0
        assert "foreign keys, other unique indexes and AFTER triggers" in checked.out
        ended = table.run()
        assert ended.code in {4, 6}
        assert said in ended.out
        assert "Create the table public.lib" not in ended.out
    assert len(table.rows()) <= 1


@pytest.mark.parametrize(
    ("sql", "catalog", "said"),
    [
        ("alter table public.lib add check (locale = 'en');", {"locales": ("en", "de")}, "card/a/de"),
        ("alter table public.lib add check (key <> 'c');", {}, "card/c/en"),
        ("alter table public.lib alter key type varchar(3);", {"keys": ("a", "long_one")}, "card/long_one/en"),
        (_ENUM, {"categories": ("card", "other")}, "other"),
    ],
    ids=["a CHECK on the second locale", "a CHECK on one key", "a key that is too long", "an enum without a category"],
)
def test_a_row_to_come_that_the_table_would_refuse_is_named_before_paying(
    made: Maker, messages: MessagesServer, sql: str, catalog: dict[str, tuple[str, ...]], said: str
) -> None:
    """All rows are looked at, not one of them."""
    table = made(lib(after=sql))
    table.write(**catalog)  # type: ignore[arg-type]  # each is of its own kind
    ended = table.run(locales="en,de" if "locales" in catalog else "en")
    assert (ended.code, messages.log(), table.rows()) == (4, [], [])
    assert said in ended.error["message"]


def test_a_not_null_column_that_nobody_fills_is_named_alone(made: Maker) -> None:
    """Beside an identity, a serial, a jsonb and an array, whose defaults the API's description does not show."""
    more = "tenant text not null, n bigserial, meta jsonb not null default '{}', tags text[] not null default '{}'"
    table = made(lib(more=more, after="grant usage on all sequences in schema public to service_role;"))
    table.write()
    failed = [check for check in table.run(verb="check").document["checks"] if not check["ok"]]
    assert [check["message"] for check in failed] == ["nobody fills the NOT NULL column tenant of public.lib"]


def test_several_faults_of_a_table_are_one_report(made: Maker, request: pytest.FixtureRequest) -> None:
    """A person mends them in one round."""
    sql = lib(
        more="tenant text not null", after="alter table public.lib drop column title; drop index public.lib_place;"
    )
    table = made(sql)
    table.write()
    failed = {check["name"] for check in table.run(verb="check").document["checks"] if not check["ok"]}
    assert failed >= {"columns", "not null"}
    assert ("unique index" in failed) is ("functions" in request.node.callspec.id)


@pytest.mark.parametrize("long", ["b", "c"])
def test_a_row_that_the_database_fails_on_is_found_by_halving(made: Maker, messages: MessagesServer, long: str) -> None:
    """An index takes 2,704 bytes; the others are stored, and the next run pays for nothing."""
    table = made(lib(after="create index on public.lib (description);"))
    table.write(at_most=900)
    messages.faults(
        {"match": f"Write {long}:", "text": " ".join(f"{n * 7919:x}word{n * n:x}" for n in range(800)), "times": 9}
    )
    ended = table.run()
    assert ended.code == 6
    assert sorted(table.texts()) == [key for key in "abc" if key != long]
    assert [trouble["item"]["key"] for trouble in ended.document["troubles"]] == [long]
    assert "54000" in ended.out
    paid = len(messages.log())
    assert table.run().code == 6
    assert len(messages.log()) == paid


def test_rows_that_take_the_database_too_long_together_are_sent_in_smaller_batches(
    made: Maker, messages: MessagesServer
) -> None:
    """A trigger that takes its time exceeds the API's limit with a few dozen rows."""
    table = made(lib(after=_SLOW))
    table.project.limit("service_role", 250)
    table.write([f"k{number}" for number in range(40)])
    ended = table.run("--concurrency", "40")
    assert (ended.code, ended.document["stored"]) == (0, 40)
    assert len(messages.log()) == 40


def test_a_text_that_somebody_changed_meanwhile_stays_and_the_new_one_waits(
    made: Maker, messages: MessagesServer
) -> None:
    """`conflict`: not stored, not lost, listed, exit 6; a person decides."""
    table = made(lib())
    table.write()
    assert table.run().code == 0
    before = table.texts()
    _write_anew(messages)
    messages.control(latency_ms=300)
    running = table.program.start(
        "run", "cards", "--refresh", "all", "--json", "--concurrency", "1", SEED_LIBRARY_CATALOG="cards"
    )
    running.wait_for("canary")
    table.edit("c", MINE)
    table.edit("b", before["b"])  # touched, not changed
    ended = running.end()
    assert ended.code == 6
    last = ended.document
    assert (last["conflicts"], last["stored"], table.texts()["c"]) == (1, 2, MINE)
    assert [trouble["item"]["key"] for trouble in last["troubles"]] == ["c"]
    assert "conflict" in last["troubles"][0]["reason"]
    status = table.program.run("status", "--json", SEED_LIBRARY_CATALOG="cards").document
    assert [conflict["key"] for conflict in status["conflicts"]] == ["c"]
    assert (status["left"], "something else" in status["conflicts"][0]["reason"]) == (0, True)
    assert "Conflict card/c/en: " in table.program.run("status", SEED_LIBRARY_CATALOG="cards").out
    paid = len(messages.log())
    again = table.run()
    assert (again.code, again.document["conflicts"], table.texts()["c"], len(messages.log())) == (6, 1, MINE, paid)
    assert table.run("c", verb="accept").code == 0
    assert table.texts()["c"] == _NEW.format("c")
    assert len(messages.log()) == paid


def test_a_text_that_somebody_changed_before_the_refresh_is_not_paid_for(made: Maker, messages: MessagesServer) -> None:
    """The dashboard moves no provenance; the version in it tells."""
    table = made(lib())
    table.write()
    assert table.run().code == 0
    table.edit("b", MINE)
    _write_anew(messages)
    ended = table.run("--refresh", "all")
    assert (ended.code, ended.document["requests"]) == (6, 2)
    assert table.texts() == {"a": _NEW.format("a"), "b": MINE, "c": _NEW.format("c")}


def test_a_row_that_has_appeared_since_the_plan_is_not_replaced(made: Maker, messages: MessagesServer) -> None:
    """Somebody was faster, with words of their own."""
    table = made(lib())
    table.write()
    messages.control(latency_ms=300)
    running = table.program.start("run", "cards", "--json", "--concurrency", "1", SEED_LIBRARY_CATALOG="cards")
    running.wait_for("canary")
    table.project.sql(
        f"insert into public.lib (category, key, locale, title, description) values ('card', 'c', 'en', 't', '{MINE}')"
    )
    ended = running.end()
    assert (ended.code, ended.document["conflicts"], table.texts()["c"]) == (6, 1, MINE)


def test_what_a_write_replaces_is_in_the_journal_first(made: Maker, messages: MessagesServer) -> None:
    """With its columns and its provenance."""
    table = made(lib())
    table.write()
    assert table.run().code == 0
    before = table.texts()
    _write_anew(messages)
    assert table.run("--refresh", "all").code == 0
    assert table.texts() == {key: _NEW.format(key) for key in before}
    journal = next(table.program.state.glob("targets/*/journal.jsonl")).read_text("utf-8")
    records = [json.loads(line[9:]) for line in journal.splitlines() if '"replaced"' in line]
    kept = {text["item"][1]: text["text"] for record in records for text in record["texts"]}
    assert kept == before


def _write_anew(messages: MessagesServer) -> None:
    """Have the model write other texts from now on."""
    messages.faults(*({"match": f"Write {key}:", "text": _NEW.format(key), "times": 9} for key in "abc"))
