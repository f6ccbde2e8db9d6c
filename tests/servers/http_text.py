"""HTTP as text: the little of it that the scripted server needs. Standard library only."""

from __future__ import annotations

from api_rules import Reply  # type: ignore[import-not-found]  # found beside this file when it runs alone


def client_of(target: str) -> tuple[str, str]:
    """Take the client's name off a path that begins with /as/NAME."""
    if not target.startswith("/as/"):
        return "", target
    name, _, rest = target.removeprefix("/as/").partition("/")
    return name, f"/{rest}"


def head_of(head: bytes | bytearray) -> tuple[str, dict[str, str]]:
    """Return the first line and the headers, by their names in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        said = headers.get(name.lower())
        headers[name.lower()] = value.strip() if said is None else f"{said}, {value.strip()}"
    return first, headers


def as_bytes(reply: Reply) -> bytes:
    """Return a whole answer."""
    status, payload, extra = reply
    headers = {"content-type": "application/json", "content-length": str(len(payload)), **extra}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n"
    return head.encode() + bytes(payload)
