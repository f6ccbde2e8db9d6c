"""The connection to the Claude API: one request, one answer, no hidden retries.

The SDK's own retries are off, redirects are not followed, and its credential search is bypassed by passing key and
address explicitly: the environment cannot make another account pay. Answers are taken raw. Errors are raised without
their cause, because causes of the HTTP library quote headers, and with them the key.

How long is waited, in seconds awake (`adapters.awake`): for an answer in one piece, a fixed time; for one that comes as
a stream, as long as something comes, and not longer than several times what its tokens take.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from seed_library.adapters.awake import patiently
from seed_library.adapters.claude_errors import ApiError, no_answer, no_connection
from seed_library.adapters.claude_limits import limits_in
from seed_library.adapters.claude_stream import StreamedMessage, events_of
from seed_library.adapters.imports import vendor_import
from seed_library.adapters.obstacles import is_of_the_network, never_left, obstacle, silence_hint
from seed_library.adapters.routes import client_options, proxy_secrets
from seed_library.core.api_keys import claude_key_fault
from seed_library.core.batches import ORGANIZATION
from seed_library.core.errors import RunBlocked, SettingsInvalid
from seed_library.core.foreign_text import ForeignText
from seed_library.core.rate_limits import RateLimits

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

Outcome = TypeVar("Outcome")

SILENCE_SECONDS = 120.0  # in a stream that has begun; the platform sends pings while a model is thinking
_CONNECT_SECONDS = 10.0
_OK = 200
_STREAM = "text/event-stream"
_SETTING = "ANTHROPIC_BASE_URL"
# Headers that the SDK would lay over ours, so that another Authorization or workspace would pay; and its log, which
# prints what comes back as it is.
_NOT_FOR_THE_SDK = ("ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_LOG")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came, the ids that identify it, and what it tells of the account's rate limits."""

    body: bytes
    request_id: str
    workspace: str
    limits: RateLimits = field(default_factory=RateLimits)


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """A message that came as a stream, put together; or, from a server that knows no streams, one in one piece.

    Attributes:
        message: None where it came in one piece, which is `raw` then.
    """

    raw: RawAnswer
    message: dict[str, Any] | None


