"""A `prune` that the database leaves half way, against a real one."""

from __future__ import annotations

import json

import pytest
from processes.program import Program
from servers.supabase import Supabase

_ROWS = """
insert into public.content_library (category, key, locale, title, description)
select 'bazi_year_pillar', 'orphan ' || n, 'de', 'T', 'D' from generate_series(1, 9) as n
"""
_DELETION = "DELETE /rest/v1/content_library"


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True, "after": True}], ids=["503", "lost answer"])
def test_what_was_removed_before_the_database_went_away_is_said(
    program: Program, supabase: Supabase, fault: dict[str, object]
) -> None:
    """Each row that is gone is in the journal, and the failure names the backup."""
    supabase.sql(f"{_ROWS}; grant delete on public.content_library to service_role")
    try:
        supabase.faults({"match": _DELETION, "skip": 3, "times": 1, **fault})
        ended = program.run("prune", "--yes", "--json")
        left = {row["key"] for row in supabase.sql("select key from public.content_library")}
    finally:
        supabase.sql("revoke delete on public.content_library from service_role")
    gone = {f"orphan {number}" for number in range(1, 10)} - left
    journal = next(program.state.glob("targets/*/journal.jsonl")).read_text("utf-8")
    records = [json.loads(line[9:]) for line in journal.splitlines() if '"kind":"pruned"' in line]
    assert gone == {item[1] for record in records for item in record["items"]}
    assert (ended.code, len(gone)) == (0, 9)


def test_a_database_that_stays_away_leaves_a_backup_that_is_named(program: Program, supabase: Supabase) -> None:
    """And a note of what was about to go."""
    supabase.sql(f"{_ROWS}; grant delete on public.content_library to service_role")
    try:
        supabase.faults({"match": _DELETION, "skip": 3, "times": 99, "status": 403, "body": '{"message": "no"}'})
        ended = program.run("prune", "--yes", "--json")
    finally:
        supabase.sql("revoke delete on public.content_library from service_role")
    assert ended.code == 4
    assert "pruned-" in ended.err
    assert "3 are known to be removed" in ended.err
    assert len(supabase.sql("select key from public.content_library")) == 6
