"""A provider of batches in memory, and the place where they are noted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fakes.clock import FakeClock
from fakes.writer import answer
from seed_library.core.batches import BatchNote, BatchResult, BatchState
from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Request
from seed_library.core.errors import BatchNotFound

Outcomes = Callable[[ItemId, int], str]
"""(item, how often it was asked for in batches before) -> the result's type"""


def all_succeed(item: ItemId, before: int) -> str:
    """Let every request succeed."""
    del item, before
    return "succeeded"


@dataclass
class FakeBatch:
    """A batch as the provider keeps it."""

    state: BatchState
    results: list[BatchResult]
    looks_left: int


@dataclass
class MemoryBatches:
    """Implements the `BatchWriter` port.

    Attributes:
        clock: gives the time of creation.
        looks: how often a batch is looked at before it has ended.
        outcomes: what becomes of each request.
        text: what a succeeded one says; `texts` knows better for some: (item, how often it was asked for before).
        requests: everything that was asked for, in order.
        create_failures: raised by the next creations; a pair of (failure, created) says whether the batch exists.
        find_hides: so many lists do not show any batch.
        failures: raised by the next questions of any kind.
        cut_after: the next readings of results break off after so many.
        workspace: of the key in use; batches of other ones are not seen.
        missing: so many results of each batch are not there; `repeated` come twice.
        billed: every item that was billed, in order.
    """

    clock: FakeClock
    looks: int = 2
    outcomes: Outcomes = all_succeed
    text: str = "A calm and steady sign."
    texts: Callable[[ItemId, int], str] = lambda item, before: ""
    requests: list[Request] = field(default_factory=list)
    create_failures: list[tuple[Exception, bool]] = field(default_factory=list)
    find_hides: int = 0
    failures: list[Exception] = field(default_factory=list)
    cut_after: list[tuple[int, Exception]] = field(default_factory=list)
    billed: list[ItemId] = field(default_factory=list)
    asked: list[ItemId] = field(default_factory=list)
    batches: dict[str, FakeBatch] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)
    workspace: str = "wrkspc_a"
    missing: int = 0
    repeated: int = 0
    on_create: Callable[[], None] = lambda: None

    async def create(self, requests: Sequence[tuple[str, Request]]) -> BatchState:
        """Take a batch, or fail as the test says."""
        self.on_create()
        if not self.create_failures:
            return self.add(requests)
        failure, created = self.create_failures.pop(0)
        if created:
            self.add(requests)
        raise failure

    def add(self, requests: Sequence[tuple[str, Request]]) -> BatchState:
        """Take a batch."""
        number = len(self.batches) + 1
        state = BatchState(
            f"msgbatch_{number}",
            "in_progress",
            self.clock.now(),
            len(requests),
            request_id="req_b",
            workspace=self.workspace,
        )
        results = [self._result(name, request) for name, request in requests]
        self.batches[state.id] = FakeBatch(state, results, self.looks)
        return state

    async def find(self, since: datetime) -> list[BatchState]:
        """Return the batches since then, oldest first."""
        self._trouble()
        if self.find_hides:
            self.find_hides -= 1
            return []
        mine = [batch for batch in self.batches.values() if self._seen(batch)]
        return [self._look(batch) for batch in mine if batch.state.created_at >= since]

    async def look(self, batch_id: str) -> BatchState | None:
        """Return where a batch stands."""
        self._trouble()
        batch = self.batches.get(batch_id)
        return self._look(batch) if batch and self._seen(batch) else None

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """Yield the results, in another order than they were asked for."""
        self._trouble()
        batch = self.batches[batch_id]
        if batch.state.archived:
            raise BatchNotFound("No results.", maybe_billed=False)
        kept = batch.results[::-1][: len(batch.results) - self.missing]
        most, failure = self.cut_after.pop(0) if self.cut_after else (len(batch.results) + self.repeated, None)
        for result in [*kept[: self.repeated], *kept][:most]:
            yield result
        if failure is not None:
            raise failure

    async def cancel(self, batch_id: str) -> BatchState:
        """Give up every second request."""
        self._trouble()
        self.canceled.append(batch_id)
        batch = self.batches[batch_id]
        if not batch.state.ended:
            batch.state = replace(batch.state, status="canceling")
            batch.results = [
                BatchResult(result.custom_id, "canceled") if place % 2 else result
                for place, result in enumerate(batch.results)
            ]
        return batch.state

    def archive(self) -> None:
        """Let a month pass: everything has ended, and no results are kept."""
        for batch in self.batches.values():
            if not batch.state.ended:
                self._end(batch)
            batch.state = replace(batch.state, archived=True)

    def _seen(self, batch: FakeBatch) -> bool:
        return batch.state.workspace in {"", self.workspace}

    def copy(self, batch_id: str) -> None:
        """Create it a second time, as a proxy does that sends a request twice."""
        original = self.batches[batch_id]
        state = replace(original.state, id=f"msgbatch_{len(self.batches) + 1}", created_at=self.clock.now())
        self.batches[state.id] = FakeBatch(state, list(original.results), original.looks_left)

    def _look(self, batch: FakeBatch) -> BatchState:
        if not batch.state.ended:
            batch.looks_left -= 1
            if batch.looks_left <= 0:
                self._end(batch)
        return batch.state

    def _end(self, batch: FakeBatch) -> None:
        outcomes = [result.outcome for result in batch.results]
        counts: dict[str, int] = {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
        batch.state = replace(batch.state, status="ended", counts=counts)
        names = dict(zip((result.custom_id for result in batch.results), self._items(batch), strict=True))
        self.billed += [names[result.custom_id] for result in batch.results if result.outcome == "succeeded"]

    def _items(self, batch: FakeBatch) -> list[ItemId]:
        return [self._asked_by[result.custom_id] for result in batch.results]

    def _result(self, name: str, request: Request) -> BatchResult:
        item = request.item.id
        before = self.asked.count(item)
        self.asked.append(item)
        self._asked_by[name] = item
        outcome = self.outcomes(item, before)
        self.requests.append(request)
        text = self.texts(item, before) or self.text
        message = dict(answer(text).message) if outcome == "succeeded" else {}
        return BatchResult(name, outcome, message)  # type: ignore[arg-type]  # a test says an outcome of the API

    def __post_init__(self) -> None:
        """Remember who is behind a custom_id."""
        self._asked_by: dict[str, ItemId] = {}

    def _trouble(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class MemoryNotes:
    """Implements the `BatchNotes` port."""

    kept: bool = True
    notes: dict[str, BatchNote] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)

    async def read(self) -> list[BatchNote]:
        """Return what is noted."""
        return list(self.notes.values()) if self.kept else []

    async def write(self, note: BatchNote) -> None:
        """Note it."""
        if self.failures:
            raise self.failures.pop(0)
        if self.kept:
            self.notes[note.token] = note
