"""Messages under fire: real processes that are killed, stopped, frozen and raced, on bad networks, disks and clocks.

`nox -s chaos -- messages --trials N --seed S` runs many of them. One trial: an empty library of 60 items, one to three
lives with the dangers that its seed draws, then a run to the end in fair weather. What has to hold is in `invariants`.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processes.program import Ended, Running
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.dangers import Dangers, Life
from chaos.evidence import ITEMS, Client, Evidence, gather, journals_in
from chaos.invariants import judge
from chaos.starting import Forking, Hardship
from chaos.verdict import Verdict

_TORN = b'0badc0de {"kind":"paid","run":"x","item"'
_JUMPS = (-86_400.0, 3_600.0, 86_400.0)
_PAST_THE_LEASE = 100.0
_CLOCK = "wrong-by"
_SMALL_BUDGET = "0.6"  # the worst case of eight requests
_ROOM = 120_000  # bytes that a journal may still grow by when the disk is about to be full


@dataclass(slots=True)
class Stage:
    """Where a trial happens, and who has appeared on it."""

    folder: Path
    messages: MessagesServer
    supabase: Supabase
    dangers: Dangers
    dice: random.Random
    verdict: Verdict
    mutant: str = ""
    clients: list[Client] = field(default_factory=list)

    def start(self, life: Life | None, *, machine: str = "here", more: tuple[str, ...] = ()) -> tuple[Client, Running]:
        """Start the program as a client of its own."""
        name = f"{len(self.clients) + 1:02}"
        hardship = life.hardship if life else ""
        client = Client(name, machine, self.dangers.concurrency, hardship, ending=life.ending if life else "end")
        self.clients.append(client)
        program = self._program(client, hardship)
        budget = ("--budget", _SMALL_BUDGET) if hardship == "small budget" else ()
        client.budget = float(_SMALL_BUDGET) if budget else 5.0
        command = ("run", "--json", *ITEMS, "--concurrency", str(client.concurrency), *budget, *more)
        return client, program.start(*command)

    def end(self, client: Client, running: Running) -> Ended:
        """Wait for the end of a client, and keep what it said."""
        ended = running.end()
        client.remember(running.events, ended, self.supabase.count() if ended.code == 0 else None)
        return ended

    def state(self, machine: str) -> Path:
        """The state directory of a machine."""
        return self.folder / machine / "state"

    def _program(self, client: Client, hardship: str) -> Forking:
        folder = self.folder / client.machine
        folder.mkdir(parents=True, exist_ok=True)
        settings = {**self.messages.environment, **self.supabase.environment}
        settings["ANTHROPIC_BASE_URL"] = f"{self.messages.url}/as/{client.name}"
        return Forking(folder, settings, self._hardship(hardship, folder))

    def _hardship(self, name: str, folder: Path) -> Hardship:
        if name == "disk full":
            journals = journals_in(folder / "state")
            room = sum(journal.stat().st_size for journal in journals) + self.dice.randint(0, _ROOM)
            return Hardship(room=room, mutant=self.mutant)
        clock = folder / _CLOCK
        clock.write_text("0")
        return Hardship(powerless=name == "read-only state", clock=str(clock), mutant=self.mutant)

    def let_time_pass(self, client: Client, seconds: float) -> None:
        """Let the wall clock of a client's machine jump."""
        (self.folder / client.machine / _CLOCK).write_text(str(seconds))


def trial(seed: int, folder: Path, messages: MessagesServer, supabase: Supabase, mutant: str = "") -> Verdict:
    """Do one trial in an empty folder, and judge it."""
    dangers, verdict = Dangers.draw(seed), Verdict(seed)
    stage = Stage(folder, messages, supabase, dangers, random.Random(f"moments {seed}"), verdict, mutant)
    messages.reset()
    supabase.reset()
    messages.control(latency_ms=dangers.latency_ms, watch=[str(stage.state("here")), str(stage.state("there"))])
    supabase.watch(stage.state("here"), stage.state("there"))
    for life in dangers.lives:
        messages.faults(*dangers.model)
        supabase.faults(*dangers.database)
        with _writable_or_not(stage, life):
            _live(stage, life)
    messages.faults()
    supabase.faults()
    _finish(stage)
    judge(_evidence(stage), verdict)
    return verdict


def _evidence(stage: Stage) -> Evidence:
    return gather(stage.messages, stage.supabase, stage.clients, [stage.state("here"), stage.state("there")])


def _finish(stage: Stage) -> None:
    """Run to the end in fair weather; what an earlier life had refused is asked for again.

    A killed life may leave a text that nobody has judged. If it is the last one that its item is granted and the gates
    refuse it, the run says so and ends with 6; the next one asks again.
    """
    client, ended = _run_again(stage)
    if ended.code == _SOME_REJECTED and client.events[-1].get("rejected"):
        stage.verdict.met["rejected at last, asked for again"] += 1
        client, ended = _run_again(stage)
    last = client.events[-1] if client.events else {}
    stage.verdict.require(ended.code == 0, f"the last run ended with {ended.code}: {last} {ended.err[-500:]}")


