"""Every wait has an end, and a stop ends every wait; a target that is away costs time and no money."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from processes.cards import TITLES, Cards
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

MANY = [f"Card{number}" for number in range(400)]
FAST_POLL = {"SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05"}


def test_a_pipe_that_nobody_reads_costs_only_its_lines(cards: Cards, messages: MessagesServer) -> None:
    """400 texts are written although the pipe is full after the first 200; what is lost is counted."""
    cards.write(MANY)
    run = cards.start("--concurrency", "16")
    assert run.process.wait() == 0
    assert cards.stored() == set(MANY)
    assert len(messages.billed()) == len(MANY)
    out, err = run.process.communicate()
    whole = out.splitlines()[:-1]
    assert all(json.loads(line) for line in whole)
    assert len(whole) > 100
    assert re.search(r"[\d,]+ lines of output are lost", err)


def test_a_reader_that_comes_late_gets_everything(cards: Cards, messages: MessagesServer) -> None:
    """Nothing is lost as long as somebody reads in the end."""
    cards.write(MANY)
    run = cards.start("--concurrency", "16")
    messages.wait_for(lambda state: len(state["billed"]) == len(MANY))
    events = run.end().documents
    assert events[-1]["event"] == "run_finished"
    assert sum(event["event"] == "paid" for event in events) == len(MANY)


@pytest.mark.parametrize("end", ["--json", "--no-color"])
def test_both_streams_in_one_pipe_that_nobody_reads(cards: Cards, end: str) -> None:
    """`2>&1 | something that hangs`: there is nowhere to say what is lost, and the run goes on all the same."""
    cards.write(MANY)
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "seed_library", "run", "cards", end, "--verbose", "--concurrency", "16"]
    environment, folder = cards.program.environment(), cards.program.folder
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, cwd=folder) as process:
        assert process.wait() == 0
    os.close(ours)
    os.close(theirs)
    assert cards.stored() == set(MANY)


@pytest.mark.parametrize(
    "where",
    [
        {"path": "/v1/messages/batches", "method": "GET", "dribble_ms": 10**8},
        {"path": "/v1/messages/batches", "method": "GET", "hang": True, "times": 99},
    ],
    ids=["trickling", "hanging"],
)
def test_a_stop_ends_the_wait_for_a_batch(cards: Cards, messages: MessagesServer, where: dict[str, object]) -> None:
    """However its answers come: nothing is lost, and the next run collects it without paying."""
    cards.write(TITLES)
    messages.faults(where)
    run = cards.start("--mode", "batch", **FAST_POLL)
    assert run.wait_for("batch_submitted")
    messages.wait_for(lambda state: any("batches/" in entry["path"] for entry in state["log"]))
    run.send(signal.SIGTERM)
    assert run.end().code == 8
    messages.faults()
    again = cards.run("--mode", "batch", **FAST_POLL)
    assert (again.code, cards.stored()) == (0, set(TITLES))
    assert len(messages.billed()) == len(TITLES)


@pytest.mark.parametrize("line", ["POST /rest/v1/rpc/seed_library_look", "GET /rest/v1/content_library"])
@pytest.mark.parametrize("fault", [{"trickle_ms": 50}, {"delay_ms": 10**6}], ids=["trickling", "hanging"])
def test_a_stop_ends_the_wait_for_the_table_before_anything_is_paid(
    program: Program, messages: MessagesServer, supabase: Supabase, line: str, fault: dict[str, object]
) -> None:
    """In the preflight, and while the table is read."""
    supabase.faults({"match": line, "times": 99, **fault})
    run = program.start("run", "--json", "--limit", "5")
    while not any(entry["line"].startswith(line) for entry in supabase.log()):
        time.sleep(0.01)
    run.send(signal.SIGTERM)
    assert run.end().code == 8
    assert messages.billed() == []


def test_a_stop_ends_the_wait_for_a_table_that_takes_nothing(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """What is paid is in the journal, and stored by the next run."""
    store = "POST /rest/v1/rpc/seed_library_store"
    supabase.faults({"match": store, "skip": 2, "times": 99, "trickle_ms": 50})
    run = program.start("run", "--json", "--limit", "30", "--concurrency", "4")
    assert run.wait_for("paid", 6)
    run.send(signal.SIGTERM)
    assert run.end().code == 8
    supabase.faults()
    assert program.run("run", "--json", "--limit", "30").code == 0
    assert supabase.count() == len(messages.billed()) == 30


def _away(supabase: Supabase) -> None:
    supabase.away(5)


def _no_schema(supabase: Supabase) -> None:
    answer = {"status": 503, "body": '{"code": "PGRST002", "message": "schema cache", "details": null, "hint": null}'}
    supabase.faults({"match": "POST /rest/v1/", "times": 9, **answer, "headers": {"retry-after": "0"}})


def _gateway(supabase: Supabase) -> None:
    supabase.faults({"match": "POST /rest/v1/", "times": 9, "status": 522, "body": "<html>"})


@pytest.mark.parametrize("trouble", [_away, _no_schema, _gateway])
def test_a_target_that_is_away_in_the_middle_is_waited_for_and_nobody_pays_meanwhile(
    program: Program, messages: MessagesServer, supabase: Supabase, trouble: Callable[[Supabase], None]
) -> None:
    """The run goes on when it is back; no worker pays ahead."""
    messages.control(latency_ms=30)
    run = program.start("run", "--json", "--limit", "60", "--concurrency", "4")
    assert run.wait_for("paid", 8)
    trouble(supabase)
    ended = run.end()
    assert (ended.code, ended.document["stored"]) == (0, 60)
    assert supabase.count() == len(messages.billed()) == 60
    assert any("did not take" in str(event.get("message")) for event in ended.documents)


@pytest.mark.parametrize("trouble", [_away, _no_schema, _gateway])
def test_a_target_that_is_away_at_the_start_is_waited_for(
    program: Program, messages: MessagesServer, supabase: Supabase, trouble: Callable[[Supabase], None]
) -> None:
    """Cron starts while the database restarts."""
    trouble(supabase)
    ended = program.run("run", "--json", "--limit", "5")
    assert (ended.code, supabase.count(), len(messages.billed())) == (0, 5, 5)
