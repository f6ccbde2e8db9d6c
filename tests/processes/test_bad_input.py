"""Bad input gets a clear sentence and the right exit code, and loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import GRANTS, ORIGINAL_TABLE, Supabase

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"
INDEX = "drop index public.idx_content_library_lookup;"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "no_such_catalog"], "no_such_catalog"),
        (["plan", "--category", "bazi_day_pillar"], "unknown category 'bazi_day_pillar'"),
        (["plan", "--key", "yang_wood_cat"], "no key matches 'yang_wood_cat'"),
        (["plan", "--locale", "fr"], "unknown locale 'fr'"),
        (["plan", "--limit", "0"], "--limit"),
        (["plan", "--no-such-option"], "no-such-option"),
        (["no_such_verb"], "no_such_verb"),
        (["--env-file", "nowhere.env", "plan"], "nowhere.env"),
        (["rehearse", "--store", "supabase"], "SQLite"),
        (["show", "yang_wood_cat", "--store", "sqlite:x.db"], "yang_wood_cat"),
        (["status", "--store", "postgres://x"], "no store"),
    ],
)
def test_arguments_that_cannot_be_meant_are_usage_errors(offline: Program, arguments: list[str], said: str) -> None:
    """Exit code 2, as one JSON object under --json and as a sentence without it."""
    ended = offline.run(*arguments, "--json")
    assert ended.code == 2, ended.err
    assert said in ended.error["message"]
    assert ended.error["hint"]
    spoken = offline.run(*arguments)
    assert spoken.code == 2
    assert spoken.out == ""
    assert said in spoken.err
    assert "Traceback" not in spoken.err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"SEED_LIBRARY_BUDGET_USD": "-1"}, "SEED_LIBRARY_BUDGET_USD"),
        ({"SEED_LIBRARY_CONCURRENCY": "many"}, "SEED_LIBRARY_CONCURRENCY"),
        ({"SEED_LIBRARY_STORE": "mysql"}, "SEED_LIBRARY_STORE"),
        ({"SEED_LIBRARY_LOCALES": "de,xx"}, "SEED_LIBRARY_LOCALES"),
        ({"SEED_LIBRARY_CATALOG": "nothing"}, "SEED_LIBRARY_CATALOG"),
        ({"SEED_LIBRARY_PROMPTS_DIR": "nowhere"}, "SEED_LIBRARY_PROMPTS_DIR"),
        ({"SEED_LIBRARY_MODELS_FILE": "nowhere.toml"}, "SEED_LIBRARY_MODELS_FILE"),
        ({"SUPABASE_URL": "http://example.org"}, "SUPABASE_URL"),
        ({"ANTHROPIC_BASE_URL": "http://example.org"}, "ANTHROPIC_BASE_URL"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:1/v1"}, "must end before /v1"),
        ({"SUPABASE_URL": "http://127.0.0.1:1/rest/v1"}, "http://127.0.0.1:1"),
        ({"SUPABASE_URL": "https://supabase.com/dashboard/project/abcdefgh"}, "https://abcdefgh.supabase.co"),
        ({"ANTHROPIC_API_KEY": "sk-ant two words"}, "ANTHROPIC_API_KEY"),
        ({"SUPABASE_SERVICE_ROLE_KEY": "hello"}, "SUPABASE_SERVICE_ROLE_KEY"),
    ],
)
def test_settings_that_are_wrong_are_named(program: Program, setting: dict[str, str], said: str) -> None:
    """Exit code 3, before anything is touched."""
    ended = program.run("run", "--json", **setting)
    assert ended.code == 3, ended.err
    assert said in ended.error["message"]
    assert not program.state.exists()


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("claude-sonnet-4-20250514", 4, "retired"),
        ("claude-sonnet-55", 4, "claude-sonnet-55"),
    ],
)
def test_models_that_cannot_be_asked_stop_the_run(
    program: Program, messages: MessagesServer, model: str, code: int, said: str
) -> None:
    """A retired or an unknown model costs nothing."""
    ended = program.run("run", "--json", "--model", model)
    assert ended.code == code
    assert said in ended.error["message"]
    assert ended.document["event"] == "run_finished"
    assert messages.log() == []


def test_a_model_that_the_api_calls_retired_stops_the_run(program: Program, messages: MessagesServer) -> None:
    """The API knows better than the table."""
    messages.control(models={"claude-sonnet-5-5": {"lifecycle": "retired", "retires_at": "2026-11-01T00:00:00Z"}})
    ended = program.run("run", "--json")
    assert ended.code == 4
    assert "retired" in ended.error["message"]
    assert messages.log() == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (["select 1"], "schema"),
        ([ORIGINAL_TABLE], "grant select, insert, update"),
        ([ORIGINAL_TABLE, GRANTS, "alter table public.content_library drop column title;"], "title"),
        ([ORIGINAL_TABLE, GRANTS, INDEX], "create unique index"),
    ],
)
def test_tables_that_cannot_be_seeded_stop_the_run(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase], sql: list[str | Path], said: str
) -> None:
    """No table, no grants, no column, no index: each with its remedy."""
    broken = project(*sql, warm=ORIGINAL_TABLE in sql)
    ended = program.run("run", "--json", **broken.environment)
    assert ended.code == 4
    assert said in ended.error["message"] + ended.error["hint"]
    assert messages.log() == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"body": "<html>captive portal</html>"}, ""),
        ({"truncate": True}, ""),
        ({"content": []}, "holds no text"),
        ({"stop_reason": "refusal", "content": [], "stop_details": {"category": "bio"}}, "refused"),
        ({"stop_reason": "max_tokens"}, "max_tokens"),
        ({"text": "Zu kurz.", "times": 3}, "words"),
        ({"text": "# Titel\n\n" + "Wort " * 90, "times": 3}, "markdown"),
    ],
)
def test_answers_that_hold_no_good_text_concern_their_item_only(
    program: Program, messages: MessagesServer, supabase: Supabase, fault: dict[str, object], reason: str
) -> None:
    """Garbled ones are asked for once more; unusable ones fail; bad ones are rejected when repairs do not help."""
    messages.faults({"skip": 1, **fault})
    ended = program.run("run", "--json", "--limit", "6", "--concurrency", "1")
    if not reason:
        assert (ended.code, supabase.count()) == (0, 6)
        return
    assert (ended.code, supabase.count()) == (6, 5)
    (trouble,) = ended.document["troubles"]
    assert reason in trouble["reason"]
    attempts = int(str(fault.get("times", 1)))  # a bad text is asked for twice more
    assert ended.document["generated"] == len(messages.billed()) == 5 + attempts


def test_a_database_that_goes_away_in_the_middle_loses_no_paid_text(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The answer to an upsert gets lost after the commit, then the server answers 503 twice, then all is well."""
    path = "POST /rest/v1/rpc/seed_library_store"
    supabase.faults(
        {"match": path, "skip": 1, "times": 1, "drop": True, "after": True},
        {"match": path, "skip": 3, "times": 2, "status": 503, "body": "<html>"},
    )
    ended = program.run("run", "--json", "--limit", "40")
    assert ended.code == 0, ended.err
    assert supabase.count() == len(messages.billed()) == 40
    assert ended.document["stored"] == 40


