"""The simulation finds what it is made to find: controllers that break a promise on purpose. The test of the tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from core.rate_simulation import Client, Network, Provider, Simulation, alone, nothing, together

from seed_library.core import pacing, rate_shares
from seed_library.core.pacing import Pacer
from seed_library.core.rate_limits import Limit, RateLimits
from seed_library.core.rate_shares import LearntRate, TakenShare
from seed_library.core.token_bucket import RequestBucket

Mutate = Callable[[pytest.MonkeyPatch], None]
QUICK = Network(0.1)


def _keeps_the_limit() -> bool:
    return alone(Provider(600), 120, QUICK).per_text <= 1.1


def _uses_the_limit() -> bool:
    return alone(Provider(600), 120, Network(0.6)).of_ideal <= 1.05


def _bursts_never() -> bool:
    arrived = sorted(alone(Provider(1000, burst=1000), 400, QUICK).clients[0].arrived)
    return max(sum(at <= other < at + 0.1 for other in arrived) for at in arrived) <= 12


def _follows_a_raise() -> bool:
    provider, client = Provider(60), Client(300)
    simulation = Simulation(provider, [client], QUICK)
    simulation.at(5.0, lambda: provider.change(5.0, 1200))
    simulation.run()
    return client.done[-1] <= 25


def _forgets_what_is_not_told_any_more() -> bool:
    provider, client = Provider(60), Client(300)
    simulation = Simulation(provider, [client], QUICK)

    def change() -> None:
        provider.change(5.0, 60_000)
        provider.tells = nothing

    simulation.at(5.0, change)
    simulation.run()
    return client.done[-1] <= 15


def _is_not_held_back_by_one_refusal() -> bool:
    provider, client = Provider(60_000), Client(200)
    provider.refuses, provider.asks = lambda number: number == 50, 60.0
    Simulation(provider, [client], QUICK).run()
    return sum(at < 20 for at in client.done) >= 199


def _learns_what_nobody_tells() -> bool:
    return alone(Provider(600, tells=nothing), 600, QUICK).per_text <= 1.25


def _outgrows_what_was_learnt() -> bool:
    provider, client = Provider(300, tells=nothing), Client(1000)
    simulation = Simulation(provider, [client], QUICK)
    simulation.at(10.0, lambda: provider.change(10.0, 60_000))
    simulation.run()
    return client.done[-1] <= 120


def _eight_send_little_more_than_one() -> bool:
    return together(Provider(600), 150, Network(0.3)).per_text <= 1.1


def _eight_get_the_same() -> bool:
    return max(together(Provider(600), 150, Network(0.3), seed=seed).most_to_least for seed in range(3)) <= 1.5


def _asks_seldom_while_it_is_closed() -> bool:
    client = Client(200)
    simulation = Simulation(closed := Provider(6000), [client], QUICK)
    closed.refuses, closed.asks = lambda number: 2.0 < simulation.now < 300, 3600.0
    simulation.run()
    return sum(10 < at < 300 for at in client.arrived) <= 6


def _waits_for_no_figure() -> bool:
    pacer = Pacer()
    pacer.answered(0.0, pacer.leaves(0.0), RateLimits({"requests": Limit(1, 0)}), {})
    return pacer.wait(0.0) <= 15


def _no_pace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pacer, "wait", lambda *_: 0.0)


def _too_careful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pacing, "_EVENLY", 0.8)
    patch.setattr(pacing, "_FASTER", 0.0)


def _all_that_remains_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pacer, "wait", lambda self, now: self._requests.seconds_until() if self._requests else 0.0)


def _first_limit_for_ever(patch: pytest.MonkeyPatch) -> None:
    believe = Pacer._believe

    def believe_once(self: Pacer, departure: Any, limits: RateLimits) -> None:
        if self._requests is None:
            believe(self, departure, limits)

    patch.setattr(Pacer, "_believe", believe_once)


def _all_wait_for_one(patch: pytest.MonkeyPatch) -> None:
    refused, wait, until = Pacer.refused, Pacer.wait, [0.0]

    def refused_for_all(self: Pacer, now: float, departure: Any, limits: RateLimits, asked: float | None) -> None:
        until[0] = now + (asked or 0.0)
        refused(self, now, departure, limits, asked)

    patch.setattr(Pacer, "refused", refused_for_all)
    patch.setattr(Pacer, "wait", lambda self, now: max(wait(self, now), until[0] - now))


def _refusals_teach_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pacer, "_learn", lambda _: None)


def _learnt_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LearntRate, "pass_time", lambda *_: None)
    patch.setattr(LearntRate, "is_over", lambda *_: False)


def _takes_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TakenShare, "pass_time", lambda *_: None)
    patch.setattr(TakenShare, "count", lambda *_, **__: None)
    patch.setattr(rate_shares, "_FIRST_SHARE", 1.0)
    patch.setattr(rate_shares, "_SHARE_BESIDE_OTHERS", 1.0)


def _sees_no_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RequestBucket, "compare", lambda *_: False)


def _grows_in_proportion(patch: pytest.MonkeyPatch) -> None:
    def pass_time(self: TakenShare, seconds: float, now: float, depth: float) -> None:
        change = 0.3 * (1 - self.shortage) - 0.6 * self.shortage
        self.share = min(1.0, max(0.01, self.share * (1 + change * seconds)))

    patch.setattr(TakenShare, "pass_time", pass_time)


def _never_closed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pacing, "_LONG", math.inf)


def _believes_any_figure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pacing, "_SLOWEST", math.inf)


MUTANTS: dict[str, tuple[Mutate, Callable[[], bool]]] = {
    "no pace": (_no_pace, _keeps_the_limit),
    "too careful": (_too_careful, _uses_the_limit),
    "all that remains at once": (_all_that_remains_at_once, _bursts_never),
    "first limit for ever": (_first_limit_for_ever, _follows_a_raise),
    "told limit for ever": (_first_limit_for_ever, _forgets_what_is_not_told_any_more),
    "all wait for one": (_all_wait_for_one, _is_not_held_back_by_one_refusal),
    "refusals teach nothing": (_refusals_teach_nothing, _learns_what_nobody_tells),
    "learnt for ever": (_learnt_for_ever, _outgrows_what_was_learnt),
    "takes all": (_takes_all, _eight_send_little_more_than_one),
    "sees no others": (_sees_no_others, _eight_get_the_same),
    "grows in proportion": (_grows_in_proportion, _eight_get_the_same),
    "never closed": (_never_closed, _asks_seldom_while_it_is_closed),
    "believes any figure": (_believes_any_figure, _waits_for_no_figure),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_promise_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the right controller keeps, the mutant does not."""
    mutate, keeps = MUTANTS[mutant]
    assert keeps()
    mutate(monkeypatch)
    assert not keeps()
