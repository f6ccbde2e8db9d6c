"""Batches under fire: runs that are killed at random moments or lose answers, then go on; judged by the servers.

`nox -s chaos -- batches --trials N --seed S` runs many of them. One trial: an empty library, a run in batch mode with
the dangers that its seed draws, killed with -9 once to three times, then a run to the end. In one of four trials the
state folder is gone after each kill, as if another machine went on. What has to hold:

- every item has its row, and the last run ends with 0;
- no request of a batch is billed a second time, be it in another batch or as a message;
- every text that was billed is in the table, or gave way to another billed text of the same item.

Where a month passes before the last run, the results of the batches are gone: what was in them may be asked for again.
A run with a key of another workspace in between changes nothing of what has to hold.

The dangers begin with the canary, which is an ordinary message: what can happen to those is measured elsewhere.
"""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from processes.program import Running
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.evidence import ITEMS
from chaos.starting import Forking, Hardship
from chaos.verdict import Verdict

_BATCHES = "/v1/messages/batches"
_SETTINGS = {"SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05", "SEED_LIBRARY_BATCH_GRACE_SECONDS": "1"}
_COMMAND = ("run", "--json", "--mode", "batch", *ITEMS)
_OTHER_KEY = "sk-ant-test-of-another-workspace"
_ROWS = 60
_LONGEST_DELAY = 0.35  # seconds after the canary; a run is over in about that time when nothing happens


@dataclass(frozen=True, slots=True)
class Dangers:
    """What a trial draws."""

    kills: int
    empty_state: bool
    lost_answer: str
    polls: int
    hidden: int
    outcomes: list[dict[str, int | str]]
    broken_results: int
    store_faults: int
    other_key: bool
    archived: bool
    slow_results: bool

    @classmethod
    def draw(cls, seed: int) -> Dangers:
        """Draw them from a seed."""
        dice = random.Random(seed)
        outcomes = [
            {"type": dice.choice(("errored", "expired", "canceled")), "times": dice.randint(1, 5)}
            for _ in range(dice.randint(0, 2))
        ]
        return cls(
            kills=dice.randint(1, 3),
            lost_answer=dice.choice(("", "", "after", "before")),
            polls=dice.randint(0, 6),
            hidden=dice.choice((0, 0, 1, 2)),
            outcomes=outcomes,
            broken_results=dice.choice((0, 0, 1)),
            store_faults=dice.choice((0, 0, 2)),
            empty_state=dice.random() < 1 / 4,
            other_key=dice.random() < 1 / 5,
            archived=dice.random() < 1 / 10,
            slow_results=dice.random() < 1 / 5,
        )


def trial(seed: int, folder: Path, messages: MessagesServer, supabase: Supabase, mutant: str = "") -> Verdict:
    """Do one trial in an empty folder, and judge it."""
    dangers, dice = Dangers.draw(seed), random.Random(f"moments {seed}")
    verdict = Verdict(seed)
    settings = {**messages.environment, **supabase.environment, **_SETTINGS}
    program = Forking(folder, settings, Hardship(mutant=mutant))
    folder.mkdir(parents=True, exist_ok=True)
    _prepare(dangers, messages, supabase)
    for _ in range(dangers.kills):
        run = program.start(*_COMMAND)
        _kill_at_random(run, dice, verdict)
        if dangers.empty_state:
            shutil.rmtree(program.state, ignore_errors=True)
            supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")
            verdict.met["went on with an empty state folder"] += 1
    supabase.faults()
    if dangers.other_key:
        other = program.run(*_COMMAND, ANTHROPIC_API_KEY=_OTHER_KEY)
        verdict.met[f"went on with a key of another workspace, and ended with {other.code}"] += 1
    gone = _let_a_month_pass(messages, verdict) if dangers.archived else set()
    last = program.run(*_COMMAND)
    _judge(verdict, last.code, gone, messages, supabase)
    if last.code:
        verdict.violations.append((last.out.splitlines() or [""])[-1][-600:] + last.err[-600:])
    return verdict


def _let_a_month_pass(messages: MessagesServer, verdict: Verdict) -> set[str]:
    """Archive every batch; return the prompts of which nobody can know any more that they were answered."""
    messages.control(archive_batches=True)
    verdict.met["trials in which a month passes"] += 1
    return {entry["prompt"] for entry in messages.billed() if "batch" in entry}


def _prepare(dangers: Dangers, messages: MessagesServer, supabase: Supabase) -> None:
    messages.reset()
    supabase.reset()
    messages.control(
        batch_polls=dangers.polls, batch_hidden=dangers.hidden, batch_outcomes=dangers.outcomes, latency_ms=5
    )
    messages.control(workspaces={_OTHER_KEY: "wrkspc_another"})
    faults: list[dict[str, object]] = []
    if dangers.lost_answer:
        faults.append({"path": _BATCHES, "method": "POST", "drop": dangers.lost_answer})
    if dangers.broken_results:
        faults.append({"path": f"{_BATCHES}/msgbatch_", "method": "GET", "skip": 1 + dangers.polls, "truncate": True})
    if dangers.slow_results:
        faults.append({"path": f"{_BATCHES}/msgbatch_", "method": "GET", "times": 3, "dribble_ms": 400})
    messages.faults(*faults)
    if dangers.store_faults:
        match = "POST /rest/v1/rpc/seed_library_store"
        supabase.faults({"match": match, "skip": 1, "times": dangers.store_faults, "status": 503})


def _kill_at_random(run: Running, dice: random.Random, verdict: Verdict) -> None:
    """Kill it somewhere between its canary and its end: after some events, or after some time."""
    while event := run.next_event():
        if event["event"] in {"canary", "batch_submitted", "batch_waiting", "batch_collected", "rows_stored"}:
            break
    if dice.random() < 1 / 2:
        for _ in range(dice.choice((0, 1, 2, 5, 20, 40, 60, 65))):
            if run.next_event() is None:
                break
    else:
        time.sleep(dice.uniform(0, _LONGEST_DELAY))  # the moment is what is random; nothing is waited for
    run.kill()
    last = [one["event"] for one in run.events][-1:] or ["nothing"]
    verdict.met[f"killed after {last[0]}"] += 1


def _judge(verdict: Verdict, code: int, gone: set[str], messages: MessagesServer, supabase: Supabase) -> None:
    messages.control(end_batches=True)  # what nobody looks at any more is done and billed all the same
    billed = messages.billed()
    in_batches = {entry["prompt"] for entry in billed if "batch" in entry} - gone
    twice = [prompt for prompt, times in Counter(entry["prompt"] for entry in billed).items() if times > 1]
    stored = {row["description"] for row in supabase.sql("select description from public.content_library")}
    if code != 0:
        verdict.violations.append(f"the last run ended with {code}")
    if supabase.count() != _ROWS:
        verdict.violations.append(f"{supabase.count()} rows")
    if again := [prompt for prompt in twice if prompt in in_batches]:
        verdict.violations.append(f"{len(again)} requests billed twice")
    if lost := [one for one in billed if one["text"] not in stored and one["prompt"] not in {*twice, *gone}]:
        verdict.violations.append(f"{len(lost)} billed texts are not in the table")
    creations = [one for one in messages.log(_BATCHES) if one["method"] == "POST"]
    verdict.met["batches created"] += len(creations)
