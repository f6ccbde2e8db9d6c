"""Answers that are there while the program is not, and answers that take long."""

from __future__ import annotations

import signal

from processes.cards import TITLES, Cards
from processes.jumping_clock import JumpingClock, stop
from servers.processes import MessagesServer

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
