"""Messages under fire: runs that are killed, stopped and frozen, with a bad network, a bad database and torn journals.

`nox -s chaos -- messages --trials N --seed S` runs many of them. One trial: an empty library, one to four starts with
the dangers that its seed draws, then a run to the end in fair weather. What has to hold, judged by the servers:

- every item has its row, and the last run ends with 0;
- what is in the table was billed, and what was billed once is in the table: no paid text is lost;
- what was billed more than once is no more than what the journal announces as "may have been billed";
- a second start never works beside a living one.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from processes.program import Program, Running
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.batch_kills import Verdict
from seed_library.adapters.journal_lines import Damage, records

_STORE = "POST /rest/v1/rpc/seed_library_store"
_Fault = dict[str, object]
_ENDINGS = ("kill", "kill", "kill", "term", "freeze", "second start")
_HARMLESS: tuple[_Fault, ...] = (
    {"status": 429, "headers": {"retry-after": "0"}},
    {"status": 529},
    {"delay_ms": 60},
    {"drop": "before"},
)
_DOUBTFUL: tuple[_Fault, ...] = (
    {"status": 500},
    {"drop": "after"},
    {"truncate": True},
    {"body": "<html>gateway</html>"},
)
_DATABASE: tuple[_Fault, ...] = ({"status": 503}, {"drop": True}, {"drop": True, "after": True}, {"status": 500})


@dataclass(frozen=True, slots=True)
class Dangers:
    """What a trial draws."""

    endings: tuple[str, ...]
    faults: list[dict[str, object]]
    database: list[dict[str, object]]
    torn: bool
    concurrency: int

    @classmethod
    def draw(cls, seed: int) -> Dangers:
        """Draw them from a seed."""
        dice = random.Random(seed)
        chosen = [*dice.sample(_HARMLESS, dice.randint(0, 3)), *dice.sample(_DOUBTFUL, dice.randint(0, 2))]
        return cls(
            endings=tuple(dice.choices(_ENDINGS, k=dice.randint(1, 4))),
            faults=[{**fault, "probability": dice.uniform(0.005, 0.04)} for fault in chosen],
            database=[
                {"match": _STORE, "skip": dice.randint(1, 6), "times": dice.randint(1, 3), **fault}
                for fault in dice.sample(_DATABASE, dice.randint(0, 2))
            ],
            torn=dice.random() < 1 / 3,
            concurrency=dice.choice((1, 4, 8, 16)),
        )


def trial(seed: int, folder: Path, messages: MessagesServer, supabase: Supabase) -> Verdict:
    """Do one trial in an empty folder, and judge it."""
    dangers, dice, verdict = Dangers.draw(seed), random.Random(f"moments {seed}"), Verdict(seed)
    program = Program(folder, {**messages.environment, **supabase.environment})
    folder.mkdir(parents=True, exist_ok=True)
    messages.reset()
    supabase.reset()
    messages.control(latency_ms=dice.choice((5, 20, 40)))
    command = ("run", "--json", "--concurrency", str(dangers.concurrency))
    for ending in dangers.endings:
        messages.faults(*dangers.faults)
        supabase.faults(*dangers.database)
        run = program.start(*command)
        _let_work(run, dice)
        _end(ending, run, program, verdict)
        if dangers.torn and ending == "kill":
            _tear(program, dice, verdict)
    messages.faults()
    supabase.faults()
    last = program.run(*command)
    if last.code:
        verdict.violations.append(f"the last run ended with {last.code}: {last.out[-400:]} {last.err[-400:]}")
    _judge(verdict, program, messages, supabase)
    return verdict


def _let_work(run: Running, dice: random.Random) -> None:
    """Let a run come somewhere: to a random event, or a little further in time."""
    for _ in range(dice.choice((0, 2, 5, 20, 60, 150, 400))):
        if run.next_event() is None:
            return
    if dice.random() < 1 / 2:
        time.sleep(dice.uniform(0, 0.3))  # the moment is what is random; nothing is waited for


def _end(ending: str, run: Running, program: Program, verdict: Verdict) -> None:
    verdict.met[ending] += 1
    if run.process.poll() is not None:
        verdict.met["over before that"] += 1
        run.end()
        return
    if ending == "second start":
        second = program.run("run", "--json")
        if second.code == 5:
            verdict.met["second start refused"] += 1
        elif run.process.poll() is None:
            verdict.violations.append(f"a second start ended with {second.code} beside a living run")
    if ending == "freeze":
        run.send(signal.SIGSTOP)
        time.sleep(0.2)  # long enough for answers to arrive at a process that does not look
        run.send(signal.SIGCONT)
    if ending == "term":
        run.send(signal.SIGTERM)
        code = run.end().code
        begun = bool(run.events)  # before that, the process has not even said how it wants to be stopped
        if code not in {0, 4, 6, 8} and (begun or code != -signal.SIGTERM):
            verdict.violations.append(f"SIGTERM ended a run with {code}")
        return
    run.kill()


def _tear(program: Program, dice: random.Random, verdict: Verdict) -> None:
    """Leave half a line at the end of the journal, as a power cut does."""
    for journal in program.state.glob("targets/*/journal.jsonl"):
        with journal.open("ab") as file:
            file.write(b'0badc0de {"kind":"paid","run":"x"'[: dice.randint(1, 33)])
        verdict.met["journal torn"] += 1


def _judge(verdict: Verdict, program: Program, messages: MessagesServer, supabase: Supabase) -> None:
    billed = messages.billed()
    times = Counter(entry["prompt"] for entry in billed)
    stored = {row["description"] for row in supabase.sql("select description from public.content_library")}
    if supabase.count() != 180:
        verdict.violations.append(f"{supabase.count()} rows")
    if strange := stored - {entry["text"] for entry in billed}:
        verdict.violations.append(f"{len(strange)} stored texts were never billed")
    lost = [entry for entry in billed if times[entry["prompt"]] == 1 and entry["text"] not in stored]
    if lost:
        verdict.violations.append(f"{len(lost)} paid texts are not in the table")
    twice = sum(count - 1 for count in times.values())
    announced = _announced(program)
    if twice > announced:
        verdict.violations.append(f"{twice} requests billed again, {announced} announced")
    verdict.met["billed again, announced"] += twice


def _announced(program: Program) -> int:
    """Count what the journal says may have been billed without an answer."""
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    found = records(journal, Damage())
    return sum(record["kind"] == "failed" and record["billed"] == "maybe" for _, record in found)
