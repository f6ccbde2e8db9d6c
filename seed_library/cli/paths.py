"""Files and runs that are named on the command line: what no file can be called is refused as usage."""

from __future__ import annotations

import re
from pathlib import Path

import click

from seed_library.core.path_names import path_fault

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")  # it becomes the name of a log


def file_path(typed: str) -> Path:
    """Read the path of a file."""
    if fault := path_fault(typed):
        raise click.BadParameter(f"it {fault}.")
    return Path(typed)


def is_file(path: Path) -> bool:
    """Whether there is a file; where nobody may look, there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def result_path(typed: str) -> Path:
    """Read the path of a file that is to be written."""
    path = file_path(typed)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise click.BadParameter(f"{typed!r} cannot be written ({error.strerror}).") from None
    if is_folder:
        raise click.BadParameter(f"{typed!r} is a folder.")
    return path


def run_id(typed: str) -> str:
    """Read the id of a run."""
    if not _RUN_ID.fullmatch(typed):
        raise click.BadParameter("it is no id of a run.")
    return typed
