"""A shell completes verbs, options and the catalogs that there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _completed(line: str, folder: Path) -> set[str]:
    words = line.split(" ")
    environment = {
        "_SEED_LIBRARY_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "SEED_LIBRARY_STATE_DIR": str(folder / "state"),
    }
    program = Path(sys.executable).with_name("seed-library")
    ended = subprocess.run([program], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return {offer.partition(",")[2] for offer in ended.stdout.splitlines() if offer}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("seed-library re", {"rehearse", "review", "report"}),
        ("seed-library run --ref", {"--refresh"}),
        ("seed-library run --refresh ", {"changed", "all", "rejected"}),
        ("seed-library plan ba", {"bazi_pillars", "bazi_day_masters"}),
        ("seed-library status zo", {"zodiac_signs"}),
    ],
)
def test_what_can_follow_is_offered(line: str, offered: set[str], tmp_path: Path) -> None:
    """From the packaged catalogs, where there are no others."""
    assert _completed(line, tmp_path) == offered


def test_catalogs_of_the_folder_one_works_in_are_offered(tmp_path: Path) -> None:
    """And nothing where they cannot be read."""
    folder = tmp_path / "prompts" / "tea_cards"
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text('version = 1\nname = "tea_cards"\n')
    assert _completed("seed-library plan ", tmp_path) == {"tea_cards"}
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert _completed("seed-library plan ", tmp_path) == set()
