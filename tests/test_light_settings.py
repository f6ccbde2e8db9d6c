"""The quick reader behind `status` sees what the full settings see, without loading them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from adapters.catalog_maker import make_catalog

from seed_library.adapters.catalog_folders import meant_catalog
from seed_library.adapters.lock import TargetLock, holder_of
from seed_library.adapters.process import this_process
from seed_library.adapters.state import TargetFolder
from seed_library.bootstrap.light import read_light_settings, status_folder
from seed_library.bootstrap.places import resolve_state_dir
from seed_library.bootstrap.preparing import Flags, Surroundings, prepare
from seed_library.core.errors import SettingsInvalid, UsageInvalid
from seed_library.settings import Needs, load_settings

NOW = datetime(2026, 11, 25, tzinfo=UTC)
URL = "https://abcdefgh.supabase.co"
CASES: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, ""),
    "environment": ({"SUPABASE_URL": URL, "SEED_LIBRARY_CATALOG": "stars", "SEED_LIBRARY_PROMPTS_DIR": "own"}, ""),
    "file": ({}, f"SUPABASE_URL={URL}\nSEED_LIBRARY_CATALOG=stars\nSEED_LIBRARY_PROMPTS_DIR='own'\n"),
    "lower case and a shell's habits": ({"supabase_url": URL}, "export seed_library_state_dir=~/state  # here\n"),
    "environment over file": ({"SUPABASE_URL": URL}, "SUPABASE_URL=https://zyxwvuts.supabase.co\n"),
    "empty environment": ({"SUPABASE_URL": "", "SEED_LIBRARY_STORE": ""}, f"SUPABASE_URL={URL}\n"),
    "empty lines": ({}, f"SEED_LIBRARY_STORE=\nSEED_LIBRARY_CATALOG\nSUPABASE_URL={URL}\n"),
    "blanks and slashes": ({"SUPABASE_URL": f" {URL}/\n"}, ""),
    "byte order mark": ({}, f"\ufeffSUPABASE_URL={URL}\n"),
    "quotes and variables": ({"REF": "abcdefgh"}, 'SUPABASE_URL="https://${REF}.supabase.co"\n'),
    "relative file": ({"SEED_LIBRARY_STORE": "sqlite:own/../a.db", "SEED_LIBRARY_STATE_DIR": "state/./here"}, ""),
    "file at home": ({"SEED_LIBRARY_STORE": "sqlite:~/a.db", "SUPABASE_URL": URL}, ""),
    "own prompts": ({"SEED_LIBRARY_CATALOG": "stars", "SEED_LIBRARY_STORE": "sqlite:a.db"}, ""),
}


@pytest.fixture(autouse=True)
def _own_catalog() -> None:
    """Let there be a catalog with another table in `own` and in `prompts`."""
    make_catalog(Path("own"))
    make_catalog(Path("prompts"))


def _set(environment: Mapping[str, str], lines: str, patch: pytest.MonkeyPatch) -> Path:
    for name, value in environment.items():
        patch.setenv(name, value)
    path = Path(".env")
    path.write_text(lines)
    return path


@pytest.mark.parametrize(("environment", "lines"), CASES.values(), ids=CASES)
def test_both_readers_agree_on_every_setting_they_share(
    environment: dict[str, str], lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the values stand and however they are written."""
    env_file = _set(environment, lines, monkeypatch)
    light, full = read_light_settings(env_file), load_settings(env_file, {}, Needs(), environment, NOW)
    assert (light.catalog or meant_catalog(Path("nowhere"))) == full.seed_library_catalog
    assert light.store == full.seed_library_store
    assert light.supabase_url == (full.supabase_url or "")
    assert light.prompts_dir == full.seed_library_prompts_dir
    assert light.state_dir == resolve_state_dir(full.seed_library_state_dir)


@pytest.mark.parametrize(("environment", "lines"), CASES.values(), ids=CASES)
def test_status_looks_where_a_run_works(
    environment: dict[str, str], lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of the target is the same one, with and without flags."""
    environment = {"SEED_LIBRARY_CATALOG": "stars", **environment}
    env_file = _set(environment, lines, monkeypatch)
    for store in (None, "sqlite:b.db", "supabase"):
        flags = Flags(catalog="stars", store=store, env_file=env_file)
        expected = prepare(flags, Needs(), Surroundings(environment, NOW)).folder
        assert status_folder(env_file, "stars", store) == expected
    assert status_folder(env_file, None, "sqlite:b.db") == status_folder(env_file, "stars", "sqlite:b.db")


def test_without_any_target_the_one_used_last_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal needs no settings, and neither does asking how it went."""
    monkeypatch.setenv("SEED_LIBRARY_STATE_DIR", str(tmp_path))
    assert status_folder(None, None, None) is None
    for name, hour in (("first", "09"), ("last", "11"), ("middle", "10")):
        folder = TargetFolder(tmp_path / "targets" / name)
        folder.create()
        at = f"2026-11-25T{hour}:00:00+00:00"
        lock = TargetLock(folder)
        holder = holder_of(this_process(), run_id=name, started_at=at, command="run", version="0")
        lock.acquire(holder, progress=str)
        lock.release()
    (tmp_path / "targets" / "never-used").mkdir()
    assert status_folder(None, None, None) == TargetFolder(tmp_path / "targets" / "last")


@pytest.mark.parametrize(
    "url", ["http://[::1", "https://db.example.com:port", "db.example.com", "http://db.example.com"]
)
def test_an_address_that_cannot_be_used_is_a_fault_of_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, although the full settings are never asked."""
    monkeypatch.setenv("SUPABASE_URL", url)
    with pytest.raises(SettingsInvalid, match=r"^SUPABASE_URL "):
        status_folder(None, None, None)


def test_a_store_of_no_kind_is_refused() -> None:
    """The flag is as wrong as the setting would be."""
    with pytest.raises(UsageInvalid, match="'postgres' is no store"):
        status_folder(None, None, "postgres")


def test_a_file_that_is_not_utf8_is_refused_without_showing_it() -> None:
    """The decoder's own error would carry the whole file."""
    path = Path(".env")
    path.write_bytes(b"SUPABASE_SECRET_KEY=sb_secret_HIDDEN\n# f\xfcr mich\n")
    with pytest.raises(SettingsInvalid) as caught:
        read_light_settings(path)
    assert caught.value.message == ".env is not UTF-8 (byte 40)."
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_the_quick_reader_loads_neither_the_settings_class_nor_a_vendor() -> None:
    """`status` must answer at once; pydantic alone costs longer than that."""
    code = (
        "import sys; from pathlib import Path; from seed_library.bootstrap.light import status_folder; "
        "Path('.env').touch(); status_folder(Path('.env'), None, 'sqlite:a.db'); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    environment = {name: os.environ[name] for name in ("HOME", "PATH")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "seed_library" in loaded
    assert not loaded & {"pydantic", "pydantic_settings", "anthropic", "supabase", "httpx", "jinja2", "rich", "asyncio"}
