"""The verbs of an editor's day, against both real servers: sample, run, export, edit, import, audit, prune."""

from __future__ import annotations

import json
from pathlib import Path

from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

FEW = ("--limit", "6")


def test_samples_are_shown_and_the_run_stores_them_without_paying_again(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """`sample 4`, then `run`: 180 texts, 180 payments."""
    sampled = program.run("sample", "4", "--json")
    assert sampled.code == 0, sampled.err
    drafts = sampled.document["drafts"]
    assert len({draft["category"] for draft in drafts}) == 3
    assert all(draft["text"] and draft["cost_usd"] > 0 for draft in drafts)
    assert (supabase.count(), len(messages.billed())) == (0, 4)
    finished = program.run("run", "--json")
    assert (finished.code, finished.document["recovered"], finished.document["requests"]) == (0, 4, 176)
    assert (supabase.count(), len(messages.billed())) == (180, 180)


def test_an_edited_text_survives_the_next_run(program: Program, supabase: Supabase, tmp_path: Path) -> None:
    """Exported, edited, imported; then everything else is replaced."""
    assert program.run("run", *FEW).code == 0
    file = tmp_path / "rows.jsonl"
    assert program.run("export", *FEW, "--output", str(file)).code == 0
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(rows) == 6
    rows[2]["text"] = "Von Hand geschrieben."
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    imported = program.run("import", str(file), "--json")
    assert [row["key"] for row in imported.document["imported"]] == [rows[2]["key"]]
    assert program.run("run", *FEW, "--refresh", "all").code == 0
    texts = {row["key"]: row["description"] for row in supabase.sql("select * from public.content_library")}
    assert texts[rows[2]["key"]] == "Von Hand geschrieben."
    assert texts[rows[0]["key"]] == rows[0]["text"]
    audited = program.run("audit", *FEW, "--json")
    assert (audited.code, audited.document["bad"]) == (6, 1)


def test_an_sql_export_loads_into_a_real_postgres(program: Program, supabase: Supabase, tmp_path: Path) -> None:
    """The same rows, whatever quotes they hold."""
    assert program.run("run", *FEW).code == 0
    odd = "It''s \\ a „test“; drop table x; --\nand a line"
    supabase.sql(f"update public.content_library set description = '{odd}' where key = 'yang_wood_rat'")
    before = supabase.sql("select key, title, description from public.content_library order by 1, 2")
    file = tmp_path / "seed.sql"
    assert program.run("export", "--format", "sql", "--output", str(file)).code == 0
    supabase.sql("truncate public.content_library")
    supabase.sql(file.read_text("utf-8"))
    assert supabase.sql("select key, title, description from public.content_library order by 1, 2") == before


def test_rows_that_no_catalog_asks_for_are_listed_kept_in_a_file_and_removed(
    program: Program, supabase: Supabase
) -> None:
    """Only with `--yes`, and only with the right to delete; the backup holds it whole."""
    assert program.run("run", *FEW).code == 0
    supabase.sql(
        "insert into public.content_library (category, key, locale, title, description)"
        " values ('bazi_year_pillar', 'yang_wood_snake', 'de', 'T', 'D'), ('other', 'x', 'de', 'T', 'D')"
    )
    listed = program.run("prune", "--json").document
    assert [row["key"] for row in listed["orphaned"]] == ["yang_wood_snake"]
    assert supabase.count() == 8
    refused = program.run("prune", "--yes", "--json")
    assert (refused.code, supabase.count()) == (4, 8)
    assert "grant delete" in refused.error["hint"]
    supabase.sql("grant delete on public.content_library to service_role")
    removed = program.run("prune", "--yes", "--json").document
    assert supabase.count() == 7
    supabase.sql("revoke delete on public.content_library from service_role")
    kept = json.loads(Path(removed["backup"]).read_text("utf-8"))
    assert (kept["key"], kept["row"]["description"]) == ("yang_wood_snake", "D")


def test_a_rejected_text_is_accepted_knowingly(program: Program, messages: MessagesServer, supabase: Supabase) -> None:
    """It reaches the table with who has accepted it, and is not paid for again."""
    messages.faults({"match": "Yin-Holz-Ochse", "text": "Zu kurz.", "times": 3})
    assert program.run("run", *FEW, "--concurrency", "1").code == 6
    rejected = [item for item in program.run("plan", *FEW, "--json").document["items"] if item["action"] == "rejected"]
    assert program.run("accept", rejected[0]["key"], "--json").document["accepted"][0]["key"] == rejected[0]["key"]
    assert supabase.count() == 6
    billed = len(messages.billed())
    assert program.run("run", *FEW).code == 0
    assert len(messages.billed()) == billed


def test_a_new_catalog_of_twelve_items_is_planned_rehearsed_and_run(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """`catalogs new`, a csv of twelve, and nothing else."""
    program.make_catalog("my_library", "")
    csv = program.folder / "prompts" / "my_library" / "items.csv"
    lines = [f"key_{number},Title {number},thing {number},detail {number}" for number in range(12)]
    csv.write_text("\n".join(["key,title,name,detail", *lines]) + "\n", "utf-8")
    assert program.run("plan", "my_library", "--json").document["totals"]["new"] == 12
    assert program.run("rehearse", "my_library", "--json").document["stored"] == 12
    ran = program.run("run", "my_library", "--json")
    assert (ran.code, ran.document["stored"], supabase.count(), len(messages.billed())) == (0, 12, 12, 12)
    assert program.run("catalogs", "new", "my_library").code == 2
