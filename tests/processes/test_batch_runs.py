"""`run --mode batch` as a process: half the price, whatever happens to process, answers and machines."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from processes.program import Program
from servers.processes import MessagesServer, MockAiApi
from servers.supabase import GRANTS, ORIGINAL_TABLE, PROVENANCE, Supabase

BATCHES = "/v1/messages/batches"
QUICKLY = {"SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05", "SEED_LIBRARY_BATCH_GRACE_SECONDS": "1"}
RUN = ("run", "--json", "--mode", "batch")
# The independent server says the same few words to everything.
LOOSE_RULES = """
[gates.words]
low = 5
high = 105
at_least = 3
at_most = 120
[gates.severity]
opening = "off"
shared_phrase = "off"
near_duplicate = "off"
language = "off"
"""


@pytest.fixture
def batching(program: Program) -> Program:
    """The program in front of both servers, in a hurry."""
    program.settings |= QUICKLY
    return program


def _spent(program: Program, messages: MessagesServer, *arguments: str) -> float:
    messages.reset()
    ended = program.run("run", "--json", "--store", f"sqlite:{arguments[1]}.sqlite3", *arguments)
    assert (ended.code, ended.document["stored"]) == (0, 180)
    return float(ended.document["spent_usd"])


def test_a_library_through_a_batch_costs_half_of_what_messages_cost(
    batching: Program, messages: MessagesServer
) -> None:
    """The same texts; but for the canary, which is a message, everything is half as dear."""
    whole = _spent(batching, messages, "--mode", "messages")
    half = _spent(batching, messages, "--mode", "batch")
    assert half == pytest.approx(whole / 2 + whole / 360, rel=0.01)
    assert Counter("batch" in entry for entry in messages.billed()) == {True: 179, False: 1}
    planned = batching.run("plan", "--json", "--store", "sqlite:new.sqlite3", "--mode", "batch").document
    assert planned["mode"] == "batch"
    assert planned["cost"]["likely_usd"] == planned["modes"]["batch"]["likely_usd"]
    likely = planned["modes"]["messages"]["likely_usd"]
    assert planned["modes"]["batch"]["likely_usd"] == pytest.approx(likely / 2 + likely / 360, rel=0.05)


def test_180_rows_reach_the_table_and_a_second_run_asks_for_nothing(
    batching: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """One batch, one message, 180 rows with their provenance."""
    first = batching.run(*RUN)
    assert (first.code, first.document["stored"], supabase.count()) == (0, 180, 180)
    again = batching.run(*RUN)
    assert (again.code, again.document["requests"], len(messages.billed())) == (0, 0, 180)
    rows = supabase.sql("select distinct provenance->>'writer' as writer from public.content_library")
    assert rows == [{"writer": "claude"}]


def test_an_independent_server_takes_the_batch_as_well(offline: Program, mock_ai_api: MockAiApi) -> None:
    """180 items through mock-ai-api, whose texts are short: 180 rows at half the price of its messages."""
    prompts = offline.folder / "prompts"
    shutil.copytree(Path(__file__).resolve().parents[2] / "prompts", prompts)
    catalog = prompts / "bazi_pillars" / "catalog.toml"
    before, _, _ = catalog.read_text("utf-8").partition("[gates]")
    catalog.write_text(f"{before}{LOOSE_RULES}", "utf-8")
    settings = {"SEED_LIBRARY_PROMPTS_DIR": str(prompts), "SEED_LIBRARY_LOCALES": "de"}
    offline.settings |= {**mock_ai_api.environment, **QUICKLY, **settings}
    batch = offline.run(*RUN, "--store", "sqlite:batch.sqlite3")
    assert (batch.code, batch.document["stored"]) == (0, 180), batch.out[-3000:]
    one = offline.run("run", "--json", "--mode", "messages", "--limit", "9", "--store", "sqlite:few.sqlite3")
    per_message = one.document["spent_usd"] / 9
    assert batch.document["spent_usd"] == pytest.approx(180 * per_message / 2, rel=0.35)


def test_only_what_was_errored_expired_or_canceled_is_asked_for_again(
    batching: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Six of 179 come back without a text: a second batch of six."""
    messages.control(
        batch_outcomes=[
            {"type": "errored", "times": 3},
            {"type": "expired", "times": 2},
            {"type": "canceled", "times": 1},
        ]
    )
    ended = batching.run(*RUN)
    assert (ended.code, supabase.count(), ended.document["failed"]) == (0, 180, 0)
    sizes = [entry["body"]["requests"] for entry in messages.log(BATCHES) if entry["method"] == "POST"]
    assert sizes == [179, 6]
    assert len(messages.billed()) == 180
    assert set(Counter(entry["prompt"] for entry in messages.billed()).values()) == {1}


