"""kill -9 at random moments: nothing paid is lost, and hardly anything is paid twice.

Checked from the servers' side: what was billed is compared with the journal and the table.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

from seed_library.adapters.journal_lines import Damage, records
from seed_library.core.drafts import text_of

KILLS = 12
CONCURRENCY = 4
SEED = 20261125


@pytest.mark.timeout(900)  # a guard against hanging, not a measure: a dozen starts take long on a busy machine
def test_a_dozen_kills_lose_no_paid_text_and_leave_a_whole_library(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Every start goes on where the killed one was."""
    messages.control(latency_ms=40)
    dice = random.Random(SEED)
    for _ in range(KILLS):
        run = program.start("run", "--json", "--concurrency", str(CONCURRENCY))
        for _ in range(dice.randint(0, 28)):
            if run.next_event() is None:
                break
        run.kill()
    last = program.run("run", "--json", "--concurrency", str(CONCURRENCY))
    assert last.code == 0, last.err
    assert supabase.count() == 180

    written = _journal(program)
    billed = messages.billed()
    kept = {text_of(record["message"]) for record in written if record["kind"] == "paid"}
    uncertain = [record for record in written if record["kind"] == "failed" and record["billed"] == "maybe"]
    assert uncertain, "some kill has met a request in flight, or this test proves nothing"
    lost = [text for text in billed if text["text"] not in kept]
    assert len(billed) - len([record for record in written if record["kind"] == "paid"]) <= len(uncertain)
    assert len(lost) == 0, "at the end every prompt's text is in the journal"
    twice = sum(times - 1 for times in Counter(text["prompt"] for text in billed).values())
    assert twice <= KILLS * CONCURRENCY
    assert twice <= len(uncertain)
    stored = {row["description"] for row in supabase.sql("select description from public.content_library")}
    assert stored <= kept


def test_a_text_that_was_paid_before_the_kill_is_stored_by_the_next_run_for_nothing(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The database is down while texts arrive; then the process is killed; then everything is well again."""
    run = program.start("run", "--json", "--limit", "12", "--concurrency", "4")
    assert run.wait_for("canary")
    supabase.faults({"match": "POST /rest/v1/rpc/seed_library_store", "times": 1000, "status": 503})
    assert run.wait_for("paid", 11)
    run.kill()
    supabase.faults()
    assert supabase.count() < 12

    status = program.run("status", "--json").document
    assert status["state"] == "interrupted"
    ended = program.run("run", "--json", "--limit", "12")
    assert ended.code == 0
    assert supabase.count() == 12
    prompts = Counter(entry["prompt"] for entry in messages.log())
    assert set(prompts.values()) == {1}


def _journal(program: Program) -> list[dict[str, Any]]:
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    damage = Damage()
    found = [record for _, record in records(journal, damage)]
    assert not damage.lines
    return found
