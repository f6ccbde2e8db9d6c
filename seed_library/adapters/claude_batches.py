"""The Message Batches API: what `ClaudeWriter` would send as messages, at half the price and within a day.

Answers are taken raw, and results are read as a stream from our own address: the address that a batch names for its
results could be anybody's, and the key would be sent there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seed_library.adapters.claude import ClaudeWriter
from seed_library.adapters.claude_connection import RawAnswer, Refused
from seed_library.adapters.claude_errors import translated
from seed_library.core import foreign_json
from seed_library.core.batches import BatchResult, BatchState
from seed_library.core.drafts import Request
from seed_library.core.errors import BatchNotFound, WriteFailed, WriteRetryable
from seed_library.core.foreign_text import ForeignText

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_LOOK_SECONDS = 30.0
_CREATE_SECONDS = 600.0  # 32 MB may leave on a slow line
_STRANGE_LINES = 1_000  # then nothing more is read: a stream of nonsense must not keep us for ever
_PAGE = 100
_MOST_PAGES = 1_000  # a server that always says "more" must not keep us for ever
_NOT_FOUND = 404
_STATUSES = {"in_progress", "canceling", "ended"}
_OUTCOMES = {"succeeded", "errored", "canceled", "expired"}


class ClaudeBatches:
    """Implements the `BatchWriter` port with the connection of a writer, which closes it."""

    def __init__(self, writer: ClaudeWriter) -> None:
        self._writer = writer

    @property
    def workspace(self) -> str:
        """The workspace of the key in use, as far as an answer has named it."""
        return self._writer.connection.workspace

    async def create(self, requests: Sequence[tuple[str, Request]]) -> BatchState:
        """Send these requests as one batch, once."""
        bodies: list[Any] = [
            {"custom_id": name, "params": self._writer.parameters(request)} for name, request in requests
        ]
        try:
            raw = await self._writer.connection.send(
                lambda client: client.messages.batches.with_raw_response.create(requests=bodies), within=_CREATE_SECONDS
            )
        except Refused as refusal:
            raise translated(refusal.error, datetime.now(UTC)) from None
        return self._state(_object(raw, maybe_billed=True), raw)

    async def find(self, since: datetime) -> list[BatchState]:
        """Return the batches of the workspace that were created since then, oldest first."""
        found: list[BatchState] = []
        page: Mapping[str, Any] = {"has_more": True}
        for _ in range(_MOST_PAGES):
            after = page.get("last_id")
            page, states = await self._page({"after_id": after} if after else {})
            recent = [state for state in states if state.created_at >= since]
            found += recent
            if not page.get("has_more") or not page.get("last_id") or len(recent) < len(states):
                break
        return sorted(found, key=lambda state: (state.created_at, state.id))

    async def look(self, batch_id: str) -> BatchState | None:
        """Return where a batch stands; None where the provider does not know it."""
        try:
            raw = await self._ask(lambda client: client.messages.batches.with_raw_response.retrieve(batch_id))
        except BatchNotFound:
            return None
        return self._state(_object(raw), raw)

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """Yield the results of an ended batch as they come, from the first on; unreadable lines are said at the end."""
        strange = 0
        try:
            async for line in self._writer.connection.lines(f"v1/messages/batches/{batch_id}/results"):
                result = _result(line, self._writer.connection.foreign)
                if result is not None:
                    yield result
                    continue
                strange += 1
                if strange == _STRANGE_LINES:
                    break
        except Refused as refusal:
            raise _harmless(refusal) from None
        except WriteFailed as failure:
            raise _unbilled(failure) from None
        if strange:
            raise _strange(f"{strange} lines that are no results" if strange > 1 else "a line that is no result")

    async def cancel(self, batch_id: str) -> BatchState:
        """Ask for what has not begun to be given up."""
        raw = await self._ask(lambda client: client.messages.batches.with_raw_response.cancel(batch_id))
        return self._state(_object(raw), raw)

    async def _page(self, after: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[BatchState]]:
        raw = await self._ask(lambda client: client.messages.batches.with_raw_response.list(limit=_PAGE, **after))
        page = _object(raw)
        batches = page.get("data")
        if not isinstance(batches, list):
            raise _strange("a list of batches without batches")
        return page, [self._state(one, raw) for one in batches]

    def _state(self, batch: Any, raw: RawAnswer) -> BatchState:
        return _state(batch, raw, self._writer.connection.foreign)

    async def _ask(self, call: Callable[[AsyncAnthropic], Awaitable[Any]]) -> RawAnswer:
        """Ask something that costs nothing and can be asked again."""
        try:
            return await self._writer.connection.send(call, within=_LOOK_SECONDS)
        except Refused as refusal:
            raise _harmless(refusal) from None
        except WriteFailed as failure:
            raise _unbilled(failure) from None


def _harmless(refusal: Refused) -> Exception:
    if refusal.error.status == _NOT_FOUND:
        return BatchNotFound("The Claude API does not know this batch, or its results (404).", maybe_billed=False)
    failure = translated(refusal.error, datetime.now(UTC))
    return _unbilled(failure) if isinstance(failure, WriteFailed) else failure


def _unbilled(failure: WriteFailed) -> WriteRetryable:
    """Return the failure of a question: whatever became of it, it cost nothing."""
    said = failure.message.removesuffix("; the request may have been billed.").rstrip(".")
    return WriteRetryable(f"{said}.", maybe_billed=False, retry_after=getattr(failure, "retry_after", None))


def _object(raw: RawAnswer, *, maybe_billed: bool = False) -> Mapping[str, Any]:
    try:
        found = json.loads(raw.body)
    except (ValueError, RecursionError):
        raise _strange(f"{len(raw.body)} bytes that are not JSON", maybe_billed=maybe_billed) from None
    if not isinstance(found, dict):
        raise _strange("JSON of another kind", maybe_billed=maybe_billed)
    return found


def _state(batch: Any, raw: RawAnswer, shown: ForeignText) -> BatchState:
    try:
        counts = _counts(batch.get("request_counts"))
        archived = bool(batch.get("archived_at"))
        state = BatchState(
            id=shown.code(batch["id"]),  # it becomes part of an address, and of what is said
            # The address of the results is only there once they are: some servers say no more than that.
            status="ended" if batch.get("results_url") or archived else batch["processing_status"],
            created_at=datetime.fromisoformat(batch["created_at"]),
            count=sum(counts.values()),
            counts={name: counts.get(name, 0) for name in sorted(_OUTCOMES)},
            request_id=raw.request_id,
            workspace=raw.workspace,
            archived=archived,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        state = None
    if state is None or not state.id or state.status not in _STATUSES or state.created_at.tzinfo is None:
        raise _strange("JSON that is no batch", maybe_billed=True)
    return state


def _counts(said: Any) -> dict[str, int]:
    """Read how many requests have come how far; what is no number says nothing."""
    if not isinstance(said, dict):
        return {}
    return {str(name): number for name, number in said.items() if type(number) is int and number >= 0}


def _result(line: bytes, shown: ForeignText) -> BatchResult | None:
    """Read a result; None where the line is none, as half of one that was cut off."""
    try:
        said = foreign_json.loads(line)
        result, outcome = said["result"], said["result"]["type"]
        message = dict(result["message"]) if outcome == "succeeded" else {}
        reason = _reason(result.get("error"), shown)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return BatchResult(str(said["custom_id"]), outcome, message, reason) if outcome in _OUTCOMES else None


def _reason(error: Any, shown: ForeignText) -> str:
    """Return what an errored result says; its error is an error answer as of a message, in one more layer."""
    inner = error.get("error", error) if isinstance(error, dict) else None
    if not isinstance(inner, dict):
        return ""
    return ": ".join(filter(None, (shown.code(inner.get("type")), shown.sentence(inner.get("message")))))


def _strange(what: str, *, maybe_billed: bool = False) -> WriteRetryable:
    return WriteRetryable(f"The Claude API's answer about batches is {what}.", maybe_billed=maybe_billed)
