"""Message Batches: names that survive everything, how many requests go together, and when a batch pays off.

A custom_id is all that comes back with a result, so it says everything: `TOKEN-ITEM-FINGERPRINT`. The token (12 hex
digits) belongs to one batch, the item's digest (16) and the request's fingerprint (32) say what was asked for. It has
62 of the 64 characters that the API allows (`^[a-zA-Z0-9_-]{1,64}$`), and keys in any script fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from seed_library.core.catalog import ItemId

Mode = Literal["auto", "messages", "batch"]
Outcome = Literal["succeeded", "errored", "canceled", "expired"]

# The API takes 100,000 requests or 256 MB; a tenth of it keeps the memory of a run small, whatever the catalog.
MOST_REQUESTS = 10_000
MOST_BYTES = 32_000_000
# Results can be fetched for 29 days after a batch was created; nothing is known of it afterwards.
_FIRST_YEAR = 2024  # of the API
KEPT_FOR = timedelta(days=29)
# Where the user leaves the choice to us, a batch is taken when messages would take longer than the hour within which
# most batches end. A text of 100 words takes about 7 s (measured on the users' first texts), `concurrency` at a time.
SECONDS_PER_TEXT = 7.0
BATCH_SECONDS = 3600.0
# What stands before the id of an organization, where no answer names the workspace.
ORGANIZATION = "organization "
_TOKEN_BYTES, _ITEM_BYTES = 6, 8


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """How long things take, in seconds.

    Attributes:
        poll_every: between two looks at a batch.
        grace: how long a batch is looked for in the provider's list before it is certain that there is none. Counted
            by the one who looks: the clock of the machine that meant to create it may have been wrong.
        skew: how far the provider's clock may be behind the one of that machine.
    """

    poll_every: float = 30
    grace: float = 180
    skew: float = 3600


@dataclass(frozen=True, slots=True)
class BatchNote:
    """What has to be known of a batch to find it again.

    Attributes:
        at: when its intent was written (ISO, by the clock of the machine that wrote it).
        worst: the most it can cost, in micro-dollars.
        batch_id: the provider's id; empty as long as nobody knows it.
        settled: a run has its results in its journal, and has counted what they cost.
        workspace: whose it is: only a key of this workspace sees it. Empty where no answer has named it.
    """

    token: str
    count: int
    at: str
    model: str
    worst: int
    batch_id: str = ""
    settled: bool = False
    workspace: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for the lease row and the journal."""
        return {
            "token": self.token,
            "count": self.count,
            "intended_at": self.at,
            "model": self.model,
            "worst": self.worst,
            "batch_id": self.batch_id,
            "settled": self.settled,
            "workspace": self.workspace,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> BatchNote:
        """Read it back.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        at = datetime.fromisoformat(said["intended_at"])
        if at.tzinfo is None or at.year < _FIRST_YEAR:
            raise ValueError(f"no batch was made at {at}")
        return cls(
            str(said["token"]),
            int(said["count"]),
            str(said["intended_at"]),
            str(said["model"]),
            int(said["worst"]),
            str(said.get("batch_id", "")),
            settled=bool(said.get("settled", False)),
            workspace=str(said.get("workspace") or ""),
        )


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as the provider sees it. `counts` are those of results and stay 0 until all of it has ended.

    Attributes:
        count: how many requests it has, as far as its counts can be believed.
        archived: its results are not kept any more.
    """

    id: str
    status: Literal["in_progress", "canceling", "ended"]
    created_at: datetime
    count: int
    counts: Mapping[str, int] = field(default_factory=dict)
    request_id: str = ""
    workspace: str = ""
    archived: bool = False

    @property
    def ended(self) -> bool:
        """Whether its results can be fetched."""
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one request. Only a succeeded one is billed, and only it has a message."""

    custom_id: str
    outcome: Outcome
    message: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def batch_token(run_id: str, number: int) -> str:
    """Return the token of a run's batch with this number. Run ids are unique, so tokens are."""
    return hashlib.blake2b(f"{run_id}/{number}".encode(), digest_size=_TOKEN_BYTES).hexdigest()


def item_digest(item: ItemId) -> str:
    """Return the part of a custom_id that stands for the item."""
    return hashlib.blake2b("\0".join(item).encode(), digest_size=_ITEM_BYTES).hexdigest()


def custom_id(token: str, item: ItemId, fingerprint: str) -> str:
    """Return the name of one request in a batch."""
    return f"{token}-{item_digest(item)}-{fingerprint}"


def parts_of(name: str) -> tuple[str, str, str]:
    """Return token, item digest and fingerprint of a custom_id; empty strings where it is not one of ours."""
    parts = name.split("-")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")  # noqa: PLR2004  as `custom_id` joins


def expired(note: BatchNote, now: datetime) -> bool:
    """Whether nothing can be fetched of a batch any more."""
    return now - datetime.fromisoformat(note.at) > KEPT_FOR


def of_another_workspace(its: str, ours: str) -> bool:
    """Whether a batch belongs to another workspace than a key; False where one of them is not known."""
    return bool(its and ours) and its != ours


def of_the_same_workspace(its: str, ours: str) -> bool:
    """Whether a batch certainly belongs to the workspace of a key. That of an organization alone is not enough."""
    return bool(its) and its == ours and not its.startswith(ORGANIZATION)


def message_seconds(texts: int, concurrency: int) -> float:
    """Estimate how long ordinary messages take for so many texts."""
    return -(-texts // max(1, concurrency)) * SECONDS_PER_TEXT


def chosen_mode(wish: Mode, texts: int, concurrency: int) -> Literal["messages", "batch"]:
    """Return how texts are asked for: as wished, or as a batch once it is probably no slower."""
    if wish != "auto":
        return wish
    return "batch" if message_seconds(texts, concurrency) > BATCH_SECONDS else "messages"


def by_digest(items: Sequence[ItemId]) -> dict[str, ItemId]:
    """Return the items by the part of a custom_id that stands for them."""
    return {item_digest(item): item for item in items}
