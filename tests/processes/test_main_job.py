"""The main job on real parts: plan, seed, seed again, resume."""

from __future__ import annotations

import shutil

from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

SEVEN = "select id from public.content_library order by key, category limit 7"


def test_a_library_is_planned_seeded_and_resumed(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """Planned for a price, stored once, never paid twice: with the table, the journal, or either of them alone."""
    planned = program.run("plan", "--json").document
    assert planned["totals"] == {"new": 180, "paid": 0, "changed": 0, "done": 0, "orphaned": 0, "rejected": 0}
    assert 0 < planned["cost"]["likely_usd"] < planned["cost"]["at_most_usd"]
    assert "counted exactly" in planned["cost"]["basis"]
    assert messages.log() == []

    first = program.run("run", "--json")
    assert (first.code, first.document["stored"], first.document["generated"]) == (0, 180, 180)
    assert supabase.count() == 180
    assert len(messages.billed()) == 180
    assert first.document["spent_usd"] < planned["cost"]["at_most_usd"]
    assert {text["text"] for text in messages.billed()} == _stored_texts(supabase)

    again = program.run("run", "--json")
    assert (again.code, again.document["stored"], again.document["requests"]) == (0, 0, 0)
    assert len(messages.log()) == 180

    supabase.sql(f"delete from public.content_library where id in ({SEVEN})")
    recovered = program.run("run", "--json")
    assert recovered.code == 0
    assert (recovered.document["stored"], recovered.document["recovered"], recovered.document["requests"]) == (7, 7, 0)
    assert len(messages.log()) == 180
    assert {text["text"] for text in messages.billed()} == _stored_texts(supabase)

    supabase.sql(f"delete from public.content_library where id in ({SEVEN})")
    shutil.rmtree(program.state)
    generated = program.run("run", "--json")
    assert generated.code == 0
    assert (generated.document["stored"], generated.document["generated"]) == (7, 7)
    assert len(messages.log()) == 187
    assert supabase.count() == 180


def test_every_row_says_where_its_text_comes_from(program: Program, supabase: Supabase) -> None:
    """Provenance in the table is enough to trace a text to its request."""
    assert program.run("run", "--json", "--limit", "3").code == 0
    rows = supabase.sql("select title, provenance from public.content_library")
    assert len(rows) == 3
    for row in rows:
        said = row["provenance"]
        assert said["writer"] == "claude"
        assert said["model"] == "claude-sonnet-5-5"
        assert said["message_id"].startswith("msg_")
        assert said["cost_micro_usd"] > 0


def test_the_original_table_without_any_extra_is_seeded_too(program: Program, project: object) -> None:
    """No provenance column, no trigger: the tool says so and works."""
    from servers.supabase import GRANTS, ORIGINAL_TABLE

    assert callable(project)
    bare: Supabase = project(ORIGINAL_TABLE, GRANTS)
    program.settings |= bare.environment
    ended = program.run("run", "--json", "--limit", "5")
    assert ended.code == 0, ended.err
    assert bare.count() == 5
    assert any("no jsonb column provenance" in str(event.get("message")) for event in ended.documents)
    assert program.run("run", "--json", "--limit", "5").document["requests"] == 0


def test_both_locales_are_two_libraries_of_180_texts(program: Program, supabase: Supabase) -> None:
    """German first, then English; neither touches the other."""
    assert program.run("run", "--json", "--key", "yang_wood_*").code == 0
    assert program.run("run", "--json", "--key", "yang_wood_*", "--locale", "en").code == 0
    found = supabase.sql(
        "select locale, count(*)::int as n, min(title) as title from content_library group by 1 order by 1"
    )
    assert [(row["locale"], row["n"], row["title"]) for row in found] == [
        ("de", 18, "Yang-Holz-Affe"),
        ("en", 18, "Yang Wood Dog"),
    ]


def _stored_texts(supabase: Supabase) -> set[str]:
    return {row["description"] for row in supabase.sql("select description from public.content_library")}
