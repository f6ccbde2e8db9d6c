"""The pace of requests, in virtual time against a provider as the real one: few are refused, and no time is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from core.rate_simulation import (
    Client,
    Network,
    Provider,
    Simulation,
    Tells,
    alone,
    everything,
    nothing,
    only_the_limit,
    slowly,
    together,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.pacing import LONGEST_WAIT, Pacer
from seed_library.core.rate_limits import Kind, Limit, RateLimits

RATES = [(5, 20), (60, 60), (240, 120), (600, 120), (1000, 180), (4000, 800)]
QUICK, SLOW = Network(0.1), Network(0.6)
MOST_PER_TEXT, MOST_OF_IDEAL, MOST_TO_LEAST = 1.1, 1.05, 1.5


@pytest.mark.parametrize("network", [QUICK, SLOW], ids=str)
@pytest.mark.parametrize(("per_minute", "texts"), RATES)
def test_the_limit_of_an_account_is_kept_and_used(per_minute: int, texts: int, network: Network) -> None:
    """The first answer tells of it: hardly a request is refused, and 64 at once lose no time."""
    seen = alone(Provider(per_minute), texts, network)
    assert seen.per_text <= 1.01
    assert seen.of_ideal <= MOST_OF_IDEAL


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("per_minute", "texts", "most"), [(60, 60, 1.1), (120, 100, 1.05), (4000, 800, 1.05)])
def test_it_is_kept_by_a_machine_that_is_busy(per_minute: int, texts: int, most: float, seed: int) -> None:
    """Now and then a request is late by up to a tenth of a second, so that the next one comes too early.

    A bucket that holds a single request gives back nothing of what is lost so.
    """
    seen = alone(Provider(per_minute), texts, slowly(QUICK), seed)
    assert seen.per_text <= MOST_PER_TEXT
    assert seen.of_ideal <= most


@pytest.mark.parametrize("told_late", [True, False])
@pytest.mark.parametrize("refusal", [None, 0.05])
def test_it_makes_no_difference_when_the_figures_are_taken(*, told_late: bool, refusal: float | None) -> None:
    """As a request comes, or as its answer leaves; refusals at once, or after as long as an answer takes."""
    provider = Provider(600)
    provider.told_late = told_late
    seen = alone(provider, 300, Network(2.0, refusal))
    assert seen.per_text <= 1.01
    assert seen.seconds <= MOST_OF_IDEAL * (300 / 10 + 2.0)


@pytest.mark.parametrize(
    ("before", "after", "texts"), [(600, 120, 120), (60, 1200, 300), (4000, 600, 600), (60, 600, 120)]
)
def test_an_account_that_is_moved_half_way_is_followed(before: int, after: int, texts: int) -> None:
    """To a smaller limit with few refusals, to a larger one without losing what it allows."""
    provider, client = Provider(before), Client(texts)
    simulation = Simulation(provider, [client], QUICK)
    simulation.at(5.0, lambda: provider.change(5.0, after))
    seen = simulation.run()
    ideal = 5 + (texts - 5 * before / 60) * 60 / after
    assert seen.per_text <= MOST_PER_TEXT
    assert client.done[-1] <= MOST_OF_IDEAL * ideal + QUICK.answer


def test_what_was_saved_is_used_but_never_all_at_once() -> None:
    """A bucket that holds a minute's requests: half as fast again, and no burst of more than half a second."""
    seen = alone(Provider(1000, burst=1000), 400, SLOW)
    assert seen.requests == seen.texts
    assert seen.of_ideal < 0.8
    arrived = sorted(seen.clients[0].arrived)
    most = max(sum(at <= other < at + 0.5 for other in arrived) for at in arrived)
    assert most <= 1.5 * 0.5 * 1000 / 60 + 0.5 * 1000 / 60


