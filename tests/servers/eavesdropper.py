"""A proxy that listens: it keeps every byte that it is sent, and answers as it is told. Usable without pytest.

Nothing with a key in clear may ever reach it.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_MOST_BYTES = 65_536
_END_OF_HEAD = b"\r\n\r\n"
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"


class Eavesdropper:
    """A proxy on a port of this machine.

    Attributes:
        answer: what it answers to everything.
        url: its address, as a variable names it.
        port: its port.

    With a context for TLS it is a service that speaks it, with whatever certificate.
    """

    def __init__(self, answer: bytes = _BAD_GATEWAY, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._tls = tls
        self._heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http{'s' * (tls is not None)}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def requests(self) -> list[str]:
        """The first line of everything that it was sent."""
        return [heard.partition(b"\r\n")[0].decode(errors="replace") for heard in self._heard]

    def has_heard(self, secret: str) -> bool:
        """Whether a secret was in what it was sent, as it is or as basic authentication."""
        heard = b"".join(self._heard)
        return secret.encode() in heard or base64.b64encode(secret.encode()) in heard

    def forget(self) -> None:
        """Forget everything."""
        self._heard.clear()

    @property
    def variables(self) -> dict[str, str]:
        """The environment of somebody whose every request goes through this proxy."""
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return {**{spelling: self.url for name in names for spelling in (name, name.lower())}, "NO_PROXY": ""}

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, self._dressed(connection) as talk:
            head = b""
            while _END_OF_HEAD not in head and (part := talk.recv(_MOST_BYTES)):
                head += part
                if not head[:1].isalpha():  # something else than HTTP: it gets the same answer
                    break
            if head:
                self._heard.append(head)
                talk.sendall(self.answer)

    def _dressed(self, connection: socket.socket) -> socket.socket:
        return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
