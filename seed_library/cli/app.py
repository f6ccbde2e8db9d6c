"""The command group. Verbs are loaded when they are called, so that `--help` costs next to nothing."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword

import click

from seed_library import __version__
from seed_library.cli.options import global_options

# verb -> (module, one line of help). A test holds the lines against the verbs' own docstrings.
VERBS = {
    "check": ("seed_library.cli.check", "Run every preflight check, and nothing else."),
    "plan": ("seed_library.cli.plan", "Show what a run would do, why, and what it would cost."),
    "run": ("seed_library.cli.run", "Seed the target; resume where an earlier run ended."),
    "rehearse": ("seed_library.cli.run", "Run the whole path with an offline writer: no key, no network, no cost."),
    "sample": ("seed_library.cli.sample", "Show drafts from far apart in the catalog; a later run stores them."),
    "status": ("seed_library.cli.status", "Show where we stand."),
    "logs": ("seed_library.cli.logs", "Show the log of a run."),
    "stop": ("seed_library.cli.stop", "Ask the run that is working to stop, and wait until it has."),
    "cancel": ("seed_library.cli.cancel", "Cancel the batches under way; store what they had finished."),
    "unlock": ("seed_library.cli.unlock", "Show or break the lease across machines."),
    "show": ("seed_library.cli.show", "Show the stored texts of a key with their provenance."),
    "review": (
        "seed_library.cli.review",
        "Open a local page to read, accept, reject, edit and regenerate texts.",
    ),
    "report": ("seed_library.cli.review", "Write the page of `review` as one static HTML file."),
    "accept": ("seed_library.cli.accept", "Store a rejected draft knowingly."),
    "audit": ("seed_library.cli.audit", "Put every stored text through the gates."),
    "export": ("seed_library.cli.export", "Write the stored rows as jsonl, csv or SQL."),
    "import": ("seed_library.cli.import_rows", "Store reviewed or edited texts; a run never replaces them."),
    "prune": ("seed_library.cli.prune", "Remove rows that are not in the catalog, after a backup."),
    "catalogs": ("seed_library.cli.listing", "List the catalogs; `catalogs new NAME` makes one."),
    "schema": ("seed_library.cli.listing", "Print the SQL migration of a catalog's table."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = getattr(import_module(VERBS[cmd_name][0]), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 2 usage, 3 settings, 4 preflight, 5 locked, 6 some items failed, 7 budget, 8 stopped.",
)
@click.version_option(__version__, prog_name="seed-library")
@global_options
def app() -> None:
    """Fill a content library with texts written by Claude: safely, once, for a price known beforehand."""
