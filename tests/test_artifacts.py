"""The search through what is given away finds what it is looking for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from artifacts import _WANTED, faults


def _wheel(place: Path, **files: str) -> Path:
    wheel = place / "some-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in _WANTED[".whl"]:
            archive.writestr(name, "")
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return wheel


def test_a_clean_wheel_has_no_fault(tmp_path: Path) -> None:
    """Everything that has to be there, and nothing else."""
    assert list(faults(_wheel(tmp_path, module="key = 'sk-ant-example-key'"))) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'sb_secret_'\n'" + "Zk4" * 9 + "'", "Supabase key"),
        ("index = 'https://pypi" + chr(46) + "org/simple'", "host of a registry"),
    ],
)
def test_what_must_not_be_given_away_is_found(tmp_path: Path, text: str, said: str) -> None:
    """Also in pieces."""
    assert list(faults(_wheel(tmp_path, module=text))) == [f"module.py: {said}"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A wheel without its catalogs would install and do nothing."""
    empty = tmp_path / "empty-1.whl"
    with zipfile.ZipFile(empty, "w"):
        pass
    assert len(list(faults(empty))) == len(_WANTED[".whl"])
