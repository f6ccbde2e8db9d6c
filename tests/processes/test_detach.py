"""The background as the safest place to run: judged in front, visible, stoppable, and never twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes.program import Ended, Program
from servers.processes import MessagesServer
from servers.supabase import GRANTS, ORIGINAL_TABLE, PROVENANCE, Supabase


@pytest.fixture(autouse=True)
def _nothing_stays_behind(program: Program) -> Iterator[None]:
    """End what a failing test has left in the background."""
    yield
    program.run("stop", "--now")


def test_the_accident_replayed_in_the_background(
    program: Program, messages: MessagesServer, supabase: Supabase, project: Callable[..., Supabase]
) -> None:
    """Four mistakes leave no process; the fifth start runs; the sixth is refused by name; stop, and run again."""
    unfilled = project(ORIGINAL_TABLE, GRANTS, PROVENANCE, "alter table content_library add column s text not null;")
    mistakes: list[tuple[dict[str, str], int]] = [
        ({"ANTHROPIC_API_KEY": ""}, 3),
        ({"SUPABASE_SERVICE_ROLE_KEY": supabase.legacy["anon"]}, 3),
        (unfilled.environment, 4),
        ({"SEED_LIBRARY_MODEL": "claude-sonnet-4-20250514"}, 4),
    ]
    for changes, code in mistakes:
        ended = program.run("run", "--detach", "--json", **changes)
        assert ended.code == code
        assert ended.error["message"]
        assert _processes(program) == []
    assert messages.log() == []

    messages.control(latency_ms=150)
    messages.faults({"hold": True, "skip": 1, "times": 180})  # however long the next start takes, it is at work
    fifth = _detach(program, "--concurrency", "2")
    assert supabase.count() >= 1, "ready means that the first text is stored"
    sixth = program.run("run", "--detach", "--json")
    assert sixth.code == 5
    assert f"pid {fifth['pid']} " in sixth.error["message"]
    assert _processes(program) == [fifth["pid"]]

    stopping = program.start("stop", "--json")
    messages.faults()
    messages.control(release=True)
    stopped = stopping.end().document
    assert (stopped["pid"], stopped["exit_code"], stopped["stopped"]) == (fifth["pid"], 8, True)
    assert _processes(program) == []
    assert stopped["stored"] == supabase.count() == len(messages.billed())
    log = program.run("logs", "--json", "--run", fifth["run_id"]).document
    assert log["lines"][-1].endswith("finished with exit code 8.")

    messages.control(latency_ms=0)
    assert program.run("run", "--json").code == 0
    assert supabase.count() == 180
    assert len(messages.log()) == 180


def test_a_background_run_that_is_killed_is_interrupted_at_once_and_resumed_at_once(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """No waiting, no cleaning up."""
    messages.control(latency_ms=200)
    started = _detach(program, "--limit", "30", "--concurrency", "2")
    assert program.run("status", "--json").document["state"] == "running"
    with _pidfd(started["pid"]) as gone:
        os.kill(started["pid"], signal.SIGKILL)
        gone()
    status = program.run("status", "--json").document
    assert (status["state"], status["holder"], status["run_id"]) == ("interrupted", None, started["run_id"])
    messages.control(latency_ms=0)
    assert program.run("run", "--json", "--limit", "30").code == 0
    assert supabase.count() == 30


def test_it_survives_its_terminal_and_logs_follow_it_to_the_end(program: Program, messages: MessagesServer) -> None:
    """A session of its own, no terminal, and `logs -f` ends with the run."""
    messages.control(latency_ms=150)
    started = _detach(program, "--limit", "12", "--concurrency", "2")
    pid = started["pid"]
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4] == "0", "no controlling terminal"
    os.kill(pid, signal.SIGHUP)
    followed = program.run("logs", "-f")
    assert followed.code == 0
    assert "The first text" in followed.out
    assert followed.out.rstrip().endswith(f"Run {started['run_id']} finished with exit code 0.")
    assert program.run("status", "--json").document["state"] == "finished"


def test_a_closed_terminal_ends_a_run_in_front_but_not_one_behind(program: Program, messages: MessagesServer) -> None:
    """The real thing: a pseudo terminal whose master closes."""
    import pty

    messages.faults({"hold": True, "skip": 1, "times": 12})
    master, slave = pty.openpty()
    starter = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *_command("run", "--detach", "--json", "--limit", "12", "--concurrency", "2")],
        cwd=program.folder,
        env=program.environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    assert starter.wait() == 0
    os.close(master)
    status = program.run("status", "--json").document
    assert status["state"] == "running"
    messages.faults()
    messages.control(release=True)
    assert program.run("logs", "-f").out.rstrip().endswith("finished with exit code 0.")


def test_a_run_with_nothing_to_do_is_over_before_it_is_ready(program: Program, supabase: Supabase) -> None:
    """Its summary and its exit code are the parent's."""
    assert program.run("run", "--limit", "3").code == 0
    ended = program.run("run", "--detach", "--json", "--limit", "3")
    assert (ended.code, ended.document["event"], ended.document["requests"]) == (0, "run_finished", 0)
    assert "is over already" in program.run("run", "--detach", "--limit", "3").out
    supabase.sql("delete from public.content_library")
    recovered = program.run("run", "--detach", "--json", "--limit", "3")
    assert (recovered.code, recovered.document["recovered"]) == (0, 3)


