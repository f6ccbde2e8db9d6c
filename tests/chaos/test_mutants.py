"""The trials find what they are made to find: each broken promise, within a few trials that draw its danger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import pytest
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos import batch_kills, message_runs
from chaos.dangers import Dangers, Life
from chaos.mutants import MUTANTS
from chaos.people import Surroundings

_MOST_TRIALS = 12
_BUG = 500  # may have been billed
_ITEMS = 60


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a trial draws: its dangers, and what happens around them."""

    dangers: Dangers
    around: Surroundings

    @classmethod
    def of(cls, seed: int) -> Drawn:
        """Draw it."""
        dangers = Dangers.draw(seed)
        return cls(dangers, Surroundings.draw(seed, len(dangers.lives)))

    @property
    def undisturbed(self) -> bool:
        """Whether nobody else works in the table, and it takes what it is given at once."""
        around = self.around
        return not (around.person or around.slowness or any(one.refused or one.refresh for one in around.company))

    @property
    def begins_well(self) -> bool:
        """Whether the first life fills the table to its end, as far as the program can, with a person or without."""
        life, company = self.dangers.lives[0], self.around.company[0]
        return life.ending == "end" and not (life.hardship or company.refused or self.around.slowness)


def _ends_at_work(life: Life, ending: str) -> bool:
    """Whether a life surely comes to its end while it works: at one of its first events, and at once."""
    return life.ending == ending and not life.hardship and 2 <= life.events <= 60 and not life.pause


def _two_at_once(drawn: Drawn) -> bool:
    """The first is slow, so that it works still when the second comes to work, however busy the machine is."""
    dangers = drawn.dangers
    slow = dangers.concurrency == 1 and dangers.latency_ms >= 40 and drawn.undisturbed
    return slow and _ends_at_work(dangers.lives[0], "second start") and dangers.lives[0].events <= 5


def _killed_at_work(drawn: Drawn) -> bool:
    lives = drawn.dangers.lives
    return drawn.undisturbed and any(_ends_at_work(life, "kill") and life.events >= 20 for life in lives)


def _killed_while_asking(drawn: Drawn) -> bool:
    """Many slow requests are in flight when it is killed."""
    dangers = drawn.dangers
    return _killed_at_work(drawn) and dangers.concurrency >= 8 and dangers.latency_ms >= 20


def _torn(drawn: Drawn) -> bool:
    lives = drawn.dangers.lives
    return drawn.undisturbed and any(_ends_at_work(life, "kill") and life.torn for life in lives)


def _broken_answers(drawn: Drawn) -> bool:
    dangers = drawn.dangers
    broken = any(fault.get("drop") == "after" or "truncate" in fault for fault in dangers.model)
    return broken and drawn.undisturbed and not dangers.lives[0].hardship and dangers.lives[0].events >= 20


def _undisturbed(drawn: Drawn) -> bool:
    return drawn.undisturbed


def _any(_: Drawn) -> bool:
    """Every trial has it."""
    return True


def _written_beside_it(drawn: Drawn) -> bool:
    """The person writes rows to come when the first life has just begun, and it is slow."""
    slow = drawn.dangers.concurrency == 1 and drawn.dangers.latency_ms >= 20
    acts = [deed for after, deed in drawn.around.company[0].acts if 2 <= after <= 4]
    return slow and drawn.begins_well and any(deed.name == "writes" and deed.rows >= 10 for deed in acts)


def _written_just_then(drawn: Drawn) -> bool:
    """The person writes all rows to come when one of the first writes has arrived; before it come its lease's own."""
    begun = [deed for skip, _, deed in drawn.around.company[0].just_then if skip >= 1]
    return drawn.begins_well and any(deed.name == "writes" and deed.rows >= _ITEMS for deed in begun)


def _replaced(drawn: Drawn) -> bool:
    """A life that has the table to itself replaces the texts that one before it has stored."""
    refreshed = [
        life.ending == "end" and not life.hardship and company.refresh and not company.refused
        for life, company in zip(drawn.dangers.lives, drawn.around.company, strict=True)
    ]
    return drawn.begins_well and not drawn.around.person and any(refreshed[1:])


def _pruned(drawn: Drawn) -> bool:
    """Odd keys are removed beside the good rows that they are made of."""
    company = drawn.around.company[0]
    return drawn.begins_well and company.pruning == "end" and not company.between


