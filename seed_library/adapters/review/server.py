"""The server of the page: a port of this machine, and two threads.

Invariant. Requests are heard in a thread with an event loop, so that a slow one keeps nobody waiting. What a button
says is done in the thread that calls `serve`, one after the other: acting goes through the same door as a run, which
needs the thread that owns the signals. Looking is done in threads of their own.

Ending. `serve` ends when an exception is raised in its thread (Ctrl-C), when a signal has ended what a button began, or
after `end`. Whoever still waits for an answer has a second; a button that was not begun is told so. Nothing of this
protects what is stored: a work that is cut off leaves what a run leaves.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from seed_library.adapters.review.desk import Desk, Outcome
from seed_library.adapters.review.threads import keep
from seed_library.core.errors import ExitCode, PreflightFailed, UsageInvalid

if TYPE_CHECKING:
    from uvicorn import Server

_LOOPBACK = ("127.0.0.1", "::1")
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_LOOK_SECONDS = 0.5  # some systems wake no thread for a signal
_GRACE_SECONDS = 1
_CLOSING = Outcome("The page is closing; nothing was done.", ExitCode.STOPPED)
_CUT_OFF = Outcome("The page is closing. Open it anew: it shows what is stored.", ExitCode.STOPPED)


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the server is.

    Attributes:
        patience: seconds for the head of a request, and for its body, to arrive.
        connections: how many may be open; some systems give a process 256 files in all.
    """

    patience: float = 20.0
    connections: int = 200


def listen(port: int, hosts: Sequence[str] = _LOOPBACK) -> socket.socket:
    """Return a socket that listens on loopback; 0 is any free port.

    Args:
        port: its number.
        hosts: addresses to try; the next one only where the machine has none like this.

    Raises:
        UsageInvalid: the port cannot be had.
        PreflightFailed: the machine has no loopback address.
    """
    for host in hosts:
        try:
            return _listening(host, port)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise _not_to_be_had(host, port, error) from None
    raise PreflightFailed(
        f"No page can be served: this machine has none of the addresses {', '.join(hosts)}.",
        hint="Bring the loopback interface up. Without a page: `seed-library report FILE`, `show`, `accept`, `import`.",
    )


def _listening(host: str, port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen()
    except OSError:
        server.close()
        raise
    return server


def _not_to_be_had(host: str, port: int, error: OSError) -> UsageInvalid:
    if error.errno == errno.EADDRINUSE:
        return UsageInvalid(
            f"Port {port} of {host} is in use by another program.",
            hint="Leave --port out for a free one, or name another.",
        )
    return UsageInvalid(
        f"Port {port} of {host} cannot be had: {error.strerror or error}.",
        hint="Leave --port out for a free one, or name one above 1023.",
    )


@dataclass(frozen=True, slots=True)
class _Job:
    said: Mapping[str, Any]
    outcome: Future[Outcome]


class ReviewServer:
    """Serves a page and passes on what its buttons say."""

    def __init__(self, desk: Desk, listening: socket.socket, limits: Limits | None = None) -> None:
        self.token = secrets.token_urlsafe(24)
        self._desk = desk
        self._listening = listening
        self._limits = limits or Limits()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._failure: Exception | None = None
        self._server = self._made()

    @property
    def address(self) -> str:
        """The address to open, with its token."""
        host, port = self._listening.getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        return f"http://{named}:{port}/?token={self.token}"

    def serve(self) -> None:
        """Answer until interrupted, and do what the buttons say."""
        thread = Thread(target=self._hear, name="page", daemon=True)
        thread.start()
        try:
            self._work()
        finally:
            self._server.should_exit = True
            self._refuse_the_rest()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def end(self) -> None:
        """End `serve` when it has done what it is doing. Called from any thread."""
        self._jobs.put(None)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            if job is None or self._ended_by(job):
                return

    def _ended_by(self, job: _Job) -> bool:
        """Do a job; whether it is the last one."""
        try:
            keep(job.outcome, lambda: self._desk.act(job.said))
        except BaseException:
            if not job.outcome.done():
                job.outcome.set_result(_CUT_OFF)
            raise
        given_up = job.outcome.cancelled()
        return not given_up and job.outcome.exception() is None and job.outcome.result().ends

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None:
                keep(job.outcome, lambda: _CLOSING)

    def _hear(self) -> None:
        """Be the thread that answers."""
        try:
            asyncio.run(self._server.serve(sockets=[self._listening]))
        except Exception as failure:  # noqa: BLE001  raised in the thread that waits
            self._failure = failure
        finally:
            self.end()

    async def _do(self, said: Mapping[str, Any]) -> Outcome:
        job = _Job(said, Future())
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.outcome)
        except asyncio.CancelledError:  # the server ends, and whoever waits is told
            return _CUT_OFF

    def _made(self) -> Server:
        from uvicorn import Config, Server

        from seed_library.adapters.review.app import review_app
        from seed_library.adapters.review.connections import guests

        for name in ("uvicorn", "asyncio"):  # what they log of a bad request is not for the terminal
            logging.getLogger(name).setLevel(logging.CRITICAL)
        patience = self._limits.patience
        config = Config(
            review_app(self._desk, self.token, self._do, patience),
            http=guests(patience, self._limits.connections),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # it would show the token
            proxy_headers=False,
            server_header=False,
            workers=1,  # else a variable of the environment says how many
            timeout_keep_alive=int(patience) + 1,  # `guests` are less patient
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        return Server(config)
