"""The original accident, start by start: every mistake is found before a cent is spent."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import GRANTS, ORIGINAL_TABLE, PROVENANCE, Supabase

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"


@pytest.fixture(autouse=True)
def _nothing_was_paid(request: pytest.FixtureRequest) -> object:
    """After every refused start: no paid request has left."""
    messages: MessagesServer = request.getfixturevalue("messages")
    yield
    if "five_starts" not in request.node.name:
        assert messages.log() == []


def test_start_1_without_a_key_is_refused(program: Program) -> None:
    """The missing key is named, with exit code 3."""
    ended = program.run("run", "--json", ANTHROPIC_API_KEY="")
    assert ended.code == 3
    assert "ANTHROPIC_API_KEY is missing" in ended.error["message"]


@pytest.mark.parametrize("kind", ["legacy", "publishable"])
def test_start_2_with_a_key_that_may_only_read_is_refused(program: Program, supabase: Supabase, kind: str) -> None:
    """An anon key instead of the service role key is told apart before anything is asked."""
    key = supabase.legacy["anon"] if kind == "legacy" else supabase.publishable
    supabase.log()
    ended = program.run("run", "--json", SUPABASE_SERVICE_ROLE_KEY=key)
    assert ended.code == 3
    assert "SUPABASE_SERVICE_ROLE_KEY is" in ended.error["message"]
    assert ("anon key" if kind == "legacy" else "publishable key") in ended.error["message"]
    assert key not in ended.out + ended.err
    assert supabase.log() == []


def test_start_3_with_a_column_that_nobody_fills_is_refused(program: Program, project: Callable[..., Supabase]) -> None:
    """A NOT NULL column without value is found by the probe and named; no row is written."""
    column = "alter table public.content_library add column summary text not null;"
    broken = project(ORIGINAL_TABLE, GRANTS, PROVENANCE, column)
    ended = program.run("run", "--json", **broken.environment)
    assert ended.code == 4
    assert "summary" in ended.error["message"]
    assert broken.count() == 0


def test_start_4_with_a_broken_template_is_refused(program: Program) -> None:
    """A name that does not exist is found for every item, before the table is even looked at."""
    program.folder.joinpath("prompts").mkdir()
    shutil.copytree(PROMPTS / "bazi_pillars", program.folder / "prompts" / "bazi_pillars")
    template = program.folder / "prompts" / "bazi_pillars" / "bazi_hour_pillar.de.md"
    template.write_text(template.read_text() + "{{ dieses_wort_gibt_es_nicht }}")
    ended = program.run("run", "--json")
    assert ended.code == 4
    assert "bazi_hour_pillar.de.md" in ended.error["message"]
    assert "dieses_wort_gibt_es_nicht" in ended.error["message"]


def test_five_starts_at_once_give_one_run_and_four_refusals(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """One runs; four name its pid and leave; the server sees every prompt once."""
    messages.control(latency_ms=300)
    starts = [program.start("run", "--json") for _ in range(5)]
    ends = [start.end() for start in starts]
    (winner,) = [start for start, end in zip(starts, ends, strict=True) if end.code == 0]
    refused = [end for end in ends if end.code == 5]
    assert len(refused) == 4
    for end in refused:
        assert f"pid {winner.pid} " in end.error["message"]
        assert end.error["code"] == "locked"
    prompts = [entry["prompt"] for entry in messages.log()]
    assert len(prompts) == len(set(prompts)) == 180
    assert supabase.count() == 180


def test_all_mistakes_at_once_are_one_report(program: Program) -> None:
    """Nobody has to start five times to hear of five mistakes."""
    program.folder.joinpath("prompts").mkdir()
    shutil.copytree(PROMPTS / "bazi_pillars", program.folder / "prompts" / "bazi_pillars")
    (program.folder / "prompts" / "bazi_pillars" / "system.de.md").write_text("{% if %}")
    ended = program.run(
        "check", "--json", ANTHROPIC_API_KEY="", SUPABASE_URL="http://example.org", SEED_LIBRARY_BUDGET_USD="much"
    )
    assert ended.code == 3
    assert ended.document["ok"] is False
    failed = " ".join(check["message"] for check in ended.document["checks"] if not check["ok"])
    for word in ("ANTHROPIC_API_KEY", "SUPABASE_URL", "SEED_LIBRARY_BUDGET_USD", "system.de.md"):
        assert word in failed
        assert word in ended.error["message"]