@pytest.mark.parametrize(
    ("tells", "burst", "most"),
    [(everything, 1, 1.6), (everything, 4, 1.3), (everything, 30, 1.0), (only_the_limit, 10, MOST_OF_IDEAL)],
)
def test_a_bucket_of_another_depth_is_found_out(tells: Tells, burst: int, most: float) -> None:
    """Its depth is not told: one that holds less than was believed costs some time, and hardly a refusal."""
    seen = alone(Provider(600, burst, tells), 600, Network(0.3))
    assert seen.per_text <= MOST_PER_TEXT
    assert seen.of_ideal <= most


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("network", [QUICK, Network(0.3), SLOW], ids=str)
@pytest.mark.parametrize(("per_minute", "texts"), [(600, 150), (1000, 150), (4000, 600)])
def test_eight_with_one_key_share_it(per_minute: int, texts: int, network: Network, seed: int) -> None:
    """Without a word to each other: few requests are refused, nobody starves, and hardly any time is lost."""
    seen = together(Provider(per_minute), texts, network, seed=seed)
    assert seen.per_text <= MOST_PER_TEXT
    assert seen.most_to_least <= MOST_TO_LEAST
    assert seen.of_ideal <= 1.15


@pytest.mark.parametrize("clients", [2, 3, 5, 12])
def test_any_number_with_one_key_share_it(clients: int) -> None:
    """How many they are is told to nobody."""
    seen = together(Provider(1000), 200, Network(0.3), clients=clients)
    assert seen.per_text <= MOST_PER_TEXT
    assert seen.most_to_least <= MOST_TO_LEAST
    assert seen.of_ideal <= 1.1


def test_who_comes_late_gets_a_part_and_who_stays_gets_all() -> None:
    """One that begins when three others have worked for long; and the last one, when they have gone."""
    others = [Client(300, at_once=16) for _ in range(3)]
    late = Client(600, at_once=16, starts=30.0)
    seen = Simulation(Provider(1000), [*others, late], Network(0.3)).run()
    together_until = min(client.done[-1] for client in others)
    assert seen.per_text <= MOST_PER_TEXT
    settled = [sum(45 <= at <= together_until for at in client.done) for client in seen.clients]
    assert max(settled) <= MOST_TO_LEAST * min(settled)
    alone_from = max(client.done[-1] for client in others) + 10
    assert sum(alone_from <= at < alone_from + 10 for at in late.done) >= 0.9 * 10 * 1000 / 60


@pytest.mark.parametrize("theirs", [5.0, 9.0])
def test_other_programs_are_left_what_they_take(theirs: float) -> None:
    """What remains falls by more than we send. We take what they leave, and all of it when they have gone."""
    client, provider = Client(300), Provider(600)
    simulation = Simulation(provider, [client], Network(0.3))
    simulation.others(lambda now: theirs if now < 20 else 0.0)
    seen = simulation.run()
    assert seen.per_text <= MOST_PER_TEXT
    assert sum(at <= 20 for at in client.done) >= 0.5 * 20 * (10 - theirs)
    assert sum(30 <= at < 40 for at in client.done) >= 0.95 * 100


@pytest.mark.parametrize("tells", [everything, nothing])
def test_an_isolated_refusal_holds_nobody_else_back(tells: Tells) -> None:
    """Every fiftieth request is refused for reasons of its own, with a minute to wait: the others go on as ever."""
    calm, provider = alone(Provider(60_000, tells=tells), 400, SLOW), Provider(60_000, tells=tells)
    provider.refuses, provider.asks = lambda number: number % 50 == 0 and number < 400, 60.0
    client = Client(400)
    Simulation(provider, [client], SLOW).run()
    in_time = sum(at <= client.done[0] + calm.seconds + 1 for at in client.done)
    assert in_time >= 400 - 8
    assert client.pacer.limit in {None, 1000.0}


def test_refusals_that_the_limit_does_not_explain_do_not_slow_down_below_it() -> None:
    """A bucket that is told to be full refuses one in ten: another limit does, that nobody tells of."""
    provider, client = Provider(600, burst=600), Client(300)
    provider.refuses = lambda number: number % 10 == 5
    seen = Simulation(provider, [client], SLOW).run()
    assert seen.of_ideal <= 1.2


def test_a_limit_that_is_enforced_each_second_and_told_for_a_minute_is_kept() -> None:
    """What is told to remain is no burst to be used: the first refusal says so."""

    def of_a_minute(provider: Provider, now: float) -> RateLimits:
        return RateLimits({"requests": Limit(1000, 990)})

    seen = alone(Provider(1000, tells=of_a_minute), 400, QUICK)
    assert seen.per_text <= 1.02
    assert seen.of_ideal <= MOST_OF_IDEAL


