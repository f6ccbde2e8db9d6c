"""The one place where failures are printed and become exit codes."""

from __future__ import annotations

import sys

import click

from seed_library.cli.app import app
from seed_library.cli.options import Invocation
from seed_library.cli.output import accept_every_character, silence_lost_streams
from seed_library.core.errors import ExitCode, SeedLibraryError


def run_command_line() -> int:
    """Run the command line and return a documented exit code."""
    accept_every_character()
    said = Invocation()
    said.output.as_json = "--json" in sys.argv[1:]  # a line that cannot be parsed still answers in JSON
    try:
        code = app.main(prog_name="seed-library", standalone_mode=False, obj=said)
    except SeedLibraryError as error:
        said.output.error({"code": error.code, "message": error.message, "hint": error.hint})
        return error.exit_code
    except click.UsageError as error:
        _report_usage(said, error)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        said.output.error({"code": "interrupted", "message": "Interrupted.", "hint": ""})
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        silence_lost_streams()  # the reader is gone; there is nobody to complain to
        return ExitCode.BUG
    except Exception:  # noqa: BLE001  everything that is not expected is a bug and shows where it is
        return _report_bug(said)
    return code if isinstance(code, int) else ExitCode.DONE


def _report_usage(said: Invocation, error: click.UsageError) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        said.output.result(error.format_message())
        return
    hint = f"`{error.ctx.command_path} --help` explains." if error.ctx else "`seed-library --help` explains."
    said.output.error({"code": "usage", "message": error.format_message(), "hint": hint})


def _report_bug(said: Invocation) -> int:
    """Print a traceback without local variables and without secrets."""
    import traceback

    said.output.complain(traceback.format_exc())
    hint = "Please report the lines above. What is paid is in the journal; run again to go on."
    said.output.error({"code": "bug", "message": "This is a bug in seed-library.", "hint": hint})
    return ExitCode.BUG
