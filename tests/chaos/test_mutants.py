"""The trials find what they are made to find: each broken promise, within a few trials that draw its danger."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

import pytest
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.dangers import Dangers, Life
from chaos.message_runs import trial
from chaos.mutants import MUTANTS

_MOST_TRIALS = 12


def _ends_at_work(life: Life, ending: str) -> bool:
    """Whether a life surely comes to its end while it works: at one of its first events, and at once."""
    return life.ending == ending and not life.hardship and 2 <= life.events <= 60 and not life.pause


def _two_at_once(dangers: Dangers) -> bool:
    """The first is slow, so that it works still when the second comes to work, however busy the machine is."""
    slow = dangers.concurrency == 1 and dangers.latency_ms >= 40
    return slow and _ends_at_work(dangers.lives[0], "second start") and dangers.lives[0].events <= 5


def _killed_at_work(dangers: Dangers) -> bool:
    return any(_ends_at_work(life, "kill") and life.events >= 20 for life in dangers.lives)


def _torn(dangers: Dangers) -> bool:
    return any(_ends_at_work(life, "kill") and life.torn for life in dangers.lives)


def _broken_answers(dangers: Dangers) -> bool:
    broken = any(fault.get("drop") == "after" or "truncate" in fault for fault in dangers.model)
    return broken and not dangers.lives[0].hardship and dangers.lives[0].events >= 20


def _any(dangers: Dangers) -> bool:
    return True


_DANGERS: dict[str, Callable[[Dangers], bool]] = {
    "no lock": _two_at_once,
    "table only": _killed_at_work,
    "no intent": _any,
    "upsert before paid": _any,
    "torn tail left": _torn,
    "open intents forgotten": _killed_at_work,
    "hidden retries": _broken_answers,
}


def test_every_mutant_has_its_danger() -> None:
    """None is forgotten."""
    assert set(_DANGERS) == set(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_promise_is_found(mutant: str, messages: MessagesServer, supabase: Supabase, tmp_path: Path) -> None:
    """With the very trials that the right program passes."""
    seeds = islice((seed for seed in count(1) if _DANGERS[mutant](Dangers.draw(seed))), _MOST_TRIALS)
    found = (trial(seed, tmp_path / str(seed), messages, supabase, mutant).violations for seed in seeds)
    assert any(found), f"{_MOST_TRIALS} trials found nothing"