def test_an_error_behind_the_scenes_is_the_error_in_front(program: Program, messages: MessagesServer) -> None:
    """The canary meets a spent credit: the child's sentence and exit code, and no process."""
    messages.faults({"status": 400, "message": "Your credit balance is too low", "times": 99})
    ended = program.run("run", "--detach", "--json")
    assert ended.code == 4
    assert "credit" in ended.error["message"]
    assert _processes(program) == []


def test_a_process_that_dies_before_it_is_ready_is_reported(program: Program, messages: MessagesServer) -> None:
    """Killed while its canary was under way: the signal is named, and the log."""
    messages.faults({"hang": True, "times": 9})
    start = program.start("run", "--detach", "--json", "--limit", "3")
    while not messages.log():
        assert start.process.poll() is None
    (child,) = _processes(program, besides=start.pid)
    os.kill(child, signal.SIGKILL)
    ended = start.end()
    assert ended.code == 4
    assert "signal 9" in ended.error["message"]
    assert ".log" in ended.error["hint"]


def test_a_process_that_hangs_is_reported_and_can_still_be_stopped(program: Program, messages: MessagesServer) -> None:
    """Time is up: the parent says that the process still tries, and `stop --now` ends it."""
    messages.faults({"hang": True, "times": 9})
    ended = program.run("run", "--detach", "--json", "--limit", "3", "--detach-timeout", "4")
    assert ended.code == 4
    assert "still tries" in ended.error["message"]
    (child,) = _processes(program)
    stopped = program.run("stop", "--now", "--json").document
    assert (stopped["pid"], stopped["state"]) == (child, "interrupted")
    assert stopped["maybe_spent_usd"] > 0
    assert _processes(program) == []


