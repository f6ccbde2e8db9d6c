"""Finding catalog folders, cheaply: verbs that only look around need no template engine and no schema."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from seed_library.core.catalog import TableSpec
from seed_library.core.errors import CatalogInvalid, SettingsInvalid
from seed_library.core.path_names import path_fault
from seed_library.core.records import is_storable

FILE_NAME = "catalog.toml"
DEFAULT_CATALOG = "bazi_pillars"
_LARGEST_TEXT = 1 << 22  # bytes of a template or a catalog.toml; items have no limit


class Unreadable(Exception):
    """A file cannot be read as UTF-8 text; the text says why."""


class Listing(NamedTuple):
    """A catalog as `catalogs` lists it. `fault` is empty when its catalog.toml can be read."""

    name: str
    description: str
    fault: str = ""


def prompts_folder(setting: Path | None) -> Path:
    """Return where catalogs are: the setting, else `./prompts` if it holds catalogs, else the packaged copy.

    Raises:
        CatalogInvalid: `./prompts` may not be read; the packaged copy is not what was meant.
        SettingsInvalid: the setting names no folder.
    """
    if setting is not None:
        return _existing(setting)
    local = Path("prompts")
    if any(_fault_of(child) is not None for child in _children(local)):
        return local
    package = Path(__file__).resolve().parent.parent
    packaged = package / "prompts"
    # In an editable installation the folder stands beside the package, not inside it.
    return packaged if packaged.is_dir() else package.parent / "prompts"


def _existing(setting: Path) -> Path:
    fault = path_fault(str(setting))
    try:
        if not fault and not setting.is_dir():
            fault = "is not a folder"
    except OSError as error:
        fault = f"cannot be looked at ({error.strerror})"
    if fault:
        raise SettingsInvalid(f"SEED_LIBRARY_PROMPTS_DIR {fault}.", hint="Mend it in the environment or in .env.")
    return setting


def list_catalogs(folder: Path) -> list[Listing]:
    """List the catalogs of a prompts folder by name; broken ones are listed with what is wrong."""
    listings = []
    for child in _children(folder):
        if (fault := _fault_of(child)) is None:
            continue
        if fault:
            listings.append(Listing(child.name, "", fault))
            continue
        try:
            data = read_toml(child / FILE_NAME)
            listings.append(Listing(child.name, str(data.get("description", ""))))
        except Unreadable as error:
            listings.append(Listing(child.name, "", str(error)))
    return listings


def meant_catalog(folder: Path) -> str:
    """Return the catalog that is meant where nobody names one: the only one there is, else the default.

    Raises:
        CatalogInvalid: the folder may not be read.
    """
    names = [child.name for child in _children(folder) if _fault_of(child) is not None]
    return names[0] if len(names) == 1 else DEFAULT_CATALOG


def _children(folder: Path) -> list[Path]:
    """Return what is in a prompts folder; nothing where there is none.

    Raises:
        CatalogInvalid: it may not be read.
    """
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        hint = "Make it readable, or set SEED_LIBRARY_PROMPTS_DIR to another folder."
        raise CatalogInvalid(f"The folder {folder} cannot be read ({error.strerror}).", hint=hint) from None


def _fault_of(child: Path) -> str | None:
    """Return why a catalog's folder cannot be looked into; empty where it can, None where it is no catalog's."""
    try:
        return "" if (child / FILE_NAME).is_file() else None
    except OSError as error:
        return f"cannot be read ({error.strerror})"


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
        Unreadable: it cannot be read as text, holds a NUL, or is not TOML.
    """
    text = read_text(path.parent, path.name)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise Unreadable(f"{path.name} is not TOML: nested too deeply") from None
    except ValueError as error:  # also a number of thousands of digits
        raise Unreadable(f"{path.name} is not TOML: {error}") from None
    if not is_storable(data):
        raise Unreadable(f"{path.name} holds a NUL")
    return data


def read_text(folder: Path, name: str) -> str:
    """Read a UTF-8 file of a catalog's folder, with or without a byte order mark.

    Raises:
        Unreadable: it is missing, not UTF-8, too large, no file, or leads out of the folder.
    """
    place = inside(folder, name)
    try:
        with place.open("rb") as file:
            data = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_TEXT:
        raise Unreadable(f"{name} has more than {_LARGEST_TEXT:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(f"{name}, line {line}: not UTF-8 (byte {data[error.start]:#04x})") from None


def inside(folder: Path, name: str) -> Path:
    """Return where a file of a catalog's folder really is: nothing outside of the folder is read, nothing hidden in it.

    What is read there goes to the model and into the table; a link could make it anybody's keys. The folder itself may
    be a link, and links may lead from file to file within it.

    Args:
        folder: the catalog's own folder.
        name: the file's path in the folder.

    Raises:
        Unreadable: it leads out of the folder, is hidden, is missing, or is no file.
    """
    try:
        place, root = (folder / name).resolve(), folder.resolve()
        if not place.is_relative_to(root):
            raise Unreadable(f"{name} leads out of the catalog's folder; only what is in it is read")
        if any(map(_is_hidden, place.relative_to(root).parts)):
            raise Unreadable(f"{name} leads to a hidden file, which is not read")
        mode = place.stat().st_mode
    except FileNotFoundError:
        raise Unreadable(f"{name} is missing") from None
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
    except RuntimeError:  # links in a circle, as older versions of Python say it
        raise Unreadable(f"{name} cannot be read: {os.strerror(errno.ELOOP)}") from None
    except ValueError:
        raise Unreadable(f"{name!r} is no name of a file") from None
    if stat.S_ISDIR(mode):
        raise Unreadable(f"{name} cannot be read: {os.strerror(errno.EISDIR)}")
    if not stat.S_ISREG(mode):
        raise Unreadable(f"{name} is no regular file")
    return place


def _is_hidden(part: str) -> bool:
    """Whether a name is a hidden one; a volume of configuration keeps its files behind a link to `..2026_11_26`."""
    return part.startswith(".") and not part.startswith("..")
