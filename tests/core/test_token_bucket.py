"""What a limit is believed to be, figure by figure; how it works out is in test_pacing."""

from __future__ import annotations

import pytest

from seed_library.core.rate_limits import Limit
from seed_library.core.token_bucket import Departure, RequestBucket, TextBucket


@pytest.mark.parametrize(
    ("limit", "depth", "used_by_others"),
    [
        (Limit(600), 10, False),
        (Limit(600, 9), 10, False),
        (Limit(600, 3), 10, True),
        (Limit(600, 599), 599, False),
        (Limit(1000, 300), 300, False),
        (Limit(1000, 300, 42), 966, True),
        (Limit(1000, 300, 1), 300, False),
        (Limit(600, 3, 120), 600, True),
        (Limit(60, 0), 1, False),
    ],
)
def test_a_bucket_is_as_deep_as_what_is_told_of_it(limit: Limit, depth: float, *, used_by_others: bool) -> None:
    """At least a second's share, what remains, and what is still to be refilled; at most a minute's."""
    bucket = RequestBucket(limit, 0.0)
    assert bucket.depth == pytest.approx(depth, rel=0.01)
    assert bucket.is_used_by_others is used_by_others


@pytest.mark.parametrize(("remaining", "short"), [(9, False), (8, False), (5, True), (0, True)])
def test_what_others_take_is_what_our_own_requests_do_not_explain(remaining: float, *, short: bool) -> None:
    """One of ours is on its way from a full bucket: one or two may be missing."""
    bucket = RequestBucket(Limit(600, 10), 0.0)
    bucket.spend()
    bucket.compare(remaining, Departure(1, 0.0, bucket.level), 0.1, 1)
    assert (bucket.shortage > 0) is short


def test_our_own_burst_is_no_shortage() -> None:
    """Nine have left at once, and nearly nothing remains: nobody else was there."""
    bucket = RequestBucket(Limit(600, 10), 0.0)
    for _ in range(9):
        bucket.spend()
    bucket.compare(1, Departure(9, 0.0, bucket.level), 0.05, 8)
    assert bucket.shortage == 0


def test_a_bucket_that_fills_up_is_no_shortage() -> None:
    """Half of a minute's requests is gone, but nobody takes more: it is refilled by as much as it can be."""
    bucket, falling = RequestBucket(Limit(1000, 900), 0.0), RequestBucket(Limit(1000, 900), 0.0)
    for second in range(1, 16):
        bucket.compare(400 + 16 * second, Departure(second, second - 0.1, 900), float(second), 1)
        falling.compare(500 - 2 * second, Departure(second, second - 0.1, 900), float(second), 1)
    assert bucket.shortage == 0
    assert falling.shortage > 0.3


def test_a_limit_of_another_unit_is_outgrown() -> None:
    """As much remains every time although more was taken than a minute gives; a refusal takes that back."""
    bucket = RequestBucket(Limit(60, 50), 0.0)
    for second in range(1, 5):
        for _ in range(20):
            bucket.spend()
        bucket.compare(50, Departure(second, second - 0.1, bucket.level), float(second), 1)
    assert bucket.rate > 1
    bucket.give_back()
    assert bucket.rate == 1


def test_the_bucket_of_text_goes_by_what_remains_and_what_is_in_flight() -> None:
    """400 tokens a request, and three of them in flight: of 2,000 that remain 800 are left."""
    text = TextBucket(Limit(60_000, 60_000), 400)
    assert text.seconds_until() == 0
    text.hear(Limit(60_000, 2_000), 3)
    assert text.seconds_until() == pytest.approx((3 * 400 - 800) / 1000)
    text.pass_time(1.0)
    assert text.seconds_until() == 0
    text.spend()
    text.spend()
    assert text.seconds_until() > 0
