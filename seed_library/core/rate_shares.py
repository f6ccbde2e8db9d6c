"""Which part of a limit is taken, and how that changes.

Two parts are there to be taken: of a limit that the provider tells, which others may use as well (`TakenShare`), and
of a rate that was learnt from refusals, which is only a guess (`LearntRate`). Both go down by the part of the requests
that was refused, once for all that had left by then; what comes in of those later only makes that part more exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_WEIGHT_OF_NOTHING = 3  # answers that are counted in, where there were few

_SMALLEST_SHARE = 0.01
_FIRST_SHARE, _SHARE_BESIDE_OTHERS = 0.25, 0.125
_RAMP = 1.2  # of the share, a second, until the first shortage
_SHORT, _VERY_SHORT = 0.1, 0.3
_GAIN, _MOST_GAIN = 0.2, 1.0
_SHARERS = 8.0
_LARGE = 3.0
_DEEP = 12.0  # requests; a smaller bucket needs more slowness
_CALM_SECONDS, _MOST_CALM = 2.5, 10.0
_LATELY = 2.0  # seconds

_SMALLEST_GUESS = 0.001
_OUTGROWN = 8.0
_GROWTH_BY_TIME = (0.01, 0.0005)  # of the rate, a second, times calm seconds and their square
_GROWTH_BY_ANSWERS = (2e-4, 2e-5)  # of the rate, an answer, times answers without a refusal and their square


@dataclass(slots=True)
class _Round:
    """Outcomes of the requests that left between two cuts, and the share before the second one.

    Attributes:
        whole: the outcomes that are still to come are counted in already.
    """

    outcomes: int = 0
    refused: int = 0
    share: float = 1.0
    whole: bool = False

    def count(self, *, refused: bool) -> None:
        """Count an outcome."""
        self.outcomes += not self.whole
        self.refused += refused

    @property
    def kept(self) -> float:
        """What is left of the share."""
        return self.share * max(0.0, 1 - self.refused / (self.outcomes + _WEIGHT_OF_NOTHING))


class _Share:
    """What both have in common.

    Attributes:
        share: of the limit.
    """

    def __init__(self, share: float, smallest: float) -> None:
        self.share = share
        self._smallest = smallest
        self._cut_at = 0
        self._round, self._last_round = _Round(), _Round()

    def _count(self, number: int, left: int, *, refused: bool) -> None:
        if number <= self._cut_at:
            self._last_round.count(refused=refused)
        else:
            self._round.count(refused=refused)
            if refused:
                self._begin_round(self._round, left)
        if refused:
            self.share = max(self._smallest, min(self.share, self._last_round.kept))

    def _begin_round(self, ended: _Round, left: int) -> None:
        self._last_round, self._round, self._cut_at = ended, _Round(), left
        ended.share = self.share


class TakenShare(_Share):
    """A part of the limit that is told, at most all of it.

    It grows by the same for everybody who sees no shortage, and shrinks in proportion where there is one, large ones
    even more than that: so all of them meet. How quickly depends on how old what is heard is, and how often
    something is heard: who corrects more than that allows swings to and fro.
    """

    def __init__(self, now: float, *, all_at_once: bool, beside_others: bool) -> None:
        share = _SHARE_BESIDE_OTHERS if beside_others else 1.0 if all_at_once else _FIRST_SHARE
        super().__init__(share, _SMALLEST_SHARE)
        self.shortage = _VERY_SHORT if beside_others else 0.0
        self._short_at = self._heard_at = now
        self._missed_at = -math.inf
        self._ramping = True
        self._age = self._every = 0.3  # seconds, smoothed

    def ramp(self) -> None:
        """Grow as in the beginning: what had looked like a shortage was none."""
        self._ramping = True

    def hear(self, shortage: float, now: float, age: float) -> None:
        """Take note of the shortage, as an answer tells of it to a request that left so many seconds ago."""
        self.shortage = shortage
        self._age += 0.2 * (age - self._age)
        self._every += 0.2 * (min(1.0, now - self._heard_at) - self._every)
        self._heard_at = now
        if shortage > _SHORT:
            self._short_at = self._missed_at = now
        if shortage > _VERY_SHORT:
            self._ramping = False

    def is_short(self, now: float) -> bool:
        """Whether there was a shortage a moment ago."""
        return now - self._missed_at < _LATELY

    def pass_time(self, seconds: float, now: float, depth: float) -> None:
        """Grow and shrink; `depth` is how many requests a full bucket holds."""
        gain = min(_MOST_GAIN, _GAIN / (self._age + self._every))
        calm = min(_MOST_CALM, max(0.0, now - self._short_at - _CALM_SECONDS))
        growth = gain / (_SHARERS * max(1.0, _DEEP / depth)) * (1 - self.shortage) * (1 + calm)
        if self._ramping:
            growth += _RAMP * self.share * max(0.0, 1 - 4 * self.shortage)
        grown = min(1.0, self.share + growth * seconds)
        shrinking = gain * grown * (1 + _LARGE * grown) * self.shortage
        self.share = max(_SMALLEST_SHARE, grown - shrinking * seconds)

    def count(self, number: int, left: int, now: float, *, refused: bool) -> None:
        """Count the outcome of a request with this number, when so many have left."""
        self._count(number, left, refused=refused)
        if refused:
            self._ramping, self._short_at = False, now


class LearntRate(_Share):
    """A rate, in requests a second, that was learnt from a streak of refusals.

    It is no more than a guess: it grows the more quickly, the longer nothing is refused, until it does not hold anybody
    back any more; and it is forgotten after a time, in case what was refused had nothing to do with the pace.
    """

    def __init__(self, departures: list[float], refused: int, left: int, until: float) -> None:
        """Learn from requests that left at these times, so many of which were refused so far."""
        super().__init__(1.0, _SMALLEST_GUESS)
        self.until = until
        self._guess = len(departures) / max(1.0, departures[-1] - departures[0])
        self._begin_round(_Round(len(departures), refused, whole=True), left)
        self.share = max(_SMALLEST_GUESS, self._last_round.kept)
        self._answers = 0  # since the last refusal

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self._guess * self.share

    def count(self, number: int, left: int, *, refused: bool) -> None:
        """Count the outcome of a request with this number, when so many have left."""
        self._count(number, left, refused=refused)
        self._answers = 0 if refused else self._answers + 1

    def pass_time(self, seconds: float) -> None:
        """Grow."""
        answers = self._answers
        calm = answers / self.rate
        by_time = _GROWTH_BY_TIME[0] * calm + _GROWTH_BY_TIME[1] * calm**2
        by_answers = self.rate * (_GROWTH_BY_ANSWERS[0] * answers + _GROWTH_BY_ANSWERS[1] * answers**2)
        self.share *= math.exp(seconds * min(by_time, by_answers, 1.0))

    def is_over(self, now: float) -> bool:
        """Whether it can be forgotten."""
        return self.share > _OUTGROWN or now >= self.until
