"""When the next request may leave: a pure controller, which is told what happens and when.

Invariants:

- A provider that says nothing of limits and refuses nothing is asked as fast as anybody wants.
- Where it tells of a limit, requests leave no faster than that allows, evenly, from the first answer on. What a bucket
  (`core.token_bucket`) holds above its reserve is used up by going half as fast again, never in a burst: what is
  allowed in half a second is the most that leaves at once.
- One refusal among answers slows down by no more than its part among them. One that the limits told do not explain
  does not slow down below those limits. Only a streak of refusals, with no answer in between, says something by itself:
  where all are asked to wait for long, that nobody needs to be sent before that, but one request to find out; where the
  limits do not explain it, that they are not those that bind. Then a rate is learnt from what was not refused.
- Who shares an account is not known, and nobody talks to the others. Each takes a share of the limit, and changes it by
  what all of them see: a shortage that its own requests do not explain makes it smaller in proportion, and without one
  it grows by the same amount for everybody (additive increase, multiplicative decrease: Chiu and Jain, 1989). So all
  shares meet, among n where about n / (n + 8) of a bucket is missing, before anything is refused. Where something is
  refused, a share goes down by the part that was (as RFC 8257 does with marks).
- Nothing that was learnt lasts. Limits are those of the last answers, and forgotten when answers tell of none any more;
  a rate learnt from refusals grows as long as none comes, and is forgotten after a time; a share is whole again some
  seconds after the last shortage. No figure makes a run wait longer than `_SLOWEST` for the next request, nor
  a request longer than `LONGEST_WAIT`.

Time is in seconds, on any clock that does not go back. There is no clock, no waiting and no randomness here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from seed_library.core.rate_limits import Kind, RateLimits
from seed_library.core.rate_shares import LearntRate, TakenShare
from seed_library.core.token_bucket import Departure, RequestBucket, TextBucket

LONGEST_WAIT = 60.0
_NO_TIME = 1e-6  # seconds; what is less than that is a figure that was rounded
_SLOWEST = 15.0  # seconds between two requests; 5 a minute is the smallest limit that was ever documented
_SHORTEST_STREAK, _LONGEST_STREAK = 4, 8
_LONG = 5.0  # seconds; what is asked for less is the time that a token takes
_SILENT = 3  # answers in a row that tell nothing
_LASTS_AT_FIRST, _LASTS_AT_MOST = 300.0, 3600.0
_EVENLY, _FASTER = 0.985, 0.5
_AT_ONCE = 0.5  # seconds
_FINE = 4.0  # requests a second; with fewer, waiting for the second one would take longer than it can save
_NEWEST = 0.2  # weight of the last request in what one takes


class _Lasting:
    """For how long something is held to be true: longer, each time that it has turned out again."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def again(self) -> float:
        """Return the seconds."""
        self._seconds = min(_LASTS_AT_MOST, max(_LASTS_AT_FIRST, 2 * self._seconds))
        return self._seconds


