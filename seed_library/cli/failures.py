"""The one place where failures are printed and become exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from seed_library.cli.app import app
from seed_library.cli.options import Invocation
from seed_library.cli.output import ResultLost, accept_every_character, report_loss
from seed_library.core.errors import ExitCode, SeedLibraryError


def run_command_line() -> int:
    """Run the command line and return a documented exit code."""
    accept_every_character()
    said = Invocation()
    said.output.as_json = "--json" in sys.argv[1:]  # a line that cannot be parsed still answers in JSON
    try:
        code = _exit_code(said)
        sys.stdout.flush()  # a page of click's, which else fails at the very end
    except OSError as error:
        return report_loss(error)
    return code


def _exit_code(said: Invocation) -> int:
    """Run the verb; what it raises becomes a sentence and a code.

    Raises:
        ResultLost, BrokenPipeError: stdout takes nothing any more.
    """
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
    except (ResultLost, BrokenPipeError):
        raise
    except OSError as error:
        return _report_file(said, error)
    except Exception:  # noqa: BLE001  everything that is not expected is a bug and shows where it is
        return _report_bug(said)
    return code if isinstance(code, int) else ExitCode.DONE


def _report_usage(said: Invocation, error: click.UsageError) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        said.output.result(error.format_message())
        return
    hint = f"`{error.ctx.command_path} --help` explains." if error.ctx else "`seed-library --help` explains."
    said.output.error({"code": "usage", "message": error.format_message(), "hint": hint})


def _report_file(said: Invocation, error: OSError) -> int:
    """Say which file or folder of the user's could not be used; an error without one is a bug.

    Raises:
        ResultLost: it was stdout, into which click prints its pages.
    """
    if error.filename is None and _stdout_is_lost():
        raise ResultLost(error.errno, error.strerror) from None
    if error.filename is None and not _working_folder_is_gone():
        return _report_bug(said)
    place = "The working folder" if error.filename is None else os.fsdecode(error.filename)
    message = f"{place} cannot be used ({error.strerror})."
    said.output.error({"code": "file", "message": message, "hint": "Name another one, or make it usable."})
    return ExitCode.PREFLIGHT


def _stdout_is_lost() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _working_folder_is_gone() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _report_bug(said: Invocation) -> int:
    """Print a traceback without local variables and without secrets."""
    import traceback

    said.output.complain(traceback.format_exc())
    hint = "Please report the lines above. What is paid is in the journal; run again to go on."
    said.output.error({"code": "bug", "message": "This is a bug in seed-library.", "hint": hint})
    return ExitCode.BUG
