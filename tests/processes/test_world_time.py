"""Answers that are there while the program is not, and answers that take long."""

from __future__ import annotations

import signal

import pytest
from processes.cards import TITLES, Cards
from processes.jumping_clock import JumpingClock, stop
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

NINE = TITLES[:9]


def test_answers_that_arrived_during_a_stop_are_read(cards: Cards, messages: MessagesServer) -> None:
    """Eight in flight, Ctrl-Z, all eight are answered, fg after 135 seconds: nine texts for nine payments."""
    cards.write(NINE)
    messages.faults({"hold": True, "skip": 1, "times": 8})
    run = JumpingClock(cards.program, 135).start("run", "cards", "--json", "--concurrency", "8")
    messages.wait_for(lambda state: state["held"] == 8)
    stop(run)
    messages.control(release=True)
    messages.wait_for(lambda state: all("finished" in entry for entry in state["log"][-8:]))
    run.send(signal.SIGCONT)
    assert run.end().code == 0
    assert cards.stored() == set(NINE)
    assert len(messages.billed()) == 9


def test_a_lease_that_ran_out_during_a_stop_is_renewed(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Nobody has taken it meanwhile: the run goes on, and pays for nothing twice."""
    messages.faults({"hold": True, "skip": 1, "times": 4})
    run = JumpingClock(program, 135).start("run", "--json", "--limit", "12", "--concurrency", "4")
    messages.wait_for(lambda state: state["held"] == 4)
    stop(run)
    supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '45 seconds'")
    messages.control(release=True)
    messages.wait_for(lambda state: all("finished" in entry for entry in state["log"][-4:]))
    run.send(signal.SIGCONT)
    assert run.end().code == 0
    assert supabase.count() == len(messages.billed()) == 12


@pytest.mark.parametrize("where", ["before the answer", "in its middle"])
def test_a_stream_that_arrived_during_a_stop_is_read(cards: Cards, messages: MessagesServer, where: str) -> None:
    """Whatever of it was there before."""
    cards.write(TITLES[:4], {"model": "claude-sonnet-5-5", "thinking": "on", "thinking_tokens": 16_000})
    messages.faults({"hold": True, "skip": 1, "times": 3})
    run = JumpingClock(cards.program, 4_000).start("run", "cards", "--json", "--concurrency", "3")
    messages.wait_for(lambda state: state["held"] == 3)
    if where == "in its middle":
        messages.control(ping_ms=5)
    stop(run)
    messages.control(release=True)
    messages.wait_for(lambda state: all("finished" in entry for entry in state["log"][-3:]))
    run.send(signal.SIGCONT)
    assert run.end().code == 0
    assert (cards.stored(), len(messages.billed())) == (set(TITLES[:4]), 4)


def test_an_answer_may_take_longer_than_two_minutes(cards: Cards, messages: MessagesServer) -> None:
    """Thinking on, 16,000 tokens: the answer of 130 seconds is received, and paid for once."""
    cards.write(TITLES[:1], {"model": "claude-sonnet-5-5", "thinking": "on", "thinking_tokens": 16_000})
    messages.control(ping_ms=5)
    messages.faults({"hold": True})
    clock = JumpingClock(cards.program, 2)
    run = clock.start("run", "cards", "--json")
    messages.wait_for(lambda state: state["held"] == 1)
    clock.let_pass(run, 130)
    messages.control(release=True)
    assert run.end().code == 0
    assert cards.stored() == set(TITLES[:1])
    assert (len(messages.log()), len(messages.billed())) == (1, 1)