def _refused(drawn: Drawn) -> bool:
    """The empty table of the first life refuses every row."""
    life, company = drawn.dangers.lives[0], drawn.around.company[0]
    at_work = life.ending == "end" and not life.hardship and not drawn.around.slowness
    return at_work and company.refused == "all"


def _closed_lid(drawn: Drawn) -> bool:
    """Several slow requests are in flight when the lid is closed."""
    dangers, life = drawn.dangers, drawn.dangers.lives[0]
    slow = dangers.concurrency >= 4 and dangers.latency_ms >= 20 and drawn.undisturbed
    broken = any({"drop", "truncate", "body"} & fault.keys() or fault.get("status") == _BUG for fault in dangers.model)
    killed = any(life.ending not in {"closed lid", "end", "term"} for life in dangers.lives)
    return slow and not (broken or killed) and _ends_at_work(life, "closed lid")


def _unread(drawn: Drawn) -> bool:
    """The first life says much that nobody reads."""
    life = drawn.dangers.lives[0]
    return life.ending == "unread pipe" and not life.hardship and drawn.undisturbed


def _away(drawn: Drawn) -> bool:
    """The database goes away while the first life works."""
    life = drawn.dangers.lives[0]
    at_work = life.ending == "end" and 2 <= life.events <= 60
    return life.hardship == "database long away" and at_work and drawn.undisturbed


def _limited(drawn: Drawn) -> bool:
    """More is asked at once than the account allows, and the first life works to its end."""
    dangers = drawn.dangers
    return dangers.per_minute == 900 and dangers.concurrency >= 8 and drawn.begins_well and drawn.undisturbed


_BATCH_DANGERS: dict[str, Callable[[batch_kills.Dangers], bool]] = {
    # Long under way when it is killed, with a key that sees it no more afterwards.
    "one workspace": lambda drawn: (
        (drawn.other_key and drawn.kills == 1 and drawn.polls >= 5)
        and not (drawn.empty_state or drawn.archived or drawn.outcomes or drawn.lost_answer or drawn.hidden)
    )
}
_DANGERS: dict[str, Callable[[Drawn], bool]] = {
    "no lock": _two_at_once,
    "table only": _killed_at_work,
    "no intent": _undisturbed,
    "upsert before paid": _undisturbed,
    "torn tail left": _torn,
    "open intents forgotten": _killed_while_asking,
    "hidden retries": _broken_answers,
    "overwrite whatever is there": _written_beside_it,
    "no conditions": _written_just_then,
    "nothing kept": _replaced,
    "delete by list": _pruned,
    "no rehearsal": _refused,
    "the clock decides": _closed_lid,
    "printing itself": _unread,
    "hasty": _away,
    "through a proxy": _any,
    "keys in clear": _any,
    "no pace": _limited,
}
_FOUND_BY = {
    "overwrite whatever is there": "I11",
    "no conditions": "I11",
    "nothing kept": "I11",
    "delete by list": "I12",
    "no rehearsal": "I10",
    "the clock decides": "I3",
    "printing itself": "I13",
    "hasty": "I13",
    "one workspace": "billed twice",
    "through a proxy": "I8",
    "keys in clear": "I8",
    "no pace": "I14",
}


def test_every_mutant_has_its_danger() -> None:
    """None is forgotten."""
    assert {*_DANGERS, *_BATCH_DANGERS} == set(MUTANTS)


def _draws(mutant: str, seed: int) -> bool:
    """Whether the trial of this seed has the danger that the mutant needs."""
    if mutant in _BATCH_DANGERS:
        return _BATCH_DANGERS[mutant](batch_kills.Dangers.draw(seed))
    return _DANGERS[mutant](Drawn.of(seed))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_promise_is_found(mutant: str, messages: MessagesServer, supabase: Supabase, tmp_path: Path) -> None:
    """With the very trials that the right program passes, and by the invariant that is about it."""
    trial = batch_kills.trial if mutant in _BATCH_DANGERS else message_runs.trial
    seeds = islice((seed for seed in count(1) if _draws(mutant, seed)), _MOST_TRIALS)
    found = (trial(seed, tmp_path / str(seed), messages, supabase, mutant).violations for seed in seeds)
    wanted = _FOUND_BY.get(mutant, "")
    assert any(wanted in said for violations in found for said in violations), f"{_MOST_TRIALS} trials found nothing"
