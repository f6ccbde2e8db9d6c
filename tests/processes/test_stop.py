"""A stop is a stop: no new request, what is in flight is stored, the exit code says so."""

from __future__ import annotations

import signal

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_everything_stored_that_was_paid(
    program: Program, messages: MessagesServer, supabase: Supabase, number: signal.Signals
) -> None:
    """Exit code 8, no text lost, and the next run goes on from there."""
    messages.control(latency_ms=200)
    run = program.start("run", "--json", "--limit", "60", "--concurrency", "4")
    assert run.wait_for("paid", 6)
    run.send(number)
    ended = run.end()
    assert ended.code == 8
    assert ended.document["event"] == "run_finished"
    assert ended.document["exit_code"] == 8
    assert ended.error["code"] == "stopped"
    assert number.name in ended.error["message"]
    assert ended.document["stored"] == ended.document["generated"] == supabase.count() == len(messages.billed())
    assert 0 < supabase.count() < 60
    assert ended.document["maybe_spent_usd"] == 0

    messages.control(latency_ms=0)
    assert program.run("run", "--json", "--limit", "60").code == 0
    assert supabase.count() == 60
    assert len(messages.log()) == 60


def test_the_second_signal_leaves_at_once_and_the_next_run_says_what_may_have_been_billed(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Exit code 130; the requests in flight are counted, and nothing that had arrived is lost."""
    messages.control(latency_ms=150)
    run = program.start("run", "--json", "--limit", "20", "--concurrency", "4")
    assert run.wait_for("canary")
    messages.faults({"hang": True, "times": 4})
    assert run.wait_for("request", 4)
    run.send(signal.SIGINT)
    assert run.wait_for("stopping")
    run.send(signal.SIGINT)
    ended = run.end()
    assert ended.code == 130
    assert "SIGINT again" in ended.err

    messages.faults()
    again = program.run("run", "--json", "--limit", "20")
    assert again.code == 0
    assert sum("in flight when a run was killed" in str(event.get("message")) for event in again.documents) == 4
    assert again.document["maybe_spent_usd"] > 0, "and counted against this run's budget"
    assert program.run("status", "--json").document["maybe_spent_usd"] == again.document["maybe_spent_usd"]
    assert supabase.count() == 20


def test_a_run_under_nohup_outlives_its_terminal(program: Program, messages: MessagesServer) -> None:
    """A hangup that the caller has chosen to ignore stays ignored."""
    messages.control(latency_ms=100)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = program.start("run", "--json", "--limit", "8", "--concurrency", "2")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.wait_for("canary")
    run.send(signal.SIGHUP)
    assert run.end().code == 0


def test_a_signal_after_the_last_word_adds_no_other(program: Program) -> None:
    """Scripts read the last line; whatever comes while the process closes its files changes nothing any more."""
    for _ in range(5):
        run = program.start("run", "--json", "--limit", "2")
        assert run.wait_for("run_finished")
        run.send(signal.SIGTERM)
        assert run.end().out == ""
