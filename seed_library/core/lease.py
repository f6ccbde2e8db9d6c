"""The lease on a target across machines: what it is made of, and how it is spoken of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seed_library.core.errors import LeaseLost, TargetLocked


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How long things may take, in seconds.

    Attributes:
        lasts: how long a lease is granted, by the database's clock.
        renew_every: how long the holder waits between renewals; `again_after`, after one that failed.
        good_for: how old the last renewal may be for a new paid request to be sent; then it is renewed first.
        answer_within: how long one call may take; `release_within`, the last one, when everybody wants to go home.
    """

    lasts: float = 90
    renew_every: float = 20
    again_after: float = 5
    good_for: float = 60
    answer_within: float = 10
    release_within: float = 5


@dataclass(frozen=True, slots=True)
class LeaseState:
    """What the database says about a lease.

    Attributes:
        held: somebody holds it now; one that ran out is not held.
        token: the fencing token of the last grant; 0 where there was none.
        holder: the run id of who holds it, or held it last without giving it back.
        info: what the holder says about itself (host, pid, command).
    """

    held: bool
    token: int
    holder: str = ""
    acquired_at: str = ""
    seconds_left: float = 0
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """The holder in words; everything it says comes from outside and is only shown."""
        said = self.info
        return (
            f"pid {said.get('pid', '?')} on {said.get('host', 'an unknown host')}, "
            f"`seed-library {said.get('command', '?')}`, since {self.acquired_at[:19]}Z (run {self.holder})"
        )


def locked_elsewhere(state: LeaseState) -> TargetLocked:
    """Return the refusal of a start because another machine works on the target."""
    return TargetLocked(
        f"Another run holds this target from elsewhere: {state.who}. "
        f"Its lease runs out in {max(0, state.seconds_left):.0f} s unless it renews it.",
        hint="Wait for it (--wait-lock SECONDS), or stop it there. If it is dead, its lease frees itself; "
        f"`seed-library unlock --token {state.token}` frees it now. This start has changed nothing.",
    )


def taken_away(state: LeaseState | None) -> LeaseLost:
    """Return the failure of a run whose lease is somebody else's now, or nobody's."""
    now = f": {state.who} holds it now" if state is not None and state.held else ""
    return LeaseLost(
        f"The lease on this target was taken from this run{now}.",
        hint="Nothing more is sent or stored by this run. What it has paid for is in its journal: "
        "run again here when the other run is over, and it is stored free of charge.",
    )


def too_old(seconds: float, times: LeaseTimes) -> LeaseLost:
    """Return the failure of a run that could not renew its lease for too long."""
    return LeaseLost(
        f"The lease on this target could not be renewed for {seconds:.0f} s, and lasts {times.lasts:.0f} s; another "
        "machine may take it over.",
        hint=f"After {times.good_for:.0f} s nothing more was sent to the model. What is paid is in the journal; "
        "run again when the database answers, and it is stored free of charge.",
    )
