"""Limits of the account as we believe them to be: token buckets, kept in step with our own requests.

Invariants:

- A bucket holds `depth` at most and is refilled all the time, by what the limit allows (platform documentation, "Rate
  limits": the token bucket algorithm, whose capacity is continuously replenished). A request waits until it is paid.
- What is left of the bucket of requests is what would be left if nobody but us used the account. So what the API says
  remains is less only where somebody else does. The bucket of text goes by what the API says: how much of it a request
  takes is known only when it has been answered.
- The depth is not told. A limit "may be enforced over shorter periods" (60 a minute as one a second), so at first it is
  what the limit allows in a second, until more is seen to remain. Where always the same remains, and far less than
  that, it was believed too deep: what others take would vary.
- A part of the bucket of requests is kept in reserve: requests arrive early or late, and a bucket that is nearly empty
  does not tell who empties it. Where it holds a few requests only, none can be kept, and we ask a little more slowly
  than is allowed.
- A limit of another unit stalls nobody: where more remains, again and again, than there could be, more is refilled than
  was told; a limit of text that allows hardly any request is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from seed_library.core.rate_limits import Limit

_HOLDS_SEVERAL = 4  # requests; what remains of a smaller bucket is nearly always nothing, and says nothing
_RESERVE, _RESERVE_SECONDS = 0.45, 2.0
_MARGIN = 0.975  # of the limit, where there is no reserve
_SEEN_FULL = 0.7
_SAME_TIMES, _SAME_SECONDS = 10, 6.0
_ROUNDED_SECONDS = 2.0  # the time at which all is there again is told in whole seconds, and travels
_SMOOTHED_SECONDS = 2.0
_TOO_MUCH = 0.25
_FULLER_THAN_TOLD = 3  # times; requests that never arrived make it fuller, too
_OUTGROW = 1.5
_TEXTS_KEPT = 2
_FEWEST_TEXTS = 4  # a minute


@dataclass(frozen=True, slots=True)
class Departure:
    """A request that has left, and what would be left of the limit of requests then."""

    number: int
    at: float
    level: float = 0.0


class _Constant:
    """Notices when the very same remains, again and again."""

    def __init__(self) -> None:
        self._value = -1.0
        self._times, self._seconds = 0, 0.0

    def take(self, remaining: float, seconds: float) -> bool:
        """Take what is said to remain, so many seconds after the last time; say whether it has long been the same."""
        if remaining != self._value:
            self._value, self._times, self._seconds = remaining, 0, 0.0
        self._times, self._seconds = self._times + 1, self._seconds + seconds
        return self._times >= _SAME_TIMES and self._seconds >= _SAME_SECONDS


class RequestBucket:
    """The limit of requests.

    Attributes:
        told: the limit as it was told, a minute.
        rate: what is refilled, a second.
        depth: what it holds at most.
        level: what would be left.
        shortage: which part of it others have taken, 0 to 1: nothing, or all of it.
    """

    def __init__(self, limit: Limit, now: float) -> None:
        self._heard_at = now
        self.told = limit.per_minute
        self.rate = limit.per_minute / 60
        remaining = limit.remaining or 0.0
        refilled = self.rate * max(0.0, (limit.full_in or 0.0) - _ROUNDED_SECONDS)
        self.depth = max(self.rate, remaining, min(remaining + refilled, limit.per_minute))
        self.level = remaining if remaining > 1 else 0.0
        self.shortage = 0.0
        self._begun_with = self._mean = remaining
        self._tells = limit.remaining is not None
        self._fuller = 0
        self._constant = _Constant()

    @property
    def holds_several(self) -> bool:
        """Whether it holds enough requests for its level to say something."""
        return self._tells and self.depth >= _HOLDS_SEVERAL

    @property
    def is_used_by_others(self) -> bool:
        """Whether some of it is missing at the first sight, which one request of ours does not explain."""
        return self.holds_several and self._begun_with < self.depth - 1.5

    @property
    def room(self) -> float:
        """How far it is above its reserve: 0, or up to 1 where half of it and more is there to be used."""
        if not self.holds_several:
            return 0.0
        return min(1.0, max(0.0, 2 * (self.level - self._reserve - 1) / self.depth))

    def pass_time(self, seconds: float) -> None:
        """Refill it."""
        self.level = min(self._most, self.level + self._speed * seconds)

    def seconds_until(self) -> float:
        """Return how long it takes until a request can be paid from what is above the reserve."""
        return max(0.0, 1 + self._reserve - self.level) / self._speed

    def spend(self) -> None:
        """Pay for a request."""
        self.level -= 1

    def give_back(self) -> None:
        """Undo the payment for a request that was refused: it took nothing, and the limit is not larger than told."""
        self.level = min(self._most, self.level + 1)
        self.rate, self._fuller = self.told / 60, 0
        self._constant = _Constant()

    def compare(self, remaining: float, departure: Departure, now: float, in_flight: int) -> bool:
        """Learn from what is said to remain; say whether it was believed to hold several requests, wrongly.

        Args:
            remaining: what is said.
            departure: of the request. The provider may tell what was left when it arrived, or when it was answered.
            now: the time.
            in_flight: requests that have left and perhaps not arrived.
        """
        since_last, age = now - self._heard_at, now - departure.at
        self._heard_at = now
        held_several = self.holds_several
        self._grow(remaining, since_last, in_flight)
        own = min(self.level, departure.level)
        unused = (remaining - self._mean) / (_SMOOTHED_SECONDS * self.rate)
        self._mean += min(0.5, since_last / _SMOOTHED_SECONDS) * (remaining - self._mean)
        if not self.holds_several:
            self.shortage = 0.0
            return held_several
        missing = (own - 1 - remaining) / max(1.0, own)
        # Twice what goes unused: who sees the bucket fill up need not slow down. What was said of a bucket that has
        # been refilled several times since says little.
        fresh = min(1.0, 2 * self.depth / self.rate / max(age, 0.001))
        self.shortage = fresh * min(1.0, max(0.0, missing - 2 * unused)) if missing > 0 else 0.0
        return False

    def _grow(self, remaining: float, since_last: float, in_flight: int) -> None:
        if self._constant.take(remaining, since_last) and remaining < _SEEN_FULL * self.depth:
            self.depth = max(1.0, remaining)
        elif remaining > self.depth:
            self.depth = self.level = remaining
        elif self.holds_several and remaining > self.level + in_flight + max(1.5, _TOO_MUCH * self.depth):
            self.level = remaining - in_flight
            self._fuller += 1
            if self._fuller >= _FULLER_THAN_TOLD:
                self.rate *= _OUTGROW

    @property
    def _most(self) -> float:
        return max(1.0, self.depth)

    @property
    def _reserve(self) -> float:
        return _RESERVE * min(self.depth, _RESERVE_SECONDS * self.rate) if self.holds_several else 0.0

    @property
    def _speed(self) -> float:
        return self.rate if self.holds_several else _MARGIN * self.rate


class TextBucket:
    """A limit of what is read or written, in tokens of a model.

    Attributes:
        rate: what is refilled, a second.
        cost: what one request takes.
    """

    def __init__(self, limit: Limit, cost: float) -> None:
        self.rate = limit.per_minute / 60
        self.cost = cost
        self._most = limit.per_minute
        self._level = limit.per_minute if limit.remaining is None else limit.remaining

    @property
    def says_something(self) -> bool:
        """Whether it allows as many requests as any account does."""
        return 0 < _FEWEST_TEXTS * self.cost <= self._most

    def hear(self, limit: Limit, in_flight: int) -> None:
        """Take over what is said to remain; what is in flight has yet to take its part."""
        self.rate, self._most = limit.per_minute / 60, limit.per_minute
        if limit.remaining is not None:
            self._level = limit.remaining - in_flight * self.cost

    def pass_time(self, seconds: float) -> None:
        """Refill it."""
        self._level = min(self._most, self._level + self.rate * seconds)

    def seconds_until(self) -> float:
        """Return how long it takes until a request can be paid, and a few others."""
        if not self.says_something:
            return 0.0
        return max(0.0, (1 + _TEXTS_KEPT) * self.cost - self._level) / self.rate

    def spend(self) -> None:
        """Pay for a request."""
        self._level -= self.cost
