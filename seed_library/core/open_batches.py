"""The batches in a journal: which are open, what they hold, and what of them is known already.

Open is a batch from its intent until all its results are in the journal, or until it is certain that none will come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seed_library.core.batches import BatchNote, custom_id
from seed_library.core.catalog import ItemId

_SHORT_BYTES = 8
_DIGEST_BYTES = 15  # 120 bits: collisions are out of reach, and CPython keeps 15 bytes in 48, but 16 in 64


def digest_of(*parts: str) -> bytes:
    """Return what stands for an item, or for a request with its fingerprint, in memory."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=_DIGEST_BYTES).digest()


@dataclass(slots=True)
class OpenBatch:
    """A batch whose results are not all in the journal.

    Attributes:
        position: of its intent, where its items are; None where they are not known.
        covered: the digests of its requests.
        collected: digests of the custom_ids whose results are in the journal.
        spent: what they cost, in micro-dollars.
    """

    note: BatchNote
    position: int | None = None
    covered: frozenset[bytes] = frozenset()
    collected: set[bytes] = field(default_factory=set)
    spent: int = 0

    @property
    def at_most(self) -> int:
        """What it may still cost beyond what is in a journal, in micro-dollars."""
        return 0 if self.note.settled else max(0, self.note.worst - self.spent)

    def has(self, custom_id: str) -> bool:
        """Whether the result of this request is in the journal."""
        return _short(custom_id) in self.collected


class OpenBatches:
    """Follows the batch records of a journal."""

    def __init__(self) -> None:
        self.by_token: dict[str, OpenBatch] = {}
        self.known: dict[str, str] = {}

    def begin(self, position: int, record: Mapping[str, Any]) -> int:
        """Take note of an intent, or of a batch that another machine has noted; return how many requests it names."""
        note, items = BatchNote.from_json(record), record.get("items", ())
        covered = frozenset(digest_of(*names) for names in items)
        self.by_token[note.token] = OpenBatch(note, position if items else None, covered)
        self.known[note.token] = note.batch_id
        return len(items)

    def recall(self, said: Mapping[str, Any]) -> None:
        """Take note of a batch that was open when a run began, for those who read the journal from there on only."""
        note = BatchNote.from_json(said)
        self.by_token.setdefault(note.token, OpenBatch(note))

    def name(self, _position: int, record: Mapping[str, Any]) -> None:
        """Take note of the provider's id, and of whose it is."""
        token, batch_id = str(record["token"]), str(record["batch_id"])
        if token not in self.by_token and token not in self.known:
            return  # its beginning could not be read: it is adopted from the lease row, where there is one
        self.known[token] = batch_id
        if token in self.by_token:
            note = self.by_token[token].note
            workspace = str(record.get("workspace") or "") or note.workspace
            self.by_token[token].note = replace(note, batch_id=batch_id, workspace=workspace)

    def end(self, _position: int, record: Mapping[str, Any]) -> None:
        """Take note that nothing more will come of a batch."""
        self.by_token.pop(str(record["token"]), None)

    def collect(self, record: Mapping[str, Any], cost: int) -> None:
        """Take note that a result of a batch is in the journal; records about messages do not concern it."""
        batch = self.by_token.get(str(record.get("batch", "")))
        if batch is not None:
            batch.collected.add(_short(str(record["attempt"])))
            batch.spent += cost

    def has(self, token: str, custom_id: str) -> bool:
        """Whether a batch is open, and this result of it is in the journal."""
        return token in self.by_token and self.by_token[token].has(custom_id)

    def hold(self, item: ItemId, fingerprint: str) -> bool:
        """Whether an open batch holds exactly this request, and its result is not in the journal yet."""
        if not self.by_token:
            return False
        key = digest_of(*item, fingerprint)
        return any(
            key in batch.covered and not batch.has(custom_id(token, item, fingerprint))
            for token, batch in self.by_token.items()
        )


def _short(custom_id: str) -> bytes:
    return hashlib.blake2b(custom_id.encode(), digest_size=_SHORT_BYTES).digest()
