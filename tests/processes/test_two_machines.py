"""Two machines, one database: two state directories that know nothing of each other, and the lease between them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from processes.program import Ended, Program
from servers.processes import MessagesServer
from servers.supabase import GRANTS, ORIGINAL_TABLE, PROVENANCE, Supabase

from seed_library.adapters.journal_lines import Damage, records
from seed_library.core.drafts import text_of

RACES = int(os.environ.get("SEED_TEST_RACES", "4"))
STARTS = int(os.environ.get("SEED_TEST_STARTS", "8"))
RUN = ("run", "--json", "--limit", "16", "--concurrency", "4")
ENDLESS_MS = 600_000


@pytest.fixture
def elsewhere(tmp_path: Path, program: Program) -> Program:
    """Another machine with the same settings: its state directory is its own."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Program(folder, program.settings)


def test_a_run_on_another_machine_is_named_and_nothing_is_changed(
    program: Program, elsewhere: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """`run` is refused, `check` fails, `plan` tells; all name host and pid. The stopped run gives its lease back."""
    messages.control(latency_ms=400)
    first = program.start("run", "--json", "--concurrency", "2")
    assert first.wait_for("canary")
    refused = elsewhere.run(*RUN)
    named = f"pid {first.pid} on {socket.gethostname()}, `seed-library run`"
    assert (refused.code, refused.error["code"]) == (5, "locked")
    assert named in refused.error["message"]
    assert refused.document["requests"] == 0
    check = elsewhere.run("check", "--json")
    (lease,) = [one for one in check.document["checks"] if one["name"] == "lease"]
    assert (check.code, lease["ok"]) == (5, False)
    assert named in lease["message"] == check.document["error"]["message"]
    assert any(named in note for note in elsewhere.run("plan", "--json").document["notes"])
    first.send(signal.SIGTERM)
    assert first.end().code == 8
    assert not _lease(supabase)["held"]
    messages.control(latency_ms=0)
    assert elsewhere.run(*RUN).code == 0


def test_a_machine_that_froze_past_its_lease_writes_nothing_more(
    program: Program, elsewhere: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The other takes over; the thawed one ends; what it paid for waits in its journal, for when it is wanted."""
    messages.control(latency_ms=300)
    first = program.start(*RUN)
    assert first.wait_for("paid", 6)
    first.send(signal.SIGSTOP)
    supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")
    second = elsewhere.run(*RUN)
    assert (second.code, supabase.count()) == (0, 16), second.err
    before = _rows(supabase)
    first.send(signal.SIGCONT)
    thawed = first.end()
    assert (thawed.code, thawed.error["code"]) == (4, "lease_lost")
    assert _rows(supabase) == before
    assert _lease(supabase)["token"] == 2

    paid = {tuple(record["item"]): text_of(record["message"]) for record in _journal(program, "paid")}
    stored = {tuple(item[:3]) for record in _journal(program, "stored") for item in record["items"]}
    waiting = {item: text for item, text in paid.items() if item not in stored}
    assert waiting, "it was frozen with requests in flight"
    for _, key, _ in waiting:
        supabase.sql(f"delete from public.content_library where key = '{key}'")
    asked = len(messages.log())
    again = program.run(*RUN)
    assert (again.code, again.document["recovered"], again.document["requests"]) == (0, len(waiting), 0)
    assert len(messages.log()) == asked
    texts = {row["key"]: row["description"] for row in _rows(supabase)}
    assert {texts[key] for _, key, _ in waiting} == set(waiting.values())


def test_a_dead_machine_is_unlocked_by_naming_its_token_and_not_otherwise(
    program: Program, elsewhere: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Until then the other is refused; the local lock has nothing to do with it."""
    messages.control(latency_ms=300)
    first = program.start(*RUN)
    assert first.wait_for("canary")
    first.kill()
    messages.control(latency_ms=0)
    refused = elsewhere.run(*RUN)
    assert refused.code == 5
    assert "unlock --token 1" in refused.error["hint"]
    shown = elsewhere.run("unlock", "--json")
    assert (shown.code, shown.document["held"], shown.document["token"]) == (0, True, 1)
    assert shown.document["holder"]["pid"] == first.pid
    wrong = elsewhere.run("unlock", "--json", "--token", "7")
    assert (wrong.code, wrong.error["code"], _lease(supabase)["held"]) == (5, "locked", True)
    broken = elsewhere.run("unlock", "--token", "1")
    assert broken.code == 0
    assert "Broken" in broken.out
    assert not _lease(supabase)["held"]
    assert "Nobody holds" in elsewhere.run("unlock", "--token", "1").out
    assert elsewhere.run(*RUN).code == 0


def test_the_next_run_on_the_machine_of_a_killed_one_starts_at_once(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The kernel's lock proves that the killed run is dead; its lease is no obstacle."""
    messages.control(latency_ms=200)
    first = program.start(*RUN)
    assert first.wait_for("canary")
    first.kill()
    assert _lease(supabase)["held"]
    check = program.run("check", "--json")
    (lease,) = [one for one in check.document["checks"] if one["name"] == "lease"]
    assert (check.code, lease["ok"]) == (0, True)
    assert (program.run(*RUN).code, _lease(supabase)["token"]) == (0, 2)


def test_of_many_starts_on_two_machines_one_runs(
    program: Program, elsewhere: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The winner is kept busy until every other start has been refused; SEED_TEST_RACES asks for more races."""
    for race in range(1, RACES + 1):
        messages.reset()
        messages.control(latency_ms=ENDLESS_MS)
        starts = [(program, elsewhere)[number % 2].start(*RUN) for number in range(STARTS)]
        with ThreadPoolExecutor(STARTS) as pool:
            ends = [pool.submit(start.end) for start in starts]
            refused = _all_but_one(ends)
            (winner,) = [start for start, end in zip(starts, ends, strict=True) if not end.done()]
            assert [end.code for end in refused] == [5] * (STARTS - 1)
            lease = _lease(supabase)
            assert (lease["held"], lease["token"], lease["info"]["pid"]) == (True, race, winner.pid)
            winner.send(signal.SIGKILL)
        assert len(messages.log()) <= 1
        supabase.sql("update public.seed_library_lease set holder = null, expires_at = null")


def _all_but_one(ends: list[Any]) -> list[Ended]:
    """Wait until one process is left, and return how the others ended."""
    from concurrent.futures import as_completed

    ended: list[Ended] = []
    for end in as_completed(ends):
        ended.append(end.result())
        if len(ended) == len(ends) - 1:
            break
    return ended


def test_without_the_functions_a_run_says_that_other_machines_are_not_seen(
    program: Program, project: Callable[..., Supabase]
) -> None:
    """In `check`, `plan` and `run`; and where the lease is required, that is refused before anything is paid."""
    bare = project(ORIGINAL_TABLE, GRANTS, PROVENANCE)
    check = program.run("check", "--json", **bare.environment)
    (lease,) = [one for one in check.document["checks"] if one["name"] == "lease"]
    assert (check.code, lease["ok"]) == (0, True)
    assert "no lease functions" in lease["message"]
    plan = program.run("plan", "--json", **bare.environment)
    assert any("no lease functions" in note for note in plan.document["notes"])
    strict = {**bare.environment, "SEED_LIBRARY_REQUIRE_LEASE": "true"}
    for verb in ("check", "run"):
        ended = program.run(verb, "--json", "--limit", "1", **strict)
        assert ended.code == 4
        assert "SEED_LIBRARY_REQUIRE_LEASE" in ended.error["message"]
    assert bare.count() == 0
    run = program.run("run", "--json", "--limit", "1", **bare.environment)
    assert (run.code, bare.count()) == (0, 1)
    assert any("no lease functions" in event.get("message", "") for event in run.documents)
    assert program.run("unlock", "--json", **bare.environment).code == 4


def test_a_file_has_no_lease_to_unlock(offline: Program) -> None:
    """Usage: its lock is the kernel's."""
    ended = offline.run("unlock", "--json", "--store", "sqlite:library.db")
    assert (ended.code, ended.error["code"]) == (2, "usage")


def _lease(project: Supabase) -> dict[str, Any]:
    found: dict[str, Any] = project.sql("select public.seed_library_peek('public.content_library') as lease")[0][
        "lease"
    ]
    return found


def _rows(project: Supabase) -> list[dict[str, Any]]:
    return project.sql("select * from public.content_library order by category, key")


def _journal(program: Program, kind: str) -> list[dict[str, Any]]:
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    return [record for _, record in records(journal, Damage()) if record["kind"] == kind]


def test_one_stale_answer_about_the_functions_does_not_let_a_second_machine_in(
    program: Program, elsewhere: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """That the functions are missing is asked a second time before it is believed."""
    messages.control(latency_ms=ENDLESS_MS)
    first = program.start(*RUN)
    while not messages.log():
        assert first.process.poll() is None
    stale = '{"code": "PGRST202", "message": "no such function", "details": null, "hint": null}'
    headers = {"content-type": "application/json"}
    supabase.faults(
        {"match": "POST /rest/v1/rpc/seed_library_acquire", "status": 404, "body": stale, "headers": headers}
    )
    assert elsewhere.run(*RUN).code == 5
    assert len(messages.log()) == 1
    first.kill()


def test_a_trigger_that_drops_rows_is_noticed(program: Program, supabase: Supabase) -> None:
    """Before anything is paid: the row that would be missing is named."""
    supabase.sql(
        "create function public.dropper() returns trigger language plpgsql as "
        "$$ begin if new.key = 'yin_wood_ox' then return null; end if; return new; end $$"
    )
    supabase.sql(
        "create trigger dropper before insert on public.content_library for each row execute function public.dropper()"
    )
    try:
        ended = program.run(*RUN)
    finally:
        supabase.sql("drop function public.dropper() cascade")
    assert (ended.code, supabase.count()) == (4, 0)
    assert "yin_wood_ox" in ended.error["message"]
    assert "a trigger drops its row" in ended.error["message"]
