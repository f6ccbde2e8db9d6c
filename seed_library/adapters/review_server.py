"""The local page of `review`: one document, and one address to act on.

It listens on 127.0.0.1 only. Whoever wants to read or act needs the token, which is in the address that the terminal
shows: another user of the machine, or a page in the same browser, does not have it. The Host header must be ours, so
that no other name can be made to lead here. Requests are answered one after the other, in the thread that owns the
signals, because acting goes through the same door as a run.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_LARGEST_BODY = 1_000_000

Act = Callable[[Mapping[str, Any]], dict[str, Any]]
"""What was asked for -> what to answer; with `error` where it went wrong."""


class ReviewServer:
    """Serves a page and passes on what its buttons say."""

    def __init__(self, page: Callable[[str], str], act: Act, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        self._server = HTTPServer(("127.0.0.1", port), _handler(page, act, self.token))

    @property
    def address(self) -> str:
        """The address to open, with its token."""
        return f"http://127.0.0.1:{self._server.server_port}/?token={self.token}"

    def serve(self) -> None:
        """Answer until interrupted."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass
        finally:
            self._server.server_close()


def _handler(page: Callable[[str], str], act: Act, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(_Guarded):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if self.is_ours(parse_qs(asked.query).get("token", [""])[0], token):
                found = asked.path == "/"
                self.send(200 if found else 404, "text/html", page(token) if found else "There is nothing here.")

        def do_POST(self) -> None:
            if self.is_ours(self.headers.get("x-review-token", ""), token):
                wanted = self.wanted()
                answer = act(wanted) if wanted is not None else {"error": "This is no request."}
                status = 400 if "error" in answer else 200
                self.send(status, "application/json", json.dumps(answer, ensure_ascii=False))

    return Handler


class _Guarded(BaseHTTPRequestHandler):
    """What every request goes through."""

    def log_message(self, *_: object) -> None:
        """Say nothing: the path holds the token."""

    def is_ours(self, given: str, token: str) -> bool:
        """Whether the request knows the token and came to our own name; else it is refused."""
        host = (self.headers.get("host") or "").partition(":")[0]
        if host in {"127.0.0.1", "localhost"} and compare_digest(given.encode(), token.encode()):
            return True
        self.send(403, "text/plain", "Open the address that the terminal shows.")
        return False

    def wanted(self) -> dict[str, Any] | None:
        """Return what is asked for; None where it is nothing that we know."""
        length = int(self.headers.get("content-length") or 0)
        if self.path != "/api/act" or not 0 < length <= _LARGEST_BODY:
            return None
        try:
            said = json.loads(self.rfile.read(length))
        except ValueError:
            return None
        return said if isinstance(said, dict) else None

    def send(self, status: int, kind: str, text: str) -> None:
        """Answer."""
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "no-store")
        self.send_header("referrer-policy", "no-referrer")
        self.send_header("x-content-type-options", "nosniff")
        self.end_headers()
        self.wfile.write(body)
