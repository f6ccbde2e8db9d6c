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
from pathlib import Path

from processes.program import Ended, Running
from servers.eavesdropper import Eavesdropper
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.dangers import Dangers, Life
from chaos.evidence import Client, Evidence, gather, journals_in
from chaos.invariants import judge
from chaos.people import Company, Surroundings
from chaos.stage import Stage
from chaos.tables import be_quick, refusing, watched_table
from chaos.verdict import Verdict

_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
_SETTINGS_WRONG = 3
_TORN = b'0badc0de {"kind":"paid","run":"x","item"'
_JUMPS = (-86_400.0, 3_600.0, 86_400.0)
_PAST_THE_LEASE = 100.0
_ASLEEP = 135.0
_STANDS_STILL_AFTER = 3_000  # looks, of a hundredth of a second
_AWAY = {"database away": 2.0, "database long away": 20.0}  # seconds


def trial(seed: int, folder: Path, messages: MessagesServer, supabase: Supabase, mutant: str = "") -> Verdict:
    """Do one trial in an empty folder, and judge it."""
    dangers, verdict = Dangers.draw(seed), Verdict(seed)
    around = Surroundings.draw(seed, len(dangers.lives))
    with Eavesdropper(_FORBIDDEN) as eavesdropper:
        moments = random.Random(f"moments {seed}")
        stage = Stage(folder, messages, supabase, eavesdropper, dangers, moments, verdict, mutant)
        _play(stage, around)
    _count(around, verdict)
    return verdict


def _play(stage: Stage, around: Surroundings) -> None:
    """Live all lives, run to the end, and judge what was seen."""
    messages, supabase, dangers = stage.messages, stage.supabase, stage.dangers
    messages.reset()
    supabase.reset()
    watched = [str(stage.state("here")), str(stage.state("there"))]
    messages.control(latency_ms=dangers.latency_ms, varied=True, watch=watched)
    messages.control(requests_per_minute=dangers.per_minute)
    supabase.watch(stage.state("here"), stage.state("there"))
    with watched_table(supabase, around.key_type, around.slowness):
        for life, company in zip(dangers.lives, around.company, strict=True):
            _live_in_company(stage, life, company, around)
        messages.faults()
        supabase.faults()
        be_quick(supabase)
        _mislead(stage)
        _finish(stage, around)
        judge(_evidence(stage, around), stage.verdict)


def _mislead(stage: Stage) -> None:
    """Set both addresses to plain http elsewhere: refused as settings, and nothing is sent."""
    ended = stage.misled()
    stage.verdict.require(ended.code == _SETTINGS_WRONG, f"I9: misled, it ended with {ended.code}: {ended.out[-500:]}")


def _count(around: Surroundings, verdict: Verdict) -> None:
    verdict.met["trials with a person"] += around.person
    verdict.met["trials on a slow table"] += around.slowness is not None
    verdict.met[f"trials with keys of type {around.key_type}"] += 1


def _evidence(stage: Stage, around: Surroundings) -> Evidence:
    states = [stage.state("here"), stage.state("there")]
    overheard = stage.eavesdropper.requests
    return gather(stage.messages, stage.supabase, stage.clients, states, person=around.person, overheard=overheard)


def _finish(stage: Stage, around: Surroundings) -> None:
    """Run to the end in fair weather; what an earlier life had refused is asked for again.

    A killed life may leave a text that nobody has judged. If it is the last one that its item is granted and the gates
    refuse it, the run says so and ends with 6; the next one asks again. It ends with 6 as well where a text waits for a
    row that a person has written meanwhile: that stays, and the person decides.
    """
    client, ended = _run_again(stage)
    if ended.code == _SOME_FAILED and client.last.get("rejected"):
        stage.verdict.met["rejected at last, asked for again"] += 1
        client, ended = _run_again(stage)
    waits = around.person and ended.code == _SOME_FAILED and client.last.get("conflicts")
    done = ended.code == 0 or (waits and not client.last.get("rejected") and not client.last.get("failed"))
    stage.verdict.met["ended with texts that wait for a person"] += bool(waits)
    stage.verdict.require(bool(done), f"the last run ended with {ended.code}: {client.last} {ended.err[-500:]}")


