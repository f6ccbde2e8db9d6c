"""Finding catalog folders, cheaply: verbs that only look around need no template engine and no schema."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from seed_library.core.catalog import TableSpec

FILE_NAME = "catalog.toml"
DEFAULT_CATALOG = "bazi_pillars"


class Unreadable(Exception):
    """A file cannot be read as UTF-8 text; the text says why."""


class Listing(NamedTuple):
    """A catalog as `catalogs` lists it. `fault` is empty when its catalog.toml can be read."""

    name: str
    description: str
    fault: str = ""


def prompts_folder(setting: Path | None) -> Path:
    """Return where catalogs are: the setting, else `./prompts` if it holds catalogs, else the packaged copy."""
    if setting is not None:
        return setting
    local = Path("prompts")
    if local.is_dir() and any((child / FILE_NAME).is_file() for child in local.iterdir()):
        return local
    package = Path(__file__).resolve().parent.parent
    packaged = package / "prompts"
    # In an editable installation the folder stands beside the package, not inside it.
    return packaged if packaged.is_dir() else package.parent / "prompts"


def list_catalogs(folder: Path) -> list[Listing]:
    """List the catalogs of a prompts folder by name; broken ones are listed with what is wrong."""
    if not folder.is_dir():
        return []
    listings = []
    for child in sorted(folder.iterdir()):
        if (child / FILE_NAME).is_file():
            try:
                data = read_toml(child / FILE_NAME)
                listings.append(Listing(child.name, str(data.get("description", ""))))
            except Unreadable as error:
                listings.append(Listing(child.name, "", str(error)))
    return listings


def meant_catalog(folder: Path) -> str:
    """Return the catalog that is meant where nobody names one: the only one there is, else the default."""
    names = [child.name for child in folder.iterdir() if (child / FILE_NAME).is_file()] if folder.is_dir() else []
    return names[0] if len(names) == 1 else DEFAULT_CATALOG


def peek_table(folder: Path, name: str) -> TableSpec:
    """Return schema and name of a catalog's table without checking the rest; the defaults where they are unreadable."""
    try:
        table = read_toml(folder / name / FILE_NAME).get("table", {})
    except Unreadable:
        return TableSpec()
    named = table if isinstance(table, dict) else {}
    default = TableSpec()
    return TableSpec(schema=str(named.get("schema", default.schema)), name=str(named.get("name", default.name)))


def read_toml(path: Path) -> dict[str, Any]:
    """Read and decode a TOML file of a catalog.

    Raises:
        Unreadable: it cannot be read as text, or is not TOML.
    """
    try:
        return tomllib.loads(read_text(path.parent, path.name))
    except (ValueError, RecursionError) as error:  # of thousands of digits, of thousands of brackets
        raise Unreadable(f"{path.name} is not TOML: {error}") from None


def read_text(folder: Path, name: str) -> str:
    """Read a UTF-8 file of a catalog's folder, with or without a byte order mark.

    Args:
        folder: the catalog's own folder. Nothing outside of it is read, and nothing hidden in it: what is read here is
            sent to the model.
        name: the file's path in the folder.

    Raises:
        Unreadable: it is missing, no UTF-8, no file, or a link that leads out of the folder.
    """
    _require_inside(folder, name)
    path = folder / name
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise Unreadable(f"{name} is no regular file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(f"{name} is missing") from None
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(f"{name}, line {line}: not UTF-8 (byte {data[error.start]:#04x})") from None


def _require_inside(folder: Path, name: str) -> None:
    real, root = Path(os.path.realpath(folder / name)), Path(os.path.realpath(folder))
    if not real.is_relative_to(root):
        raise Unreadable(f"{name} leads out of the catalog's folder; only what is in it is read")
    if any(part.startswith(".") for part in real.relative_to(root).parts):
        raise Unreadable(f"{name} leads to a hidden file, which is not read")