class Pacer:
    """Learns the pace.

    Attributes:
        in_flight: requests that have left and not come back.
        closed_for: for how many seconds all are asked to wait; 0 where they are not.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.closed_for = 0.0
        self._closed_until = 0.0
        self._now = 0.0
        self._left = 0
        self._departures: deque[float] = deque(maxlen=1024)
        self._allowance = 1.0
        self._requests: RequestBucket | None = None
        self._texts: dict[Kind, TextBucket] = {}
        self._taken = TakenShare(0.0, all_at_once=True, beside_others=False)
        self._silent = 0
        self._learnt: LearntRate | None = None
        self._disbelieved: float | None = None
        self._even_until = 0.0
        self._learnt_lasts, self._even_lasts = _Lasting(), _Lasting()
        self._streak = 0
        self._streak_left_at = 0.0

    @property
    def limit(self) -> float | None:
        """What holds the run back, in requests a second; None where nothing does."""
        if self._requests is None:
            return None if self._learnt is None else self._learnt.rate
        texts = [text.rate / text.cost for text in self._texts.values() if text.seconds_until() > 0]
        return min(self._requests.rate, *texts) if texts else self._requests.rate

    @property
    def is_told(self) -> bool:
        """Whether the limit is told, not learnt."""
        return self._requests is not None

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may leave; 0 where it may leave now."""
        self._pass_time(now)
        closed = max(0.0, self._closed_until - now)
        if (pace := self._pace()) is None:
            return closed
        waits = [(1 - self._allowance) / pace, *(text.seconds_until() for text in self._texts.values())]
        if self._requests is not None:
            waits.append(self._requests.seconds_until())
        seconds = max(closed, min(_SLOWEST, max(waits)))
        return seconds if seconds > _NO_TIME else 0.0

    def leaves(self, now: float) -> Departure:
        """Count a request that leaves now."""
        self._pass_time(now)
        self._left += 1
        self.in_flight += 1
        self._departures.append(now)
        self._allowance = max(0.0, self._allowance - 1)
        for text in self._texts.values():
            text.spend()
        if self.closed_for:
            self._closed_until = now + self.closed_for
        if self._requests is None:
            return Departure(self._left, now)
        self._requests.spend()
        return Departure(self._left, now, self._requests.level)

    def returns(self) -> None:
        """Count a request that has come back, however it ended."""
        self.in_flight -= 1

    def answered(self, now: float, departure: Departure, limits: RateLimits, used: Mapping[Kind, float]) -> None:
        """Learn from an answer.

        Args:
            now: when it came.
            departure: of its request.
            limits: what it tells.
            used: the tokens that it took.
        """
        self._pass_time(now)
        self._streak = 0
        self.closed_for = self._closed_until = 0.0
        self._believe(departure, limits)
        self._believe_texts(limits, used)
        self._count(departure, refused=False)

    def refused(self, now: float, departure: Departure, limits: RateLimits, asked: float | None) -> None:
        """Learn from a refusal for the pace, which asks to wait for so many seconds, or says nothing of that.

        The limits that it tells are believed where answers have told some: a gateway's own say nothing of the account.
        """
        self._pass_time(now)
        self._streak += 1
        if self._streak == 1:
            self._streak_left_at = departure.at
        if self._requests is not None and limits.requests is not None:
            self._believe(departure, limits)
        is_streak = self._streak >= max(_SHORTEST_STREAK, min(_LONGEST_STREAK, self.in_flight // 2))
        if is_streak and asked is not None and asked >= _LONG:
            self.closed_for = min(asked, LONGEST_WAIT)
            self._closed_until = max(self._closed_until, now + self.closed_for)
        elif self._is_explained():
            self._slow_down(departure)
        elif is_streak:
            self._learn()
        elif now >= self._even_until:
            self._even_until = now + self._even_lasts.again()

    def _slow_down(self, departure: Departure) -> None:
        """Count a refusal. Its token was not taken; where the bucket is small, it came too early by very little."""
        too_early = self._streak == 1 and self._requests is not None and not self._requests.holds_several
        self._allowance = 0.9 if too_early else min(self._allowance, 0.5)
        if self._requests is not None:
            self._requests.give_back()
        self._count(departure, refused=True)

    def _learn(self) -> None:
        """Learn a rate from what left when the streak began, and was not refused."""
        about = self._streak_left_at
        recent = [at for at in self._departures if about - 1 <= at <= about + 1]
        if len(recent) < _SHORTEST_STREAK:
            return  # nobody can say that this was too fast
        self._disbelieved = None if self._requests is None else self._requests.told
        self._disbelieve()
        self._learnt = LearntRate(recent, self._streak, self._left, self._now + self._learnt_lasts.again())
        self._allowance = 0.0

    def _is_explained(self) -> bool:
        """Whether a refusal is what the limits that we know make one expect."""
        if self._requests is None:
            return self._learnt is not None
        if any(text.seconds_until() > 0 for text in self._texts.values()):
            return True
        return not self._requests.holds_several or self._taken.is_short(self._now)

    def _believe(self, departure: Departure, limits: RateLimits) -> None:
        """Take over what is told of requests; forget it where it is not told any more."""
        told = limits.requests
        if told is None or told.per_minute == self._disbelieved:
            self._silent += 1
            if self._silent >= _SILENT:
                self._disbelieve()
            return
        self._silent, self._disbelieved, self._learnt = 0, None, None
        if self._requests is None or self._requests.told != told.per_minute:
            is_first, self._requests = self._requests is None, RequestBucket(told, self._now)
            if is_first:
                slow, shared = self._requests.rate < _FINE, self._requests.is_used_by_others
                self._taken = TakenShare(self._now, all_at_once=slow, beside_others=shared)
        elif told.remaining is not None:
            if self._requests.compare(told.remaining, departure, self._now, self.in_flight):
                self._taken.ramp()
            self._taken.hear(self._requests.shortage, self._now, self._now - departure.at)

    def _disbelieve(self) -> None:
        self._requests = None
        self._texts.clear()

    def _believe_texts(self, limits: RateLimits, used: Mapping[Kind, float]) -> None:
        for kind, amount in used.items():
            limit, text = limits.told.get(kind), self._texts.get(kind)
            if limit is None or self._requests is None:
                self._texts.pop(kind, None)
            elif text is None:
                self._texts[kind] = TextBucket(limit, amount)
            else:
                text.cost += _NEWEST * (amount - text.cost)
                text.hear(limit, self.in_flight)

    def _count(self, departure: Departure, *, refused: bool) -> None:
        if self._requests is not None:
            self._taken.count(departure.number, self._left, self._now, refused=refused)
        elif self._learnt is not None:
            self._learnt.count(departure.number, self._left, refused=refused)

    def _pace(self) -> float | None:
        """Requests a second; None where nothing holds them back."""
        if self._requests is None:
            return None if self._learnt is None else max(1 / _SLOWEST, self._learnt.rate)
        room = self._requests.room if self._now >= self._even_until else 0.0
        return max(1 / _SLOWEST, self._requests.rate * self._taken.share * (_EVENLY + _FASTER * room))

    def _pass_time(self, now: float) -> None:
        seconds, self._now = max(0.0, now - self._now), max(self._now, now)
        if (pace := self._pace()) is None:
            return
        at_once = _AT_ONCE * pace
        for text in self._texts.values():
            text.pass_time(seconds)
        if self._requests is not None:
            self._requests.pass_time(seconds)
            at_once = _AT_ONCE * self._taken.share * min(self._requests.rate, self._requests.depth)
            self._taken.pass_time(min(1.0, seconds), now, self._requests.depth)
        elif self._learnt is not None:
            self._learnt.pass_time(min(1.0, seconds))
            if self._learnt.is_over(now):
                self._learnt = self._disbelieved = None
        self._allowance = min(max(1.0, at_once), self._allowance + pace * seconds)
