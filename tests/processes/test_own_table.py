"""A catalog with a table of its own: the program prints the table, the database takes it, a run fills it."""

from __future__ import annotations

from collections.abc import Callable

from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase

TABLE = """
[table]
name = "cards"

[table.columns]
key = "slug"
text = "body"

[table.constants]
app = "garden"

[[generated]]
column = "teaser"
about = "One sentence that makes curious."
at_least = 3
at_most = 12
"""


def test_what_schema_prints_is_the_table_that_a_run_needs(
    program: Program, messages: MessagesServer, project: Callable[..., Supabase]
) -> None:
    """Without it, the first check names the verb; with it, everything is right at once, the lease included."""
    program.make_catalog("cards", TABLE)
    without = program.run("check", "cards", **project(warm=False).environment)
    assert (without.code, "`seed-library schema CATALOG` prints the migration." in without.out) == (4, True)
    own = project(program.run("schema", "cards").out)
    assert program.run("check", "cards", **own.environment, SEED_LIBRARY_REQUIRE_LEASE="true").code == 0
    assert program.run("run", "cards", "--json", **own.environment).document["stored"] == 3
    assert len(messages.log()) == 3
    rows = own.sql(
        "select slug, app, body <> '' and teaser <> '' as filled, provenance is not null as known from cards"
    )
    assert {tuple(row.values()) for row in rows} == {
        (slug, "garden", True, True) for slug in ("first", "second", "third")
    }


def test_only_a_catalog_that_is_named_is_read(offline: Program) -> None:
    """Without one it is content_library, where rows go by default; one that does not exist is an error."""
    offline.make_catalog("cards", TABLE)
    own, default = (offline.run(*verb, "--json").document["migrations"] for verb in (("schema", "cards"), ("schema",)))
    assert (own[0]["name"][14:], '"teaser" text not null' in own[0]["sql"]) == ("_cards.sql", True)
    assert default[0]["name"][14:] == "_content_library.sql"
    unknown = offline.run("schema", "nothing")
    assert (unknown.code, "There is no catalog 'nothing'" in unknown.err) == (2, True)