def test_interrupting_the_start_leaves_the_background_alone_and_says_so(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Ctrl-C in the terminal: 130, the pid, and how to end it; the run goes on."""
    messages.control(latency_ms=1500)
    start = program.start("run", "--detach", "--json", "--limit", "2")
    while not messages.log():
        assert start.process.poll() is None
    (child,) = _processes(program, besides=start.pid)
    start.send(signal.SIGINT)
    ended = start.end()
    assert ended.code == 130
    assert f"pid {child}" in ended.error["message"]
    assert program.run("logs", "-f").out.rstrip().endswith("finished with exit code 0.")
    assert supabase.count() == 2


def test_stop_without_a_run_says_so(program: Program) -> None:
    """Nothing to stop is no failure."""
    ended = program.run("stop", "--json")
    assert (ended.code, ended.document["stopped"]) == (0, False)


def test_a_frozen_run_is_named_and_ended_only_at_once(program: Program, messages: MessagesServer) -> None:
    """SIGSTOP: a polite stop cannot be heeded and says so; `--now` ends even that, and a new run goes on."""
    messages.control(latency_ms=150)
    started = _detach(program, "--limit", "20", "--concurrency", "2")
    os.kill(started["pid"], signal.SIGSTOP)
    polite = program.run("stop", "--json", "--timeout", "0.2")
    assert polite.code == 5
    assert "frozen" in polite.error["message"]
    assert program.run("run", "--json", "--limit", "20").code == 5
    assert program.run("stop", "--now", "--json").document["stopped"] is True
    messages.control(latency_ms=0)
    assert program.run("run", "--json", "--limit", "20").code == 0


def test_status_is_right_at_twenty_moments(program: Program, messages: MessagesServer, supabase: Supabase) -> None:
    """Never more than the table holds, never less than it held before, and the money of the server."""
    messages.control(latency_ms=60)
    _detach(program, "--limit", "90", "--concurrency", "2")
    for _ in range(20):
        before = supabase.count()
        status = program.run("status", "--json").document
        after = supabase.count()
        assert status["stored"] <= after
        assert status["stored"] >= before - 4, "only rows whose storing was not journalled yet may be missing"
        assert status["stored"] + status["left"] == 90
        assert status["generated"] <= status["requests"] <= len(messages.log())
    assert program.run("logs", "-f").code == 0
    final = program.run("status", "--json").document
    assert (final["state"], final["stored"], final["left"]) == ("finished", 90, 0)


def test_waiting_for_the_holder_ends_when_it_does(program: Program, messages: MessagesServer) -> None:
    """`--wait-lock` names the holder and its progress, then goes on."""
    messages.control(latency_ms=200)
    first = program.start("run", "--json", "--limit", "40", "--concurrency", "2")
    assert first.wait_for("canary")
    second = program.start("run", "--json", "--limit", "44", "--wait-lock", "60")
    waiting = second.wait_for("waiting")
    assert waiting
    assert f"pid {first.pid} " in waiting["message"]
    assert "stored" in waiting["message"]
    assert first.end().code == 0
    ended = second.end()
    assert (ended.code, ended.document["generated"]) == (0, 4)


def test_waiting_can_be_stopped(program: Program, messages: MessagesServer) -> None:
    """A stop also ends a start that has not begun."""
    messages.control(latency_ms=300)
    first = program.start("run", "--json", "--limit", "40", "--concurrency", "1")
    assert first.wait_for("canary")
    second = program.start("run", "--json", "--wait-lock", "60")
    assert second.wait_for("waiting")
    second.send(signal.SIGTERM)
    assert second.end().code == 8
    first.send(signal.SIGTERM)
    assert first.end().code == 8


def _detach(program: Program, *arguments: str) -> dict[str, Any]:
    ended: Ended = program.run("run", "--detach", "--json", *arguments)
    assert ended.code == 0, (ended.out, ended.err)
    assert ended.document["event"] == "detached"
    assert Path(ended.document["log"]).stat().st_mode & 0o777 == 0o600
    return ended.document


def _command(*arguments: str) -> list[str]:
    import sys

    return [sys.executable, "-m", "seed_library", *arguments]


class _pidfd:  # noqa: N801  reads as a function
    """Waits for the end of a process that is not our child."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    def __enter__(self) -> Callable[[], None]:
        return self._wait

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _wait(self) -> None:
        import select

        select.select([self._descriptor], [], [], 30)


def _processes(program: Program, besides: int = 0) -> list[int]:
    """Return the pids of every live process that uses this state directory."""
    wanted = f"SEED_LIBRARY_STATE_DIR={program.state}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes().split(b"\0")
            alive = (place / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if alive and wanted in environment and int(place.name) != besides:
            found.append(int(place.name))
    return found


def test_asking_twice_to_stop_is_still_a_polite_stop(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Two people, or one who is impatient: what is in flight is stored all the same."""
    messages.control(latency_ms=2500)
    started = _detach(program, "--limit", "12", "--concurrency", "3")
    assert program.run("stop", "--timeout", "0.1", "--json").code == 5
    stopped = program.run("stop", "--json").document
    assert (stopped["pid"], stopped["exit_code"], stopped["maybe_spent_usd"]) == (started["pid"], 8, 0)
    assert stopped["stored"] == supabase.count() == len(messages.billed())


def test_a_run_that_never_got_to_a_plan_is_seen_in_status(program: Program, project: Callable[..., Supabase]) -> None:
    """A schedule that fails every night must not look like one that never ran."""
    broken = project("select 1", warm=False)
    assert program.run("run", "--json", **broken.environment).code == 4
    status = program.run("status", "--json", **broken.environment).document
    assert (status["state"], status["exit_code"], status["left"]) == ("finished", 4, 0)
    assert "content_library" in status["last_error"]