@pytest.mark.parametrize(
    ("per_minute", "texts", "network"),
    [(600, 1000, QUICK), (600, 1000, SLOW), (600, 1000, Network(3.0, 0.05)), (4000, 3000, QUICK), (4000, 3000, SLOW)],
    ids=str,
)
def test_a_rate_that_nobody_tells_is_learnt_from_refusals(per_minute: int, texts: int, network: Network) -> None:
    """The first ones are lost: so many as are in flight before anybody can know. Then hardly any."""
    seen = alone(Provider(per_minute, tells=nothing), texts, network)
    assert seen.requests <= 1.05 * texts + 2 * 64
    assert seen.of_ideal <= 1.1


def test_a_rate_that_was_learnt_is_outgrown() -> None:
    """The account is raised and nobody tells: it is used again within a minute or two."""
    provider, client = Provider(300, tells=nothing), Client(2000)
    simulation = Simulation(provider, [client], QUICK)
    simulation.at(20.0, lambda: provider.change(20.0, 6000))
    simulation.run()
    assert client.done[-1] <= 150


def test_a_rate_that_was_learnt_from_what_has_passed_is_forgotten() -> None:
    """A storm of refusals, and one in ten ever after, whatever the pace: it does not crawl for ever."""
    provider, client = Provider(10**6, tells=nothing), Client(3000)
    provider.refuses = lambda number: 100 < number < 200 or number % 10 == 0
    Simulation(provider, [client], QUICK).run()
    assert client.done[-1] <= 400


def test_limits_that_are_not_told_any_more_are_forgotten() -> None:
    """The gateway that tells of a small limit is gone."""
    provider, client = Provider(60), Client(400)
    simulation = Simulation(provider, [client], QUICK)

    def change() -> None:
        provider.change(10.0, 60_000)
        provider.tells = nothing

    simulation.at(10.0, change)
    simulation.run()
    assert client.done[-1] <= 20
    assert client.pacer.limit is None


def _told(limit: float, remaining: float | None = None, full_in: float | None = None) -> Tells:
    return lambda provider, now: RateLimits({"requests": Limit(limit, remaining, full_in)})


def _remains(part: Callable[[float], float]) -> Tells:
    return lambda provider, now: RateLimits({"requests": Limit(provider.per_minute, part(provider.level(now)))})


def _at_random(provider: Provider, now: float) -> RateLimits:
    part = math.modf(now * 977)[0]
    return RateLimits({"requests": Limit(1 + 10 ** (6 * part), 10 ** (5 * part), 60 * part)} if part < 0.8 else {})


