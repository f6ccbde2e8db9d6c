"""What a trial draws from its seed: how each life begins, what it suffers, and how it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Fault = dict[str, Any]

_STORE = "POST /rest/v1/rpc/seed_library_store"
_RPC = "POST /rest/v1/rpc/"
_REST = "GET /rest/v1/"

_ENDINGS = {
    "kill": 36,
    "term": 10,
    "term twice": 6,
    "freeze": 8,
    "second start": 8,
    "three starts": 8,
    "end": 14,
    "lock file deleted": 4,
    "lease stolen": 4,
    "other machine": 2,
    "closed lid": 8,
    "unread pipe": 6,
}
_HARDSHIPS = {
    "": 74,
    "disk full": 7,
    "read-only state": 3,
    "clock jumps": 8,
    "small budget": 6,
    "database away": 3,
    "database long away": 1,
}
_LIMITS = (0, 0, 0, 0, 0, 0, 900, 3600)
_HARMLESS: tuple[Fault, ...] = (
    {"status": 429, "headers": {"retry-after": "0"}},
    {"status": 529},
    {"delay_ms": 150},
    {"dribble_ms": 150},
    {"drop": "before"},
)
_DOUBTFUL: tuple[Fault, ...] = (
    {"status": 500},
    {"drop": "after"},
    {"drop": "after", "delay_ms": 200},
    {"truncate": True},
    {"body": "<html>gateway</html>"},
)
_BAD_TEXTS: tuple[Fault, ...] = (
    {"text": "Zu kurz."},
    {"stop_reason": "max_tokens"},
    {"stop_reason": "refusal"},
    {"content": []},
)
_REFUSALS: tuple[Fault, ...] = (
    {"status": 401, "type": "authentication_error"},
    {"status": 400, "type": "invalid_request_error", "message": "Your credit balance is too low to access the API."},
)
_DATABASE: tuple[Fault, ...] = (
    {"match": _STORE, "status": 503},
    {"match": _STORE, "status": 500},
    {"match": _STORE, "drop": True},
    {"match": _STORE, "drop": True, "after": True},
    {"match": _STORE, "status": 500, "after": True},
    {"match": _STORE, "delay_ms": 300},
    {"match": _STORE, "dribble_ms": 500},
    {"match": _REST, "dribble_ms": 500},
    {"match": _RPC, "drop": True, "after": True},
    {"match": _REST, "status": 503},
)


@dataclass(frozen=True, slots=True)
class Life:
    """One start of the program, or several at once.

    Attributes:
        events: how many of its events are waited for before its end comes.
        pause: how many seconds later it comes.
        torn: bytes of half a line that are left in the journal when it was killed.
    """

    ending: str
    hardship: str
    events: int
    pause: float
    torn: int


@dataclass(frozen=True, slots=True)
class Dangers:
    """What a trial draws. `model` and `database` are faults of the two servers, anew for each life.

    Attributes:
        per_minute: the limit of the account, in requests; 0 where it has none.
    """

    lives: tuple[Life, ...]
    model: tuple[Fault, ...]
    database: tuple[Fault, ...]
    concurrency: int
    latency_ms: int
    per_minute: int

    @classmethod
    def draw(cls, seed: int) -> Dangers:
        """Draw them from a seed."""
        dice = random.Random(seed)
        return cls(
            lives=tuple(_life(dice) for _ in range(dice.choice((1, 1, 2, 2, 3)))),
            model=tuple(_model_faults(dice)),
            database=tuple(
                {**fault, "skip": dice.randint(0, 6), "times": dice.randint(1, 3)}
                for fault in dice.sample(_DATABASE, dice.randint(0, 3))
            ),
            concurrency=dice.choice((1, 4, 8, 16)),
            latency_ms=dice.choice((5, 20, 40)),
            per_minute=random.Random(f"limit {seed}").choice(_LIMITS),
        )


def _life(dice: random.Random) -> Life:
    return Life(
        ending=dice.choices(list(_ENDINGS), list(_ENDINGS.values()))[0],
        hardship=dice.choices(list(_HARDSHIPS), list(_HARDSHIPS.values()))[0],
        events=dice.choice((0, 2, 5, 20, 60, 110, 150)),
        pause=dice.choice((0.0, dice.uniform(0, 0.2))),
        torn=dice.choice((0, 0, dice.randint(1, 33))),
    )


def _model_faults(dice: random.Random) -> list[Fault]:
    chosen = [*dice.sample(_HARMLESS, dice.randint(0, 3)), *dice.sample(_DOUBTFUL, dice.randint(0, 2))]
    chosen += dice.sample(_BAD_TEXTS, dice.choice((0, 0, 1, 2)))
    faults = [{**fault, "probability": dice.uniform(0.01, 0.06)} for fault in chosen]
    if dice.random() < 1 / 10:
        faults.insert(0, {**dice.choice(_REFUSALS), "skip": dice.randint(1, 40)})
    return faults
