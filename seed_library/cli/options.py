"""Options that several verbs share, written once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seed_library.cli.numbers import seconds, whole
from seed_library.cli.output import Output
from seed_library.cli.paths import file_path, is_file
from seed_library.core.errors import UsageInvalid
from seed_library.core.redaction import Redactor

if TYPE_CHECKING:
    from seed_library.adapters.state import TargetFolder
    from seed_library.bootstrap.preparing import Flags, Surroundings

_OTHERS_MAY_READ = 0o044
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(slots=True)
class Invocation:
    """What the global options say, wherever on the line they stood."""

    output: Output = field(default_factory=Output)
    env_file: Path | None = None

    @property
    def dotenv(self) -> Path | None:
        """The env file to read: the one that was named, or `.env` if there is one.

        Raises:
            UsageInvalid: the named file does not exist.
        """
        if self.env_file is None:
            return Path(".env") if is_file(Path(".env")) else None
        if not is_file(self.env_file):
            raise UsageInvalid(f"There is no file {self.env_file}.", hint="--env-file needs an existing file.")
        return self.env_file


def invocation() -> Invocation:
    """Return the global options of the running command."""
    return click.get_current_context().find_root().ensure_object(Invocation)


def surroundings() -> Surroundings:
    """Return the environment and the time, read once, at the edge."""
    import os

    from seed_library.bootstrap.preparing import Surroundings

    return Surroundings(dict(os.environ), datetime.now(UTC))


def keep_secret(redactor: Redactor) -> None:
    """Let nothing leave unredacted from here on; only now is it safe to show what the libraries log."""
    from seed_library.cli.debug_log import show_logs

    output = invocation().output
    output.redact = redactor
    show_logs(output)
    _warn_of_readable(invocation().dotenv, output)


def _warn_of_readable(env_file: Path | None, output: Output) -> None:
    """Say that other users can read the keys. Many file systems in containers know no better, so it is no failure."""
    if env_file is not None and env_file.stat().st_mode & _OTHERS_MAY_READ:
        output.narrate(f"Warning: other users of this machine can read {env_file}: chmod 600 {env_file}")


def folder_to_look_at(catalog: str | None, store: str | None) -> TargetFolder | None:
    """Return the folder of the target that is named; the one used last, which is said, where none is."""
    from seed_library.bootstrap.light import named_folder, status_folder

    said = invocation()
    named = named_folder(said.dotenv, catalog, store)
    if named is not None:
        return named
    last = status_folder(said.dotenv, catalog, store)
    if last is not None:
        said.output.narrate("No store is configured; this is the target that was used last on this machine.")
    return last


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a global option on the root context, so that it means the same before and after the verb."""
    if context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.DEFAULT:
        return
    said = context.find_root().ensure_object(Invocation)
    match parameter.name:
        case "json":
            said.output.as_json = True
        case "quiet":
            said.output.quiet = True
        case "verbose":
            said.output.verbose = True
        case "no_color":
            said.output.color = False
        case _:
            said.env_file = value


def _flag(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(name, is_flag=True, expose_value=False, is_eager=True, callback=_remember, help=text)


def _apply(command: Command, decorators: list[Callable[[Command], Command]]) -> Command:
    """Apply options so that `--help` lists them in the order written here."""
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def global_options(command: Command) -> Command:
    """Add the options that every verb takes, before and after its name."""
    env_file = click.option(
        "--env-file",
        type=file_path,
        metavar="PATH",
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="Read settings from this file instead of .env.",
    )
    return _apply(
        command,
        [
            _flag("--json", "Results as JSON; `run` prints one event a line."),
            _flag("--quiet", "Show only results and errors."),
            _flag("--verbose", "Show more, including debug logs (redacted)."),
            _flag("--no-color", "No colours (also NO_COLOR=1)."),
            env_file,
        ],
    )


_SELECTION = ("category", "key", "locale", "limit")
_CHOICES = ("catalog", "store", "model", "budget", "concurrency", "mode")


def catalog_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add CATALOG, the selection and the target; the command receives them as one `flags`."""

    @wraps(command)
    def collect(**options: Any) -> Any:
        from seed_library.bootstrap.preparing import Flags
        from seed_library.core.catalog import Selection

        chosen = {name: options.pop(name, None) for name in (*_SELECTION, *_CHOICES)}
        flags = Flags(
            selection=Selection(chosen["category"], chosen["key"], chosen["locale"], chosen["limit"]),
            env_file=invocation().dotenv,
            **{name: chosen[name] for name in _CHOICES},
        )
        return command(flags=flags, **options)

    return _apply(
        collect,
        [
            catalog_argument,
            click.option("--category", multiple=True, help="Only this category (repeatable)."),
            click.option("--key", multiple=True, help="Only keys like this, such as 'yang_*' (repeatable)."),
            click.option("--locale", multiple=True, help="Only this locale (repeatable)."),
            click.option("--limit", type=whole(1), metavar="N", help="Only the first N items."),
            click.option("--store", metavar="STORE", help="supabase, or sqlite:PATH."),
        ],
    )


def _complete_catalog(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the catalogs that a shell may offer; a folder that cannot be read offers none."""
    from seed_library.adapters.catalog_folders import list_catalogs, prompts_folder
    from seed_library.bootstrap.light import read_light_settings
    from seed_library.core.errors import SeedLibraryError

    try:
        folder = prompts_folder(read_light_settings(Invocation().dotenv).prompts_dir)
        return [listing.name for listing in list_catalogs(folder) if listing.name.startswith(incomplete)]
    except (OSError, SeedLibraryError):
        return []


catalog_argument = click.argument("catalog", required=False, shell_complete=_complete_catalog)


def target_options(command: Command) -> Command:
    """Add what names a target to verbs that only look at files."""
    return _apply(
        command,
        [
            catalog_argument,
            click.option("--store", metavar="STORE", help="supabase, or sqlite:PATH."),
        ],
    )


def price_options(command: Command) -> Command:
    """Add what changes the price and the pace of a run."""
    return _apply(
        command,
        [
            click.option("--model", help="The Claude model to ask."),
            click.option("--budget", metavar="USD", help="The most this run may spend."),
            click.option(
                "--concurrency", type=whole(1, 256), metavar="N", help="Requests in flight at the same time (1 to 256)."
            ),
            click.option(
                "--mode",
                type=click.Choice(["auto", "messages", "batch"]),
                help="One by one, or as Message Batches: half the price, within a day.",
            ),
        ],
    )


def wait_lock_option(command: Command) -> Command:
    """Add --wait-lock."""
    return click.option(
        "--wait-lock", type=seconds(0), metavar="SECONDS", default=0, help="Wait for a run that is working."
    )(command)


def refresh_option(command: Command) -> Command:
    """Add --refresh."""
    return click.option(
        "--refresh",
        type=click.Choice(["changed", "all", "rejected"]),
        default=None,
        help="Also replace texts whose prompt changed, or all texts, or try rejected ones again.",
    )(command)


def with_store(flags: Flags, store: str) -> Flags:
    """Return the flags with a store that stands unless another one was named."""
    from dataclasses import replace

    return flags if flags.store else replace(flags, store=store)
