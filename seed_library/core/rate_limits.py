"""What a provider says of an account's rate limits, as values. Every figure may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["requests", "input_tokens", "output_tokens"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        per_minute: how much is allowed a minute; positive.
        remaining: how much was left when it was said; None where that is not told.
        full_in: seconds until all of it is there again; None where that is not told.
    """

    per_minute: float
    remaining: float | None = None
    full_in: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """All limits that an answer tells of."""

    told: Mapping[Kind, Limit] = field(default_factory=dict)

    @property
    def requests(self) -> Limit | None:
        """The limit of requests."""
        return self.told.get("requests")
