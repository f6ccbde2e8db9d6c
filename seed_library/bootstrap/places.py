"""Where state lives when nobody says otherwise."""

from __future__ import annotations

from pathlib import Path

APP_NAME = "seed-library"


def resolve_state_dir(setting: Path | None) -> Path:
    """Return the state directory: the setting, or the user's own place for state."""
    if setting is not None:
        return setting.expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path(APP_NAME, appauthor=False)