def _run_again(stage: Stage) -> tuple[Client, Ended]:
    client, running = stage.start(None, more=("--refresh", "rejected", "--wait-lock", "60"))
    return client, stage.end(client, running)


def _live_in_company(stage: Stage, life: Life, company: Company, around: Surroundings) -> None:
    """Live a life with what happens in the table meanwhile, and with what comes after it."""
    stage.messages.faults(*stage.dangers.model)
    stage.supabase.faults(*stage.person.ready_for(company), *stage.dangers.database)
    refused = frozenset(company.refused_of(stage.catalog))
    allowed = stage.catalog - refused
    with refusing(stage.supabase, around.key_type, refused, allowed), _writable_or_not(stage, life):
        stage.company, stage.refused = company, refused
        stage.surely = around.slowness is None or not allowed
        stage.verdict.met["lives that replace all texts"] += company.refresh
        stage.verdict.met["lives with a table that refuses rows"] += bool(refused)
        _live(stage, life)
        stage.company, stage.refused = None, frozenset()
    for deed in company.between:
        stage.person.do(deed)
    if company.pruning:
        _prune(stage, company)


def _prune(stage: Stage, company: Company) -> None:
    """Make rows that no catalog asks for, and start to remove them."""
    stage.supabase.faults(*stage.person.keep_odd_ones(stage.dice))
    client, running = stage.start_pruning()
    if company.pruning == "kill":
        time.sleep(company.pause)  # the moment is what is random; nothing is waited for
        _kill(stage, client, running)
    stage.end(client, running)
    stage.verdict.met[f"prunings that ended with {client.code}"] += 1


def _live(stage: Stage, life: Life) -> None:
    """Start, let it come somewhere, and let its end come."""
    stage.verdict.met[life.ending] += 1
    if life.hardship:
        stage.verdict.met[life.hardship] += 1
    client, running = stage.start(life)
    if life.ending == "three starts":
        client, running = _race(stage, life, (client, running))
    if client.unread:
        _let_end_unread(client, running)
    else:
        _let_work(stage, life, client, running)
    if running.process.poll() is not None:
        stage.verdict.met["over before that"] += 1
    else:
        _ENDINGS[life.ending](stage, client, running)
    stage.end(client, running)
    if life.torn and client.killed:
        _tear(stage, life.torn)


def _let_work(stage: Stage, life: Life, client: Client, running: Running) -> None:
    acts = stage.company.acts if stage.company else ()
    for number in range(life.events):
        if running.next_event() is None:
            return
        for deed in (deed for after, deed in acts if after == number + 1):
            stage.person.do(deed)
        if number == life.events // 2:
            _let_something_happen(stage, client)
    time.sleep(life.pause)  # the moment is what is random; nothing is waited for


def _let_something_happen(stage: Stage, client: Client) -> None:
    """Let the hardship of a life come in the middle of it."""
    if client.hardship == "clock jumps":
        stage.let_time_pass(client, stage.dice.choice(_JUMPS))
    if client.hardship in _AWAY:
        stage.supabase.away(_AWAY[client.hardship])


def _let_end_unread(client: Client, running: Running) -> None:
    """Wait for its end without reading; a life takes a second or two, and some more where the table is slow or away."""
    for _ in range(_STANDS_STILL_AFTER):
        if running.process.poll() is not None:
            return
        time.sleep(0.01)
    client.stood_still = True


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


def _close_lid(stage: Stage, client: Client, running: Running) -> None:
    """Stop it, let what is in flight be answered, and wake it up later than any of its limits."""
    running.send(signal.SIGSTOP)
    time.sleep(0.2)  # long enough for answers to arrive at a process that does not look
    stage.let_time_pass(client, _ASLEEP)
    running.send(signal.SIGCONT)


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
_SOME_FAILED = 6
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
    "closed lid": _close_lid,
    "unread pipe": _leave_alone,
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
