"""What is answered to whom: one document, and one address to act on.

Whoever wants to read or act needs the token, which is in the address that the terminal shows: another user of the
machine, or a page in the same browser, does not have it. The Host header has to be ours, so that no other name can be
made to lead here, and so has the Origin, where a browser names one. Every answer is a sentence or has one in `error`;
whatever is refused ends its connection.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seed_library.adapters.review.connections import HEAR_OUT_SECONDS
from seed_library.adapters.review.desk import Desk, Outcome
from seed_library.adapters.review.headers import headers_of
from seed_library.adapters.review.page import document
from seed_library.adapters.review.threads import in_thread
from seed_library.core import foreign_json, plain_json
from seed_library.core.errors import ExitCode, SeedLibraryError, Stopped

LARGEST_BODY = 1_000_000  # bytes
_OUR_NAMES = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_OPEN = "Open the address that the terminal shows."
_READ_AT_ONCE = 4
_STATUSES = {
    ExitCode.LOCKED: HTTPStatus.CONFLICT,
    ExitCode.PREFLIGHT: HTTPStatus.SERVICE_UNAVAILABLE,
    ExitCode.STOPPED: HTTPStatus.SERVICE_UNAVAILABLE,
}
_SENTENCES = {
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address is not asked in this way.",
}
_BUG = (
    "This is a bug in seed-library. Reload the page: it shows what is stored. "
    "`seed-library --verbose review` shows on the terminal where the bug is."
)

Do = Callable[[Mapping[str, Any]], Awaitable[Outcome]]


def review_app(desk: Desk, token: str, do: Do, patience: float) -> Starlette:
    """Return the application.

    Args:
        desk: what it shows.
        token: what everybody has to know.
        do: does what a button says.
        patience: seconds for the body of a request to arrive.
    """
    answers = _Answers(desk, token, do, patience)
    app = Starlette(
        routes=[Route("/", answers.page, methods=["GET"]), Route("/api/act", answers.act, methods=["POST"])],
        middleware=[Middleware(_Doorkeeper, token=token)],
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )
    app.router.redirect_slashes = False
    return app


class _Doorkeeper:
    """Lets in who knows the token and comes to our own name, and hears everybody else out."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                await body.hear_out()
            await send(message)

        request = Request(scope)
        fault = self._fault(request)
        app = _refusal(request, HTTPStatus.FORBIDDEN, f"{fault} {_OPEN}") if fault else self._app
        await app(scope, body.receive, answer)

    def _fault(self, request: Request) -> str:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if not _OUR_NAMES.fullmatch(host):
            return "This is not the address of the page."
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Another page has asked for this."
        given = request.headers.get("x-review-token")
        if given is None and request.method != "POST":
            given = request.query_params.get("token")
        return "" if compare_digest((given or "").encode(), self._token) else "The token is missing, or it is wrong."


class _Body:
    """The body of a request. Who is refused in the middle of sending one gets to read the answer, not a reset."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def receive(self) -> Message:
        message = await self._receive()
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def hear_out(self) -> None:
        """Throw away what is still to come, for a while."""
        try:
            async with asyncio.timeout(HEAR_OUT_SECONDS):
                while self._more:
                    await self.receive()
        except TimeoutError:
            self._more = False


class _Answers:
    def __init__(self, desk: Desk, token: str, do: Do, patience: float) -> None:
        self._desk = desk
        self._token = token
        self._do = do
        self._patience = patience
        self._places = asyncio.Semaphore(_READ_AT_ONCE)

    async def page(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        try:
            seen = await self._look()
        except SeedLibraryError as error:
            return _refusal(request, HTTPStatus.SERVICE_UNAVAILABLE, self._desk.words(error))
        html = document({**seen, "token": self._token}, nonce)
        return Response(html.encode(), headers=headers_of("text/html", nonce))

    async def act(self, request: Request) -> Response:
        outcome = await self._do(await self._wanted(request))
        if outcome.refused is None:
            return _json(HTTPStatus.OK, await self._with_cards("message", outcome))
        status = _STATUSES.get(outcome.refused, HTTPStatus.BAD_REQUEST)
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            return _json(status, {"error": outcome.said})
        return _json(status, await self._with_cards("error", outcome))

    async def _with_cards(self, name: str, outcome: Outcome) -> dict[str, Any]:
        """Return what was said and what is stored now; what is done is done, also where that cannot be seen."""
        try:
            return {name: outcome.said, "cards": (await self._look())["cards"]}
        except SeedLibraryError as error:
            unseen = f"What is stored now could not be read: {self._desk.words(error)}"
            return {name: f"{outcome.said} {unseen}"}

    async def _look(self) -> dict[str, Any]:
        async with self._places:
            try:
                return await in_thread(self._desk.look)
            except asyncio.CancelledError:  # the server ends, and whoever waits is told
                raise Stopped("The page is closing.") from None

    async def _wanted(self, request: Request) -> Mapping[str, Any]:
        """Return what is asked for.

        Raises:
            HTTPException: it is nothing that can be read.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A request to act is JSON (application/json).")
        length = request.headers.get("content-length")
        if length is None or "transfer-encoding" in request.headers:
            raise HTTPException(HTTPStatus.LENGTH_REQUIRED, "A request to act says how long it is (Content-Length).")
        if int(length) > LARGEST_BODY:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request to act has at most {LARGEST_BODY:,} bytes."
            )
        try:
            async with asyncio.timeout(self._patience):
                said = foreign_json.loads(await request.body())
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.") from None
        except (ValueError, ClientDisconnect):
            said = None
        if not isinstance(said, dict):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "A request to act is one JSON object.")
        return said


def _json(status: HTTPStatus, said: Mapping[str, Any], more: Mapping[str, str] | None = None) -> Response:
    headers = {**headers_of("application/json"), **(more or {})}
    return Response(plain_json.dumps(said).encode(), status, headers)


def _refusal(request: Request, status: HTTPStatus, sentence: str, more: Mapping[str, str] | None = None) -> Response:
    """Return a sentence in the form that its address has, for programs or for people."""
    closed = {**(more or {}), "connection": "close"}
    if request.scope["path"].startswith("/api/"):
        return _json(status, {"error": sentence}, closed)
    body = sentence.encode("utf-8", "backslashreplace")
    return Response(body, status, {**headers_of("text/plain"), **closed})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is registered for these only"
    status = HTTPStatus(error.status_code)
    return _refusal(request, status, _SENTENCES.get(status, error.detail), error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).debug("the page met a bug", exc_info=error)
    return _refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, _BUG)
