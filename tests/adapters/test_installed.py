"""Packages that another installation has replaced are named before anything is paid."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires

import pytest

from seed_library.adapters import installed
from seed_library.adapters.installed import packages_check

INSTALLED = {"anthropic": "2.14.0", "filelock": "4.2", "httpx": "0.28.1", "rich": "15.0rc1", "odd": "unknown"}


@pytest.fixture(autouse=True)
def _known_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        try:
            return INSTALLED[name]
        except KeyError:
            raise PackageNotFoundError(name) from None

    monkeypatch.setattr(installed, "version", version)


@pytest.mark.parametrize(
    "requirement",
    [
        "anthropic<3,>=2.12",
        "anthropic>=2.14.0",
        "filelock>=4.2.0",
        "filelock",
        "httpx<0.29,>=0.28",
        "rich>=14",
        "missing>=1; extra == 'test'",
    ],
)
def test_what_is_as_needed_is_no_fault(requirement: str) -> None:
    """Bounds are compared as numbers, 2.14 being more than 2.12 and 4.2 the same as 4.2.0."""
    assert packages_check([requirement]).ok


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("anthropic>=2.15", "anthropic 2.14.0 is installed, and >=2.15 is needed"),
        ("anthropic<2.14,>=2", "anthropic 2.14.0 is installed, and <2.14,>=2 is needed"),
        ("httpx>=1", "httpx 0.28.1 is installed, and >=1 is needed"),
        ("odd>=1", "odd unknown is installed, and >=1 is needed"),
        ("absent>=1", "absent is not installed"),
    ],
)
def test_what_is_not_as_needed_is_named(requirement: str, said: str) -> None:
    """With what is there, what is needed, and what to do."""
    check = packages_check(["filelock>=4", requirement])
    assert (check.ok, check.message) == (False, said)
    assert "pip install --upgrade seed-library" in check.hint


def test_the_program_knows_its_own_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for them where pip has written them down."""
    monkeypatch.undo()
    assert packages_check().ok
    wanted = " ".join(requires("seed-library") or ())
    assert all(name in wanted for name in ("anthropic", "supabase", "pydantic-settings", "tenacity", "filelock"))


def test_a_program_that_pip_does_not_know_has_no_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs from a folder on the path; whoever does that looks after its packages."""

    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installed, "requires", unknown)
    assert packages_check().ok
