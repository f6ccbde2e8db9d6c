"""Standard streams that never keep a run waiting.

Invariant. What is printed inside `unblocked` is handed to one thread per stream, and only these threads ever wait for a
reader. A pipe that nobody reads, a terminal that is held with Ctrl-S, costs nothing but its lines: beyond some
megabytes they are dropped, and at the end so many seconds without any progress are waited, and no more. What is lost is
counted, and said where somebody may read it. A stream that is closed takes everything, to nowhere.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from io import TextIOBase, TextIOWrapper
from queue import Empty, SimpleQueue

_MOST_WAITING_BYTES = 8 * 2**20
_PATIENCE_SECONDS = 2.0


class _Pump(threading.Thread):
    """Writes to one file descriptor whatever it is given, in order, and waits as long as it takes."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name=f"output-{descriptor}", daemon=True)
        self._descriptor = descriptor
        # Its `put` may be interrupted by a signal handler that puts.
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._given = 0  # bytes, counted by whoever prints
        self._taken = 0  # bytes, counted by the thread
        self._closed = False
        self._lost = 0  # lines

    def give(self, chunk: bytes) -> None:
        """Take some lines, or lose them."""
        if self._given - self._taken > _MOST_WAITING_BYTES:
            self._lost += chunk.count(b"\n")
            return
        self._given += len(chunk)
        self._waiting.put(chunk)

    def run(self) -> None:
        """Write until there is nothing more to come."""
        while (chunk := self._waiting.get()) is not None:
            while chunk:
                written = self._write(chunk)
                self._taken += written
                chunk = chunk[written:]

    def _write(self, chunk: bytes) -> int:
        if self._closed:
            return len(chunk)
        try:
            return os.write(self._descriptor, chunk)
        except BlockingIOError:  # somebody has made the pipe so that it does not block
            select.select([], [self._descriptor], [])
            return 0
        except OSError:
            self._closed = True  # nobody is there any more
            return len(chunk)

    def end(self) -> int:
        """Wait for the reader as long as he reads; return how many lines are lost."""
        self._waiting.put(None)
        before = -1
        while self.is_alive() and before != self._taken:
            before = self._taken
            self.join(_PATIENCE_SECONDS)
        if self.is_alive():
            self._lost += 1  # the one that is on its way
            with suppress(Empty):
                while chunk := self._waiting.get_nowait():
                    self._lost += chunk.count(b"\n")
        return self._lost


class _Unblocked(TextIOBase):
    """Looks like a standard stream, and hands over what is printed at each flush."""

    def __init__(self, stream: TextIOWrapper, pump: _Pump) -> None:
        self._stream = stream
        self._pump = pump
        self._parts: list[str] = []

    @property
    def encoding(self) -> str:  # type: ignore[override]  # there it is an attribute
        """That of the stream behind it."""
        return self._stream.encoding

    def isatty(self) -> bool:
        """Whether there is a terminal behind it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor behind it."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Keep a text until the next flush."""
        self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Hand over what there is."""
        text, self._parts = "".join(self._parts), []
        if text:
            self._pump.give(text.encode(self.encoding, self._stream.errors or "strict"))


@contextmanager
def unblocked() -> Iterator[None]:
    """Let nothing that is printed inside wait for its reader."""
    pumps: list[_Pump] = []
    with ExitStack() as redirected:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if not isinstance(stream, TextIOWrapper):
                continue  # closed, or a test's
            stream.flush()
            pump = _Pump(stream.fileno())
            pump.start()
            pumps.append(pump)
            redirected.enter_context(redirect(_Unblocked(stream, pump)))
        try:
            yield
        finally:
            lost = sum(pump.end() for pump in pumps)
            if lost:
                _say(f"{lost:,} lines of output are lost: nobody has read them. The run's log has what happened.")


def _say(text: str) -> None:
    """Print a line on stderr, if somebody takes it at once."""
    with suppress(OSError, ValueError):
        descriptor = sys.stderr.fileno()
        if select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, f"{text}\n".encode())
