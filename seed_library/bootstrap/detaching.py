"""Running in the background: the start is judged in the foreground, and success is only said once it is one.

    parent: settings, catalog, preflight   any failure is the parent's own, and no process is started
    parent: starts the child               the same command line in a session of its own, no terminal, output to the log
    child:  lock, preflight, plan, canary  the first text is stored and read back
    child:  "ready" over the pipe          or the error it ended with, or the summary of a run that is over already
    parent: prints pid, log, how to stop   and exits; or it repeats the child's error with the child's exit code

The parent never holds the lock, so nothing has to be handed over: a lock taken before a fork would get lost. The pipe
closes by itself when the child dies, whatever kills it; then the parent says so and quotes the end of the log. A
parent that is interrupted or gone changes nothing for the child: a failing write to the pipe is ignored.
Keys travel in the inherited environment or are read from `.env` again, never in arguments.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import seed_library
from seed_library.adapters.run_log import lines, open_log
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import BackgroundFailed, ExitCode
from seed_library.core.events import BatchWaiting, CanaryPassed, Event, RunFailed, RunFinished

_QUOTED_LINES = 5


@dataclass(frozen=True, slots=True)
class Background:
    """A process in the background that is ready, or what became of one that is over already.

    Attributes:
        finished: the summary of the run, where it ended before there was anything to wait for.
        error: the failure it ended with, and its exit code.
    """

    run_id: str
    pid: int
    log: Path
    finished: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    exit_code: int = ExitCode.DONE


class ReadyPipe:
    """The child's end of the pipe, as a reporter. The first word counts; after it the pipe is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._error: dict[str, str] | None = None
        os.set_inheritable(descriptor, False)

    def report(self, event: Event) -> None:
        """Say what the parent waits for: the canary is stored, a batch is waited for, or the run has ended."""
        match event:
            case CanaryPassed() | BatchWaiting():
                self._say({"ready": True})
            case RunFailed():
                self._error = event.error
            case RunFinished() if self._error is not None:
                self._say({"error": self._error, "exit_code": int(event.exit_code)})
            case RunFinished():
                self._say({"finished": event.as_json()})
            case _:
                pass

    def refuse(self, error: dict[str, str], exit_code: int) -> None:
        """Say that the run did not even begin."""
        self._say({"error": error, "exit_code": exit_code, "begun": False})

    def _say(self, word: dict[str, Any]) -> None:
        if self._descriptor < 0:
            return
        with suppress(OSError):  # the parent may be gone; the run goes on
            os.write(self._descriptor, json.dumps(word).encode() + b"\n")
        os.close(self._descriptor)
        self._descriptor = -1


def leave_the_terminal() -> None:
    """Make this process one of the background: no hangup ends it, and no core file with keys stays behind."""
    import resource

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def start_in_background(folder: TargetFolder, run_id: str, arguments: Sequence[str], patience: float) -> Background:
    """Start the command line in the background and wait until it is ready.

    Args:
        folder: the target's folder; its logs take the output.
        run_id: the id of the run to start.
        arguments: the command line without the program, and without what asked for the background.
        patience: seconds after which a process that says nothing is reported.

    Raises:
        BackgroundFailed: the process was killed, or is not ready in time.
        JournalUnavailable: the state folder cannot be used.
    """
    folder.create()
    log = folder.log(run_id)
    reader, writer = os.pipe()
    output = open_log(log)
    try:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, and the arguments that the user has typed
            [*_python(), "-m", "seed_library", *arguments, "--run-id", run_id, "--ready-fd", str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[writer],
        )
    finally:
        os.close(writer)
        os.close(output)
    background = Background(run_id, process.pid, log)
    try:
        word = _first_word(reader, patience)
    except KeyboardInterrupt:
        process.returncode = 0
        return replace(background, error=_interrupted(background), exit_code=ExitCode.INTERRUPTED)
    finally:
        os.close(reader)
    return _outcome(process, word, background, patience)


def _interrupted(background: Background) -> dict[str, str]:
    return {
        "code": "interrupted",
        "message": f"Interrupted; the background process (pid {background.pid}) is not ready yet, and goes on.",
        "hint": f"Its log: {background.log}. `seed-library stop` ends it.",
    }


def _python() -> list[str]:
    """The interpreter; it must find the same package, not another one that happens to lie in the working folder."""
    here = Path(seed_library.__file__).resolve().parents[1] == Path.cwd()
    return [sys.executable] if here else [sys.executable, "-P"]


def _first_word(reader: int, patience: float) -> dict[str, Any] | None:
    """Read the child's word; an empty one when the pipe closed without it, None when time is up."""
    deadline = time.monotonic() + patience
    said = b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(reader, 65536)
        if not part:
            return {}
        said += part
    word: dict[str, Any] = json.loads(said)
    return word


def _outcome(
    process: subprocess.Popen[bytes], word: dict[str, Any] | None, background: Background, patience: float
) -> Background:
    if word is None:
        process.returncode = 0  # it goes on without us: nobody waits for it any more
        raise BackgroundFailed(
            f"The background process (pid {process.pid}) is not ready after {patience:.0f} s; it still tries.",
            hint=f"Its log: {background.log}. `seed-library status` shows it, `seed-library stop` ends it.",
        )
    if word.get("ready"):
        process.returncode = 0
        return background
    code = process.wait()
    if "finished" in word:
        return replace(background, finished=word["finished"], exit_code=word["finished"]["exit_code"])
    if "error" in word:
        if not word.get("begun", True):
            background.log.unlink(missing_ok=True)  # it holds nothing but the sentence that is said here
        return replace(background, error=word["error"], exit_code=word["exit_code"])
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    last = "".join(f"\n  {line}" for line in lines(background.log, _QUOTED_LINES))
    message = f"The background process (pid {process.pid}) {ended} before it was ready.{last}"
    hint = f"Its log: {background.log}. What is paid is in the journal; run again to go on."
    if code < 0:
        raise BackgroundFailed(message, hint=hint)
    return replace(background, error={"code": "bug", "message": message, "hint": hint}, exit_code=code)