@pytest.mark.parametrize("obstacle", ["a file in its place", "no space"])
def test_a_state_directory_that_cannot_be_used_stops_the_run(
    program: Program, messages: MessagesServer, obstacle: str
) -> None:
    """Nothing is paid that could not be remembered."""
    place = program.folder / "occupied"
    place.write_text("")
    state = str(place) if obstacle == "a file in its place" else "/proc/seed-library"
    ended = program.run("run", "--json", SEED_LIBRARY_STATE_DIR=state)
    assert ended.code == 4
    assert ended.error["code"] == "journal"
    assert "SEED_LIBRARY_STATE_DIR" in ended.error["hint"]
    assert messages.log() == []


def test_a_damaged_journal_is_reported_and_costs_its_own_lines_only(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """A flipped byte inside and a torn tail: set aside, told, and everything else is still known."""
    assert program.run("run", "--json", "--limit", "10").code == 0
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    hurt = next(number for number, line in enumerate(lines) if b'"kind":"paid"' in line)
    lines[hurt] = lines[hurt].replace(b'"kind":"paid"', b'"kind":"pain"')
    journal.write_bytes(b"".join(lines) + b'00000000 {"kind":"intent"')
    supabase.sql("truncate public.content_library")
    ended = program.run("run", "--json", "--limit", "10")
    assert ended.code == 0
    warnings = " ".join(str(event["message"]) for event in ended.documents if event["event"] == "warning")
    assert "it is damaged" in warnings
    assert "incomplete" in warnings
    assert (ended.document["recovered"], ended.document["generated"]) == (9, 1)
    assert len(list((journal.parent / "damaged").iterdir())) == 2


def test_a_prompts_folder_that_cannot_be_read_is_named(program: Program) -> None:
    """Not UTF-8, unknown fields and duplicate items, in one report."""
    folder = program.folder / "prompts" / "mine"
    folder.mkdir(parents=True)
    shutil.copy(PROMPTS / "bazi_pillars" / "system.de.md", folder)
    (folder / "cat.de.md").write_bytes(b"\xff\xfe")
    (folder / "items.csv").write_text("key,word\none,x\none,y\n")
    (folder / "catalog.toml").write_text(
        'version = 1\nname = "mine"\ndescription = "x"\nitems = "items.csv"\ncategories = ["cat"]\nlocales = ["de"]\n'
        '[titles]\nde = "{{ word }}"\n[request]\nmodel = "claude-sonnet-5-5"\n'
        "[gates.words]\nlow = 1\nhigh = 2\nat_least = 1\nat_most = 2\n"
    )
    ended = program.run("plan", "mine", "--json")
    assert ended.code == 4
    assert "cat.de.md, line 1: not UTF-8" in ended.error["message"]
    assert "exists already" in ended.error["message"]


def test_a_run_goes_on_when_nobody_listens_any_more(program: Program, supabase: Supabase) -> None:
    """`run --json | head -1`: what is being paid for is finished and stored."""
    run = program.start("run", "--json", "--limit", "20")
    assert run.wait_for("canary")
    assert run.process.stdout is not None
    run.process.stdout.close()
    run.process.stdout = None
    ended = run.end()
    assert (ended.code, ended.err) == (0, "")
    assert supabase.count() == 20


def test_a_journal_that_is_removed_under_a_run_ends_it(program: Program, messages: MessagesServer) -> None:
    """Nothing more is paid that could not be remembered; what is in flight is still stored."""
    messages.control(latency_ms=100)
    run = program.start("run", "--json", "--limit", "60", "--concurrency", "2")
    assert run.wait_for("stored")
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    journal.unlink()
    ended = run.end()
    assert ended.code == 4
    assert "was removed" in ended.error["message"]
    assert ended.document["stored"] == len(messages.billed()) < 60


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "message": "half \ud800 a pair"},
        {"status": 429, "headers": {"retry-after": "Fri, 31 Dec 99999999999 23:59:59 GMT"}},
        {"body": "[" * 100_000, "content_type": "application/json"},
        {"status": 429, "message": "Authorization: Bearer"},
    ],
)
def test_odd_answers_are_no_bugs(program: Program, messages: MessagesServer, fault: dict[str, object]) -> None:
    """Whatever a proxy makes up: tried again, told in whole JSON, and everything is stored in the end."""
    messages.faults({"skip": 1, **fault})
    ended = program.run("run", "--json", "--limit", "3", "--concurrency", "1")
    assert ended.code == 0, ended.err
    assert ended.document["stored"] == 3
