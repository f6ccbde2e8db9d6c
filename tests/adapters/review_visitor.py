"""A visitor of the page of `review` who speaks to its port in bytes, as no browser does."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

_PATIENCE = 30  # seconds; a guard, not a measure


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def sentence(self) -> str:
        """What it says: the text, or the field `error` of its JSON."""
        text = self.body.decode()
        return str(json.loads(text)["error"]) if "json" in self.headers["content-type"] else text

    @property
    def said(self) -> dict[str, Any]:
        """Its JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who knows the address that the terminal has shown."""

    host: str
    port: int
    token: str

    @classmethod
    def at(cls, address: str) -> Visitor:
        """Return who has this address."""
        place, _, token = address.removeprefix("http://").partition("/?token=")
        host, _, port = place.rpartition(":")
        return cls(host.strip("[]"), int(port), token)

    @property
    def name(self) -> str:
        """The page's own name, as a Host header says it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        """Open a connection, and say nothing yet."""
        return socket.create_connection((self.host, self.port), timeout=_PATIENCE)

    def ask(self, request: bytes) -> Told:
        """Send bytes and return the answer; the connection has to be closed by the page."""
        with self.connect() as connection:
            connection.sendall(request)
            return told(connection)

    def get(self, path: str | None = None, **headers: str) -> Told:
        """Ask for the page, or for another path."""
        return self.ask(self.request("GET", f"/?token={self.token}" if path is None else path, **headers))

    def act(self, said: bytes, **headers: str) -> Told:
        """Press a button, with these bytes for a body."""
        fields = {"content_type": "application/json", "content_length": str(len(said)), "x_review_token": self.token}
        return self.ask(self.request("POST", "/api/act", **{**fields, **headers}) + said)

    def request(self, method: str, path: str, **headers: str) -> bytes:
        """Return the head of a request; a header that is empty is left out."""
        fields = {"host": self.name, "connection": "close", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value]
        return "\r\n".join((f"{method} {path} HTTP/1.1", *lines, "", "")).encode("latin-1")


def told(connection: socket.socket) -> Told:
    """Read an answer to the end of the connection."""
    everything = b""
    while part := connection.recv(65536):
        everything += part
    head, _, body = everything.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Told(int(first.split()[1]), headers, body)
