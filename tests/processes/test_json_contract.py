"""The fields that scripts rely on. More may be added; these stay."""

from __future__ import annotations

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

ITEM = {"category", "key", "locale", "title", "action", "reason", "fingerprint"}
TOTALS = {"new", "paid", "changed", "done", "orphaned", "rejected"}
FINISHED = {
    *("event", "at", "exit_code", "stored", "generated", "recovered", "rejected", "failed", "requests"),
    *("spent_usd", "maybe_spent_usd", "run_id"),
}


def test_plan_without_key_or_network_says_what_it_could_not_see(offline: Program) -> None:
    """The preview needs nothing at all."""
    planned = offline.run("plan", "--json", "--locale", "de")
    assert planned.code == 0
    document = planned.document
    assert {"catalog", "target", "totals", "cost", "items"} <= document.keys()
    assert set(document["totals"]) == TOTALS
    assert set(document["cost"]) == {"likely_usd", "at_most_usd", "basis"}
    assert len(document["items"]) == document["totals"]["new"] == 180
    assert all(set(item) == ITEM for item in document["items"])
    notes = " ".join(document["notes"])
    for missing in ("ANTHROPIC_API_KEY", "SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "table was not read"):
        assert missing in notes
    assert not offline.state.exists()


def test_plan_with_servers_that_do_not_answer_still_plans(program: Program) -> None:
    """Keys at hand, nobody there: the same preview, with the reasons."""
    nowhere = {"SUPABASE_URL": "http://127.0.0.1:9", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    document = program.run("plan", "--json", **nowhere).document
    assert document["totals"]["new"] == 180
    assert document["cost"]["likely_usd"] > 0
    assert " ".join(document["notes"]).count("nobody listens at that port") == 2


def test_show_prompts_shows_every_request_as_it_would_be_sent(program: Program, messages: MessagesServer) -> None:
    """What is previewed is what is sent."""
    document = program.run("plan", "--json", "--show-prompts", "--limit", "2").document
    assert len(document["prompts"]) == 2
    assert program.run("run", "--json", "--limit", "2", "--concurrency", "1").code == 0
    for prompt, entry in zip(document["prompts"], messages.log(), strict=True):
        sent = entry["body"]
        assert sent["system"][0]["text"] == prompt["system"]
        assert sent["messages"][0]["content"] == prompt["user"]
        assert sent["model"] == prompt["model"]
        assert sent["max_tokens"] == prompt["max_tokens"]


def test_the_previewed_ceiling_is_the_one_that_is_sent_also_where_thinking_stays_on(
    program: Program, messages: MessagesServer
) -> None:
    """Opus always thinks, which needs room in max_tokens."""
    asked = ("--limit", "1", "--model", "claude-opus-5-5")
    document = program.run("plan", "--json", "--show-prompts", *asked).document
    assert program.run("run", "--json", *asked).code == 0
    assert messages.log()[0]["body"]["max_tokens"] == document["prompts"][0]["max_tokens"] == 1024 + 4096


def test_dry_run_is_plan(program: Program, messages: MessagesServer) -> None:
    """`run --dry-run` prints the same document, and pays nothing."""
    assert program.run("run", "--dry-run", "--json").document == program.run("plan", "--json").document
    assert messages.log() == []


def test_orphans_are_items_of_the_plan_with_their_own_action(program: Program, supabase: Supabase) -> None:
    """Rows that no catalog asks for are counted and named, and a run leaves them alone."""
    supabase.sql(
        "insert into public.content_library (category, key, locale, title, description) "
        "values ('bazi_year_pillar', 'yang_wood_ox', 'de', 't', 'x')"
    )
    document = program.run("plan", "--json").document
    assert document["totals"]["orphaned"] == 1
    (orphan,) = [item for item in document["items"] if item["action"] == "orphaned"]
    assert (orphan["key"], set(orphan)) == ("yang_wood_ox", ITEM)
    assert program.run("run", "--json", "--limit", "1").code == 0
    assert supabase.count() == 2


def test_check_names_every_check(program: Program) -> None:
    """ok, and a name, an outcome, a message and a hint for each."""
    ended = program.run("check", "--json")
    assert ended.code == 0, ended.document
    assert ended.document["ok"] is True
    assert {"settings", "catalog", "disk space", "lock", "supabase", "table", "model", "budget"} <= {
        check["name"] for check in ended.document["checks"]
    }
    assert all(set(check) == {"name", "ok", "message", "hint"} for check in ended.document["checks"])


def test_check_fails_with_the_code_of_a_run_and_names_all_that_is_wrong(program: Program) -> None:
    """Table and model are wrong at the same time: one report, exit code 4."""
    ended = program.run("check", "--json", "--model", "claude-opus-4-1", SUPABASE_URL="http://127.0.0.1:9")
    assert ended.code == 4
    assert ended.document["ok"] is False
    assert {check["name"] for check in ended.document["checks"] if not check["ok"]} == {"model", "supabase"}
    assert ended.error["code"] == "preflight"


def test_every_event_of_a_run_has_a_name_and_a_time(program: Program) -> None:
    """The last line sums up."""
    ended = program.run("run", "--json", "--limit", "3")
    assert all({"event", "at"} <= event.keys() for event in ended.documents)
    assert ended.document["event"] == "run_finished"
    assert ended.document.keys() >= FINISHED
    names = [event["event"] for event in ended.documents]
    assert names.count("request") == names.count("paid") == 3
    assert names.index("run_started") < names.index("paid") < names.index("canary")


def test_status_tells_running_from_finished(program: Program, messages: MessagesServer) -> None:
    """While a run works it is named; afterwards it is not."""
    assert program.run("status", "--json").document["state"] == "idle"
    messages.control(latency_ms=150)
    run = program.start("run", "--json", "--limit", "12", "--concurrency", "2")
    started = run.wait_for("run_started")
    assert started
    assert run.wait_for("stored", 2)
    during = program.run("status", "--json").document
    assert during["state"] == "running"
    assert during["run_id"] == started["run_id"]
    assert during["holder"].keys() >= {"pid", "host", "started_at", "command"}
    assert during["holder"]["pid"] == run.pid
    assert during["holder"]["command"] == "run"
    assert 0 < during["stored"] <= 12
    assert during["spent_usd"] > 0
    assert during["eta_seconds"] >= 0
    assert run.end().code == 0
    after = program.run("status", "--json").document
    assert (after["state"], after["holder"], after["exit_code"], after["left"]) == ("finished", None, 0, 0)
    assert {"totals", "last_error"} <= after.keys()


def test_a_budget_that_runs_out_ends_with_code_7_and_keeps_what_is_paid(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The ceiling holds at the server too."""
    ended = program.run("run", "--json", "--budget", "0.05")
    assert ended.code == 7
    assert ended.error["code"] == "budget"
    assert 0 < supabase.count() == len(messages.billed()) < 180
    assert ended.document["spent_usd"] <= 0.05


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ({"status": 401}, "ANTHROPIC_API_KEY"),
        ({"status": 400, "message": "Your credit balance is too low to access the API"}, "credit"),
        ({"status": 429, "error_code": "enforced_spend_limit_reached"}, "spend limit"),
        ({"status": 404}, "model"),
    ],
)
def test_an_error_that_concerns_the_whole_run_stops_it_at_the_first_sight(
    program: Program, messages: MessagesServer, supabase: Supabase, fault: dict[str, object], hint: str
) -> None:
    """Exit code 4; what was in flight is stored; no further request leaves."""
    messages.control(latency_ms=50)
    messages.faults({"skip": 5, "times": 1000, **fault})
    ended = program.run("run", "--json", "--limit", "60", "--concurrency", "4")
    assert ended.code == 4
    assert hint in ended.error["hint"]
    assert len(messages.log()) <= 5 + 4
    assert supabase.count() == len(messages.billed()) == 5


def test_show_reads_a_text_with_its_provenance(program: Program) -> None:
    """What the editor reads is what was stored."""
    assert program.run("run", "--json", "--key", "yang_wood_rat").code == 0
    document = program.run("show", "yang_wood_rat", "--json").document
    assert {text["category"] for text in document["texts"]} == {
        "bazi_year_pillar",
        "bazi_month_pillar",
        "bazi_hour_pillar",
    }
    assert all(text["provenance"]["writer"] == "claude" for text in document["texts"])


def test_catalogs_and_schema_need_nothing(offline: Program) -> None:
    """What comes with the package can be listed and printed."""
    listed = offline.run("catalogs", "--json").document["catalogs"]
    assert "bazi_pillars" in {one["name"] for one in listed}
    printed = offline.run("schema")
    assert printed.code == 0
    assert "create table if not exists public.content_library" in printed.out