def _run_again(stage: Stage) -> tuple[Client, Ended]:
    client, running = stage.start(None, more=("--refresh", "rejected", "--wait-lock", "60"))
    return client, stage.end(client, running)


def _live(stage: Stage, life: Life) -> None:
    """Start, let it come somewhere, and let its end come."""
    stage.verdict.met[life.ending] += 1
    if life.hardship:
        stage.verdict.met[life.hardship] += 1
    client, running = stage.start(life)
    if life.ending == "three starts":
        client, running = _race(stage, life, (client, running))
    _let_work(stage, life, client, running)
    if running.process.poll() is not None:
        stage.verdict.met["over before that"] += 1
    else:
        _ENDINGS[life.ending](stage, client, running)
    stage.end(client, running)
    if life.torn and client.killed:
        _tear(stage, life.torn)


def _let_work(stage: Stage, life: Life, client: Client, running: Running) -> None:
    for number in range(life.events):
        if running.next_event() is None:
            return
        if number == life.events // 2 and client.hardship == "clock jumps":
            stage.let_time_pass(client, stage.dice.choice(_JUMPS))
    time.sleep(life.pause)  # the moment is what is random; nothing is waited for


def _race(stage: Stage, life: Life, first: tuple[Client, Running]) -> tuple[Client, Running]:
    """Start two more at once; return the one that works, when the others have been refused."""
    racers = [first, stage.start(life), stage.start(life)]
    while len(racers) > 1:
        over = [one for one in racers if one[1].process.poll() is not None]
        for client, running in over:
            stage.end(client, running)
            racers.remove((client, running))
            stage.verdict.met["start refused"] += client.code == _LOCKED
        if not racers:  # none of them could work, for another reason than the lock
            return stage.start(life)
        if not over:
            time.sleep(0.01)
    return racers[0]


def _kill(stage: Stage, client: Client, running: Running) -> None:
    client.killed = True
    running.send(signal.SIGKILL)


def _terminate(stage: Stage, client: Client, running: Running) -> None:
    client.stopped = True
    running.send(signal.SIGTERM)


def _terminate_twice(stage: Stage, client: Client, running: Running) -> None:
    client.stopped = client.killed = True
    running.send(signal.SIGTERM)
    time.sleep(stage.dice.choice((0, 0.05)))
    running.send(signal.SIGTERM)


def _freeze(stage: Stage, client: Client, running: Running) -> None:
    running.send(signal.SIGSTOP)
    time.sleep(0.2)  # long enough for answers to arrive at a process that does not look
    running.send(signal.SIGCONT)
    _kill(stage, client, running)


def _start_second(stage: Stage, client: Client, running: Running) -> None:
    second, beside = stage.start(None)
    stage.end(second, beside)
    stage.verdict.met["start refused"] += second.code == _LOCKED
    _kill(stage, client, running)


def _leave_alone(stage: Stage, client: Client, running: Running) -> None:
    """Let it come to its own end."""


def _delete_lock_file(stage: Stage, client: Client, running: Running) -> None:
    for lock in stage.state(client.machine).glob("targets/*/lock"):
        lock.unlink()
    client.robbed = True


def _steal_lease(stage: Stage, client: Client, running: Running) -> None:
    client.robbed = True
    stage.supabase.sql(
        "update public.seed_library_lease set token = token + 1, holder = 'a thief', "
        "expires_at = clock_timestamp() + interval '1 second' where holder is not null"
    )


def _let_another_machine_work(stage: Stage, client: Client, running: Running) -> None:
    """Freeze it past its lease, let another machine finish, and wake it up."""
    running.send(signal.SIGSTOP)
    client.robbed = True
    stage.supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")
    other, working = stage.start(None, machine="there")
    stage.end(other, working)
    stage.let_time_pass(client, _PAST_THE_LEASE)
    running.send(signal.SIGCONT)


_LOCKED = 5
_SOME_REJECTED = 6
_ENDINGS = {
    "kill": _kill,
    "term": _terminate,
    "term twice": _terminate_twice,
    "freeze": _freeze,
    "second start": _start_second,
    "three starts": _kill,
    "end": _leave_alone,
    "lock file deleted": _delete_lock_file,
    "lease stolen": _steal_lease,
    "other machine": _let_another_machine_work,
}


@contextmanager
def _writable_or_not(stage: Stage, life: Life) -> Iterator[None]:
    """Take the right to write away from the state folder, where the life wants it so."""
    folders = [stage.state("here"), *stage.state("here").rglob("*/")] if life.hardship == "read-only state" else []
    folders = [folder for folder in folders if folder.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o700)


def _tear(stage: Stage, length: int) -> None:
    """Leave half a line at the end of the journal, as a power cut does."""
    for journal in journals_in(stage.state("here")):
        with journal.open("ab") as file:
            file.write(_TORN[:length])
        stage.verdict.met["journal torn"] += 1
