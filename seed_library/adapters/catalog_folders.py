"""Finding catalog folders, cheaply: verbs that only look around need no template engine and no schema."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from seed_library.core.catalog import TableSpec
from seed_library.core.records import is_storable

FILE_NAME = "catalog.toml"
_LARGEST_TEXT = 1 << 22  # bytes of a template or a catalog.toml; items have no limit


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
        Unreadable: it is missing, not UTF-8, not TOML, or a link that leads out of its folder.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise Unreadable(f"{path.name} is not TOML: nested too deeply") from None
    except ValueError as error:  # also a number of thousands of digits
        raise Unreadable(f"{path.name} is not TOML: {error}") from None
    if not is_storable(data):
        raise Unreadable(f"{path.name} holds a NUL")
    return data


def read_text(path: Path) -> str:
    """Read a UTF-8 file of a catalog, with or without a byte order mark.

    Raises:
        Unreadable: it is missing, not UTF-8, too large, or a link that leads out of its folder.
    """
    place = inside(path)
    try:
        with place.open("rb") as file:
            data = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_TEXT:
        raise Unreadable(f"{path.name} has more than {_LARGEST_TEXT:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(f"{path.name}, line {line}: not UTF-8 (byte {data[error.start]:#04x})") from None


def inside(path: Path) -> Path:
    """Return where a file of a catalog really is: nothing outside of the catalog's folder is ever read.

    What is read there goes to the model and into the table; a link could make it anybody's keys. The folder itself may
    be a link, and links may lead from file to file within it.

    Raises:
        Unreadable: it leads out of its folder, is missing, or is no file.
    """
    try:
        place, folder = path.resolve(), path.parent.resolve()
        if not place.is_relative_to(folder):
            raise Unreadable(f"{path.name} is a link that leads out of the catalog's folder: nothing there is read")
        mode = place.stat().st_mode
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is missing") from None
    except (OSError, RuntimeError) as error:  # links in a circle
        raise Unreadable(f"{path.name} cannot be read: {getattr(error, 'strerror', error)}") from None
    if stat.S_ISDIR(mode):
        raise Unreadable(f"{path.name} cannot be read: {os.strerror(errno.EISDIR)}")
    if not stat.S_ISREG(mode):
        raise Unreadable(f"{path.name} is no regular file")
    return place
