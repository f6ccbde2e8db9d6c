"""The documents cannot lie: what they list is what there is."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import pytest

from seed_library.cli.app import VERBS
from seed_library.core.errors import ExitCode

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    """What a new user types is what CI has seen working."""
    commands = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert len(commands) == 2
    assert [line for line in script if line in commands] == commands


def test_every_verb_is_in_the_readme_with_help_of_its_own() -> None:
    """No verb is hidden, and its line in `--help` is its docstring."""
    for verb, (module, line) in VERBS.items():
        assert re.search(rf"^\| `{verb}\b", README, re.MULTILINE), verb
        name = f"{verb}_" if iskeyword(verb) else verb
        assert getattr(import_module(module), name).help == line


def test_every_exit_code_is_in_the_readme() -> None:
    """The table is the interface."""
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert rows == set(ExitCode)


def test_every_setting_is_in_the_readme() -> None:
    """`.env.example` explains them, the README lists them."""
    names = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    assert [name for name in names if f"`{name}`" not in README] == []


_PAGES = [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/**/*.md"))]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "prompts/README.md", "bench/README.md", *_PAGES]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """Every relative link names a file."""
    place = ROOT / document
    for target in re.findall(r"\]\(([^)#:]+)\)", place.read_text("utf-8")):
        assert (place.parent / target).exists(), target


def test_the_lock_file_of_the_test_server_names_no_registry() -> None:
    """Versions and hashes only; the machine's own settings say where to fetch them."""
    assert '"resolved"' not in (ROOT / "tests" / "server" / "package-lock.json").read_text("utf-8")


def test_the_picture_of_the_architecture_shows_the_layers_that_are_checked() -> None:
    """From top to bottom, with the words that the contract uses."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = [name.strip() for layer in contracts[0]["layers"] for name in layer.split("|")]
    picture = (ROOT / "docs" / "explanation" / "architecture.svg").read_text("utf-8")
    boxes = re.findall(r'<text x="(?:34|209|414)" y="(\d+)" class="t">(\w+)</text>', picture)
    assert [name for _, name in sorted(boxes, key=lambda box: int(box[0]))] == layers
