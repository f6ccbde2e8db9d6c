"""Where state lives when nobody says otherwise, and where a SQLite library is."""

from __future__ import annotations

from pathlib import Path

from seed_library.core.errors import SettingsInvalid
from seed_library.core.path_names import path_fault

APP_NAME = "seed-library"
_STATE_DIR = "SEED_LIBRARY_STATE_DIR"


def resolve_state_dir(setting: Path | None) -> Path:
    """Return the state directory: the setting, or the user's own place for state.

    Raises:
        SettingsInvalid: there is none that could be used; it is never a folder below the working one by accident.
    """
    if setting is not None:
        return _absolute(setting)
    from platformdirs import user_state_path

    try:
        place = user_state_path(APP_NAME, appauthor=False)
    except RuntimeError:  # newer versions say so, older ones return what is no place
        place = Path()
    if not place.is_absolute():
        raise SettingsInvalid(
            f"{_STATE_DIR} is not set, and this user has no home folder to keep lock and journal in.",
            hint=f"Set {_STATE_DIR} to a folder that stays. Nothing was started.",
        )
    return place


def _absolute(setting: Path) -> Path:
    fault = path_fault(str(setting))
    try:
        if not fault:
            return setting.expanduser().absolute()
    except RuntimeError:
        fault = "names a home folder that nobody has"
    except OSError as error:  # the working folder is gone
        fault = f"cannot be found from here ({error.strerror})"
    raise SettingsInvalid(f"{_STATE_DIR} {fault}.", hint="Name a folder by its whole path. Nothing was started.")


def sqlite_file(path: str) -> str:
    """Return the whole path of a SQLite library.

    Raises:
        ValueError: it can be none; the text says why.
    """
    if fault := path_fault(path):
        raise ValueError(fault)
    try:
        return str(Path(path).expanduser().resolve())
    except RuntimeError:
        raise ValueError("names a home folder that nobody has, or links that lead in a circle") from None
    except OSError as error:
        raise ValueError(f"cannot be used ({error.strerror})") from None