@pytest.mark.parametrize("change", [{"--model": "claude-opus-9"}, {}], ids=["unknown model", "parameter refused"])
def test_a_wrong_model_or_parameter_costs_at_most_the_canary(
    batching: Program, messages: MessagesServer, supabase: Supabase, change: dict[str, str]
) -> None:
    """No batch is created: its parameters would only be looked at when it ends."""
    if not change:
        messages.faults({"status": 400, "message": "thinking.type: not supported", "times": 9})
    arguments = [part for pair in change.items() for part in pair]
    ended = batching.run(*RUN, *arguments)
    assert (ended.code, supabase.count(), messages.billed()) == (4, 0, [])
    assert messages.log(BATCHES) == []


def test_a_stop_leaves_the_batch_and_status_and_stop_say_so(
    batching: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The batch goes on by itself; the next run collects it, and pays for nothing again."""
    messages.control(batch_polls=10**9)
    run = batching.start(*RUN)
    assert run.wait_for("batch_waiting")
    running = batching.run("status", "--json").document
    assert [(one["batch_id"], one["items"]) for one in running["batches"]] == [("msgbatch_000001", 179)]
    stopped = batching.run("stop", "--json").document
    assert (stopped["batches"], stopped["exit_code"]) == (["msgbatch_000001"], 8)
    assert run.end().code == 8
    assert "msgbatch_000001: 179 requests" in batching.run("status").out
    assert "in a batch at the provider" in batching.run("plan").out
    messages.control(batch_polls=0)
    ended = batching.run("run", "--json")
    assert (ended.code, ended.document["requests"], supabase.count()) == (0, 0, 180)
    assert len(messages.billed()) == 180


def test_cancel_gives_up_the_rest_and_stores_what_was_finished(
    batching: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Every second request was finished, and is paid for; the next run asks for the others."""
    messages.control(batch_polls=10**9)
    run = batching.start(*RUN)
    assert run.wait_for("batch_waiting")
    run.kill()
    ended = batching.run("cancel", "--json")
    assert (ended.code, ended.document["requests"]) == (0, 0)
    assert supabase.count() == ended.document["stored"] + 1 == 91
    messages.control(batch_polls=0)
    rest = batching.run(*RUN)
    assert (rest.code, supabase.count(), len(messages.billed())) == (0, 180, 180)
    assert set(Counter(entry["prompt"] for entry in messages.billed()).values()) == {1}


def test_a_second_machine_takes_over_with_the_database_and_the_key_alone(
    batching: Program, messages: MessagesServer, supabase: Supabase, tmp_path: Path
) -> None:
    """The first one is dead, and its journal with it; its answer to the creation had got lost as well."""
    messages.control(batch_polls=10**9)
    messages.faults({"path": BATCHES, "method": "POST", "drop": "after"})
    run = batching.start(*RUN)
    assert run.wait_for("batch_waiting")
    run.kill()
    second = Program(tmp_path / "other", batching.settings)
    second.folder.mkdir()
    locked = second.run("run", "--json")
    assert locked.code == 5
    supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")
    messages.control(batch_polls=0)
    ended = second.run("run", "--json", "--mode", "messages")
    assert (ended.code, ended.document["requests"], supabase.count()) == (0, 0, 180)
    assert len(messages.billed()) == 180
    assert ended.document["spent_usd"] > 0


def test_where_batches_cannot_be_noted_the_run_warns_beforehand(
    batching: Program, messages: MessagesServer, project: object
) -> None:
    """Without the lease functions a lost state folder is not covered."""
    assert callable(project)
    bare = project(ORIGINAL_TABLE, GRANTS, PROVENANCE)
    ended = batching.run(*RUN, "--limit", "3", **bare.environment)
    assert ended.code == 0
    warnings = [event["message"] for event in ended.documents if event["event"] == "warning"]
    assert any("content_library_batches" in message for message in warnings)
    assert len(messages.billed()) == 3
