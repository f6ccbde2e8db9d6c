"""A catalog whose rows have several generated columns: asked for as one object, judged apart, stored together."""

from __future__ import annotations

import json
from collections.abc import Callable

from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Supabase

TEASER = """
[[generated]]
column = "teaser"
about = "One sentence that makes curious."
at_least = 3
at_most = 12
"""
COLUMN = "alter table public.content_library add column teaser text not null;"


def _prepare(program: Program, project: Callable[..., Supabase]) -> Supabase:
    program.make_catalog("cards", TEASER)
    return project(*MIGRATIONS, COLUMN)


def test_text_and_teaser_arrive_in_one_answer_and_one_row(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase]
) -> None:
    """By messages and by a batch; the request carries the schema, the row both columns."""
    wide = _prepare(program, project)
    program.settings |= {**wide.environment, "SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05"}
    assert program.run("check", "cards").code == 0
    ran = program.run("run", "cards", "--json", "--mode", "batch")
    assert (ran.code, ran.document["stored"]) == (0, 3), ran.err
    schema = messages.log()[0]["body"]["output_config"]["format"]["schema"]
    assert list(schema["properties"]) == ["text", "teaser"]
    assert "3 to 12 words" in schema["properties"]["teaser"]["description"]
    for row in wide.sql("select description, teaser from public.content_library"):
        assert row["description"].startswith(row["teaser"].removesuffix("."))
    assert program.run("run", "cards", "--json").document["requests"] == 0


def test_a_bad_column_is_repaired_and_an_answer_without_it_fails(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase]
) -> None:
    """A finding names its column; half an object is no answer."""
    wide = _prepare(program, project)
    long = json.dumps({"text": "You " * 70 + ".", "teaser": "word " * 20})
    messages.faults(
        {"match": "The second one", "text": long},
        {"match": "The third one", "text": json.dumps({"text": "Only this."})},
    )
    ended = program.run("run", "cards", "--json", **wide.environment)
    assert (ended.code, wide.count()) == (6, 2)
    (repaired,) = [event for event in ended.documents if event["event"] == "repairing"]
    assert "teaser: 20 words; 3 to 12 are allowed" in [finding["message"] for finding in repaired["findings"]]
    assert [trouble["reason"] for trouble in ended.document["troubles"]] == ["the answer lacks one of text, teaser"]


def test_a_rehearsal_fills_every_column_and_an_edit_keeps_the_others(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase]
) -> None:
    """Offline as well; a person's text stands beside the teaser that is stored."""
    wide = _prepare(program, project)
    program.settings |= wide.environment
    assert program.run("rehearse", "cards", "--json").document["stored"] == 3
    assert messages.log() == []
    assert program.run("run", "cards").code == 0
    wide.sql("update public.content_library set teaser = 'Mended by hand.' where key = 'second'")
    before = {row["key"]: row["teaser"] for row in wide.sql("select key, teaser from public.content_library")}
    file = program.folder / "edited.jsonl"
    edited = {"category": "cards_text", "key": "second", "locale": "en", "text": "My own words."}
    file.write_text(json.dumps(edited), "utf-8")
    assert program.run("import", str(file), "cards").code == 0
    rows = {row["key"]: row for row in wide.sql("select * from public.content_library")}
    assert rows["second"]["description"] == "My own words."
    assert {key: row["teaser"] for key, row in rows.items()} == before


def test_every_column_leaves_in_files_and_comes_back(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase]
) -> None:
    """Shown, exported, edited in a spreadsheet, audited, and in the backup of rows that are removed."""
    wide = _prepare(program, project)
    program.settings |= wide.environment
    assert program.run("run", "cards").code == 0
    read = "select key, description, teaser from public.content_library order by key"
    before = wide.sql(read)
    shown = program.run("show", "first", "cards", "--json").document["texts"][0]
    assert (shown["text"], shown["teaser"]) == (before[0]["description"], before[0]["teaser"])
    assert f"teaser: {before[0]['teaser']}" in program.run("show", "first", "cards").out

    seed = program.run("export", "cards", "--format", "sql").out
    wide.sql("truncate public.content_library")
    wide.sql(seed)
    assert wide.sql(read) == before

    file = program.folder / "rows.csv"
    assert program.run("export", "cards", "--format", "csv", "--output", str(file)).code == 0
    file.write_text(file.read_text("utf-8").replace(before[1]["teaser"], "Too short."), "utf-8")
    imported = program.run("import", str(file), "cards")
    assert (imported.code, imported.out.startswith("1 text stored")) == (0, True)
    assert "teaser: 2 words; 3 to 12 are allowed" in imported.err
    before[1]["teaser"] = "Too short."
    assert wide.sql(read) == before
    audited = program.run("audit", "cards", "--json")
    assert (audited.code, audited.document["bad"]) == (6, 1)

    items = program.folder / "prompts" / "cards" / "items.csv"
    items.write_text("\n".join(line for line in items.read_text("utf-8").splitlines() if "second" not in line), "utf-8")
    wide.sql("grant delete on public.content_library to service_role")
    backup = program.folder / "backup.jsonl"
    assert program.run("prune", "cards", "--yes", "--backup", str(backup)).code == 0
    assert json.loads(backup.read_text("utf-8"))["row"]["teaser"] == "Too short."
    assert messages.log()[3:] == []