@pytest.mark.parametrize(
    ("tells", "seconds"),
    {
        "per day": (_told(864_000, 863_000), 60),
        "per hour": (_told(36_000, 35_990), 60),
        "per second": (_told(10, 10), 240),
        "huge": (_told(1e12, 1e12), 60),
        "nothing remains": (_remains(lambda level: 0), 60),
        "all remains": (_remains(lambda level: 600), 60),
        "tokens remain": (_remains(lambda level: 400_000), 60),
        "rounded": (_remains(lambda level: round(level, -1)), 60),
        "full in two minutes": (_told(600, 3, 120), 90),
    }.items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_figures_that_cannot_be_meant_stall_nobody(tells: str, seconds: tuple[Tells, float]) -> None:
    """Of another unit, huge, stuck or plainly wrong: the texts come all the same, and the account is not flooded."""
    odd, most = seconds
    client = Client(200)
    seen = Simulation(Provider(600, tells=odd), [client], QUICK).run()
    assert client.done[-1] <= most, tells
    assert seen.requests <= 1.2 * 200 + 2 * 64


def test_figures_at_random_stall_nobody() -> None:
    """Each answer tells something else; the run goes on for all that."""
    seen = Simulation(Provider(600, tells=_at_random), [Client(200)], QUICK).run()
    assert seen.texts == 200
    assert max(later - earlier for earlier, later in pairwise(sorted(seen.clients[0].done))) <= 40


def test_a_limit_of_one_a_minute_is_no_limit_of_an_account() -> None:
    """A refusal that tells of it makes nobody wait for a minute."""
    pacer = Pacer()
    for number in range(4):
        pacer.answered(float(number), pacer.leaves(float(number)), RateLimits({"requests": Limit(1, 0)}), {})
        pacer.returns()
        assert pacer.wait(float(number)) <= 15


def test_who_is_closed_asks_once_in_a_while_and_goes_on_at_once() -> None:
    """All are asked to wait for an hour: one request a minute finds out that it was five minutes only."""
    provider, client = Provider(6000), Client(300)
    closed = Provider(6000)
    simulation = Simulation(closed, [client], QUICK)
    closed.asks = 3600.0
    closed.refuses = lambda number: 10.0 < simulation.now < 310.0 or (simulation.now > 310 and not provider.takes(0))
    client.texts = 2000
    simulation.run()
    refused = [at for at in client.arrived if 10.0 < at < 310.0]
    assert len([at for at in refused if at > 12]) <= 6
    assert 310 <= client.done[-1] <= 400


def test_what_answers_take_is_limited_as_well() -> None:
    """6,000 tokens of output a minute, 600 an answer: ten a minute, when what was left is used up."""
    pacer, now, left = Pacer(), 0.0, 6000.0
    answers: list[float] = []
    while now < 300:
        now += pacer.wait(now) + 0.001
        departure = pacer.leaves(now)
        left = min(6000.0, left + (now - (answers[-1] if answers else now)) * 100) - 600
        assert left > -600, "it would have been refused"
        limits = RateLimits({"requests": Limit(600, 500), "output_tokens": Limit(6000, max(0.0, left))})
        pacer.answered(now, departure, limits, {"input_tokens": 100.0, "output_tokens": 600.0})
        pacer.returns()
        answers.append(now)
    assert sum(at > 120 for at in answers) == pytest.approx(30, abs=2)
    assert pacer.limit == pytest.approx(10 / 60, rel=0.1)


def test_a_limit_of_tokens_that_allows_no_request_is_none() -> None:
    """Five tokens a minute: of another unit."""
    pacer = Pacer()
    for number in range(10):
        limits = RateLimits({"requests": Limit(600, 500), "output_tokens": Limit(5, 0), "input_tokens": Limit(1e9, 0)})
        pacer.answered(number * 1.0, pacer.leaves(number * 1.0), limits, {"input_tokens": 99.0, "output_tokens": 600.0})
        pacer.returns()
        assert pacer.wait(number * 1.0) <= 0.5


_FIGURE = st.floats(0, 1e12, allow_nan=False)
_LIMIT = st.builds(Limit, st.floats(1e-9, 1e12), st.none() | _FIGURE, st.none() | st.floats(0, 120))
_KINDS: list[Kind] = ["requests", "input_tokens", "output_tokens"]
_LIMITS = st.builds(RateLimits, st.dictionaries(st.sampled_from(_KINDS), _LIMIT))


@settings(max_examples=200, deadline=None, database=None)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["leave", "answer", "refuse", "fail"]), _LIMITS, st.none() | _FIGURE, st.floats(0, 900)
        )
    )
)
def test_whatever_is_told_nobody_waits_for_ever(
    moves: list[tuple[str, RateLimits, float | None, float]],
) -> None:
    """Any figures in any order: there is always a time at which the next request may leave, within a minute."""
    pacer, now, under_way = Pacer(), 0.0, [Pacer().leaves(0.0)]
    for move, limits, figure, seconds in moves:
        now += seconds
        if move == "leave":
            under_way.append(pacer.leaves(now))
        elif under_way:
            departure = under_way.pop(0)
            if move == "answer":
                pacer.answered(now, departure, limits, {"input_tokens": figure or 0, "output_tokens": 1})
            elif move == "refuse":
                pacer.refused(now, departure, limits, figure)
            pacer.returns()
        assert 0 <= pacer.wait(now) <= LONGEST_WAIT
        assert pacer.wait(now + pacer.wait(now) + 0.001) <= LONGEST_WAIT
        assert pacer.limit is None or pacer.limit > 0


def test_time_that_stands_still_or_goes_back_does_no_harm() -> None:
    """A clock may be as coarse as it likes."""
    pacer = Pacer()
    limits = RateLimits({"requests": Limit(600, 10)})
    for now in (5.0, 5.0, 4.0, 5.0):
        pacer.answered(now, pacer.leaves(now), limits, {})
        pacer.returns()
    waits = [pacer.wait(5.0 + part / 10) for part in range(10)]
    assert all(later <= earlier for earlier, later in pairwise(waits))