class Refused(Exception):
    """The API answered with an error status."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.said)
        self.error = error


class ClaudeConnection:
    """Connects when it is first used.

    Attributes:
        workspace: of the key, as the last answer that named one said, an error answer as well; empty where none has.
        foreign: shows what is harmless of what comes back.
    """

    def __init__(self, api_key: str, base_url: str, *, silence: float = SILENCE_SECONDS) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._silence = silence
        self.workspace = ""
        self.foreign = ForeignText((api_key, *proxy_secrets()))
        self._client: AsyncAnthropic | None = None
        self._http: httpx2.AsyncClient | None = None

    async def aclose(self) -> None:
        """Free the connections."""
        if self._client is not None:
            await self._client.close()

    async def send(self, call: Callable[[AsyncAnthropic], Awaitable[Any]], *, within: float) -> RawAnswer:
        """Make one call and return its raw answer. Foreign errors are translated, and never chained.

        Args:
            call: makes the call with the vendor's client.
            within: how long to wait for the whole answer, in seconds awake.

        Raises:
            Refused: the API answered with an error status.
            WriteRetryable: there was no whole answer.
            RunBlocked: the request cannot be sent as it is.
        """

        async def answer(client: AsyncAnthropic) -> RawAnswer:
            async with patiently(within):
                response = await call(client)
                return self._raw(await response.read(), response.headers)

        return await self._translating(answer)

    async def stream(self, parameters: Mapping[str, Any], *, within: float) -> StreamedAnswer:
        """Ask for a message as a stream, and return it when it is whole.

        Args:
            parameters: of the message.
            within: how long to wait for its end, and for its first event, in seconds awake.

        Raises:
            Refused, WriteRetryable, RunBlocked: as `send`.
        """

        async def answer(client: AsyncAnthropic) -> StreamedAnswer:
            asked = client.messages.with_streaming_response.create(**parameters, stream=True)
            async with patiently(within) as patience, asked as response:
                if not response.headers.get("content-type", "").startswith(_STREAM):
                    return StreamedAnswer(self._raw(await response.read(), response.headers), None)
                raw = self._raw(b"", response.headers)
                message = StreamedMessage(raw.request_id, self.foreign)
                async for event in events_of(response.iter_bytes(), raw.request_id):
                    patience.expect_within(self._silence)
                    if message.take(event):
                        break
                return StreamedAnswer(raw, message.message())

        return await self._translating(answer)

    async def _translating(self, answer: Callable[[AsyncAnthropic], Awaitable[Outcome]]) -> Outcome:
        """Return an answer; raise our own errors only, and none of theirs as the context of ours."""
        client = self._connected()
        import anthropic

        failure: Exception
        try:
            return await answer(client)
        except anthropic.APIStatusError as error:
            self._named_by(error.response.headers)
            failure = Refused(_api_error(error, self.foreign))
        except anthropic.APIConnectionError as error:
            failure = self._failure(error.__cause__ or error)
        except TimeoutError:
            failure = no_answer("TimeoutError")
        except UnicodeError:
            failure = _unsendable()
        except Exception as error:
            if not is_of_the_network(error):
                raise
            failure = self._failure(error)
        raise failure

    def _raw(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        request_id = self.foreign.code(headers.get("request-id"))
        return RawAnswer(body, request_id, self._named_by(headers), limits_in(headers))

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """Get a document below our own address, and yield its lines as they arrive.

        The SDK would follow whatever address the API names, with the key, and read 64 bytes at a time. A line has to
        come within the time of a silence, however its bytes trickle.

        Raises:
            Refused, WriteRetryable, RunBlocked: as `send`; also in the middle.
        """
        client = self._connected()
        assert self._http is not None, "connecting has made it"
        headers = {name: value for name, value in client.default_headers.items() if isinstance(value, str)}
        failure: Exception
        try:
            async with self._http.stream("GET", client.base_url.join(path), headers=headers) as response:
                self._named_by(response.headers)
                await _require_ok(response, self.foreign)
                async for line in self._each_in_time(response.aiter_bytes()):
                    yield line
                return
        except Refused as refusal:
            failure = refusal
        except TimeoutError:
            failure = no_answer("TimeoutError")
        except UnicodeError:
            failure = _unsendable()
        except Exception as error:
            if not is_of_the_network(error):
                raise
            failure = self._failure(error)
        raise failure

    async def _each_in_time(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        rest, more = b"", True
        while more:
            lines: list[bytes] = []
            async with patiently(self._silence):
                while more and not any(line.strip() for line in lines):
                    chunk = await anext(chunks, None)
                    more = chunk is not None
                    *lines, rest = (rest + (chunk or b"")).split(b"\n")
            for line in lines if more else [*lines, rest]:
                if line.strip():
                    yield line

    def _named_by(self, headers: Mapping[str, str]) -> str:
        """Take note of whose the key is, and return what this answer says of it."""
        organization = self.foreign.code(headers.get("anthropic-organization-id"))
        its_own = self.foreign.code(headers.get("anthropic-workspace-id"))
        named = its_own or (organization and f"{ORGANIZATION}{organization}")
        self.workspace = named or self.workspace
        return named

    def _failure(self, cause: BaseException) -> Exception:
        """Return the failure that an error on the way means."""
        kind = type(cause).__name__
        if isinstance(cause, SettingsInvalid):
            return cause
        if kind == "LocalProtocolError":
            return _unsendable()
        if never_left(cause):
            return no_connection(obstacle(cause, self._base_url, _SETTING))
        return no_answer(kind, silence_hint(self._base_url, _SETTING))

    def _connected(self) -> AsyncAnthropic:
        if self._client is None:
            if fault := claude_key_fault(self._api_key, self._base_url):
                # The SDK would log it, in clear.
                raise RunBlocked(f"ANTHROPIC_API_KEY {fault}.", hint="Copy it again from the Claude console.")
            with vendor_import(), _without_variables():
                import httpx2
                from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

            # Only connecting has a limit of the clock: nothing is paid by then. All else is `patiently` waited for.
            timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
            options = client_options(httpx2, self._base_url, _SETTING)
            self._http = DefaultAsyncHttpxClient(timeout=timeout, **options)
            with _without_variables():
                self._client = AsyncAnthropic(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    max_retries=0,
                    timeout=timeout,
                    http_client=self._http,
                )
        return self._client


def _api_error(error: Any, shown: ForeignText) -> ApiError:
    """Take from the SDK's error what the translation needs, and what may be shown."""
    return ApiError(
        status=error.status_code,
        kind=shown.code(error.type),
        code=shown.code(error.error_code),
        said=shown.sentence(error.api_message),
        request_id=shown.code(error.request_id),
        headers=dict(error.response.headers),
    )


async def _require_ok(response: httpx2.Response, shown: ForeignText) -> None:
    if response.status_code != _OK:
        await response.aread()
        raise Refused(_error_answer(response, shown))


def _error_answer(response: httpx2.Response, shown: ForeignText) -> ApiError:
    """Read the error of an answer that the SDK has not seen."""
    try:
        error = response.json()["error"]
        kind, said = shown.code(error["type"]), shown.sentence(error["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        kind = said = ""
    headers = dict(response.headers)
    request_id = shown.code(headers.get("request-id"))
    return ApiError(response.status_code, kind, said=said, request_id=request_id, headers=headers)


def _unsendable() -> RunBlocked:
    return RunBlocked(
        "The HTTP library refuses to send the request because of its characters.",
        hint="Copy ANTHROPIC_API_KEY again, and look for damaged characters in the catalog.",
    )


@contextmanager
def _without_variables() -> Iterator[None]:
    """Hide variables that the SDK would obey."""
    hidden = {name: os.environ.pop(name) for name in _NOT_FOR_THE_SDK if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
