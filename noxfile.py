"""Every check of the project, defined once: `nox` runs what CI runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))  # nox looks in no folder of ours

from toolchain import CannotBeHad, prepare  # noqa: E402  after the line that makes it possible

nox.options.sessions = ["lint", "docs", "tests", "chaos", "wheel", "lowest", "pythons", "fresh"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False  # CI has what it has; the oldest interpreter is always there
nox.needs_version = ">=2025.5"

QUICK = (
    "tests/core",
    "tests/engine",
    *(f"tests/adapters/{page.name}" for page in sorted(ROOT.glob("tests/adapters/test_claude_*.py"))),
    "tests/adapters/test_journal.py",
    "tests/adapters/test_lock.py",
    "tests/adapters/test_review_server.py",
    "tests/adapters/test_sqlite_store.py",
)
TOUCHING_EVERY_TOOL = (
    "tests/adapters/test_mock_ai_api.py",
    "tests/adapters/test_supabase_store.py",
    "tests/chaos/test_power_cuts.py",
    "tests/processes/test_review_page.py",
    "tests/servers",
)

# nox looks for interpreters on the PATH only; pyenv keeps them elsewhere.
os.environ["PATH"] += "".join(f"{os.pathsep}{place}" for place in Path.home().glob(".pyenv/versions/3.1[2-9]*/bin"))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and layering."""
    session.install("-e", ".[test,lint]", "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in .site/; a link that leads nowhere fails. The notes of the next release, as they would be."""
    session.install(".[docs]")
    session.run("mkdocs", "build", "--quiet")
    session.run("towncrier", "build", "--draft", "--version", "next", "--date", "2026-01-01")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, with every server they need; arguments go to pytest."""
    session.install("-e", ".[test]")
    at_once = ["-n", "3"]  # on two cores: many tests wait for processes
    session.run("pytest", *(session.posargs or at_once), env=_servers(session))


@nox.session(default=False)
def quick(session: nox.Session) -> None:
    """A few minutes of tests that touch every program that the tests need."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-n", "2", *QUICK, *TOUCHING_EVERY_TOOL, env=_servers(session))


@nox.session(venv_backend="none")
@nox.parametrize("node", ["none", "foreign"])
def fresh(session: nox.Session, node: str) -> None:
    """A Debian with nothing, a clone in it, and the two commands of the README (see tests/fresh_machine.py)."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        session.skip("it needs root on a Debian: debootstrap makes the machine in a folder")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode:  # noqa: S607  on the path
        session.skip("it needs mounts of its own, which this machine does not allow (unshare --mount)")
    session.run(
        *(sys.executable, str(ROOT / "tests" / "fresh_machine.py")),
        *(["--foreign-node"] if node == "foreign" else []),
        env={"PYTHONPATH": str(ROOT / "tests")},
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, with the lines and branches that they reach."""
    session.install("-e", ".[test]")
    session.run("coverage", "run", "-m", "pytest", *session.posargs, env=_servers(session))
    session.run("coverage", "report", "--show-missing", "--skip-covered")


@nox.session
def wheel(session: nox.Session) -> None:
    """What is given away, far from the source: it installs, rehearses the library, and does nothing the second time.

    The source archive is made, the wheel is made from it, twice, and is the same both times; both are searched for
    secrets; the bill of materials is written beside them.
    """
    folder = Path(session.create_tmp())
    shutil.rmtree(folder, ignore_errors=True)
    tools = _tools(session, folder / "tools", "build", "cyclonedx-bom>=7")
    for dist in ("dist", "again"):
        session.run(
            str(tools / "python"), "-m", "build", "--outdir", str(folder / dist), str(ROOT), external=True, silent=True
        )
    built = sorted((folder / "dist").iterdir())
    for archive in built:
        if archive.read_bytes() != (folder / "again" / archive.name).read_bytes():
            session.error(f"{archive.name} differs from build to build")
    session.run("python", "-m", "artifacts", *map(str, built), env={"PYTHONPATH": str(ROOT / "tests")})
    (made,) = (archive for archive in built if archive.suffix == ".whl")
    session.install("--force-reinstall", str(made))
    bill = folder / "dist" / "bill-of-materials.json"
    session.run(
        str(tools / "cyclonedx-py"), "environment", str(Path(session.bin) / "python"), "-o", str(bill), external=True
    )
    _rehearse_twice(session, folder / "work")


@nox.session
def lowest(session: nox.Session) -> None:
    """The oldest packages that pyproject.toml allows; what `QUICK` names has to work with them."""
    session.install("uv")
    session.run("uv", "pip", "install", "-q", "--resolution", "lowest-direct", "-e", ".[languages]", silent=True)
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-n", "2", *QUICK, env=_servers(session))
    _rehearse_twice(session, Path(session.create_tmp()) / "work")


@nox.session(python=["3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """The newer interpreters, where they are installed; CI itself runs on the oldest one."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-n", "2", *QUICK, env=_servers(session))


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of the packages in use; it needs an advisory service on the network."""
    session.install(".", "pip-audit>=2.9")
    session.run("pip-audit", "--strict", "--skip-editable")


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Tests against the real services; they need real keys in the environment and cost a few cents."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "live", "--force-enable-socket", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """Long trials under fire: `nox -s chaos -- [messages|batches|power] --trials N --seed S --jobs J`."""
    session.install("-e", ".[test]")
    path = {"PYTHONPATH": str(ROOT / "tests")}
    session.run("python", "-m", "chaos", *session.posargs, env={**_servers(session), **path})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure speed and memory (see bench/README.md): `nox -s bench -- throughput --peers --items 180 2000`."""
    session.install("-e", ".[test,bench]")
    environment = {**_servers(session), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    if session.posargs:
        session.run("python", "-m", f"bench.{session.posargs[0]}", *session.posargs[1:], env=environment)
        return
    for script in ("startup", "gates", "throughput", "resume", "rehearsed", "batches", "rates", "killed"):
        session.run("python", "-m", f"bench.{script}", env=environment)


def _tools(session: nox.Session, place: Path, *packages: str) -> Path:
    """Install tools apart from what they work on; return the folder of their programs."""
    session.run("python", "-m", "venv", "--clear", str(place), silent=True)
    programs = place / "bin"
    session.run(str(programs / "python"), "-m", "pip", "install", "-q", *packages, external=True, silent=True)
    return programs


def _rehearse_twice(session: nox.Session, work: Path) -> None:
    """Do the main job in an empty folder, and find it done."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    environment = {
        "SEED_LIBRARY_STATE_DIR": str(work / "state"),
        "SEED_LIBRARY_LOCALES": "de",
        "PYTHONSAFEPATH": "1",
    }
    with session.chdir(work):
        for wanted in ('"generated": 180', '"generated": 0'):
            said = session.run("seed-library", "rehearse", "--json", env=environment, silent=True)
            last = str(said).strip().splitlines()[-1]
            if wanted not in last or '"exit_code": 0' not in last:
                session.error(f"expected {wanted}, got {last}")


def _servers(session: nox.Session) -> dict[str, str]:
    """Install what the tests need and this machine lacks; return the environment that makes an absence a failure."""
    try:
        return prepare(ROOT / ".nox")
    except CannotBeHad as missing:
        session.error(str(missing))
