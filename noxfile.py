"""Every check of the project, defined once: `nox` runs what CI runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "docs", "tests", "wheel"]
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2025.5"

ROOT = Path(__file__).resolve().parent
SERVER = ROOT / "tests" / "server"
MOCK_AI_API = ROOT / ".nox" / "mock-ai-api"
DEBIAN_PACKAGES = ("postgresql", "nodejs", "npm", "chromium", "chromium-driver", "strace")


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
    session.run("pytest", *(session.posargs or ["-n", "2"]), env=_servers(session))


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, with the lines and branches that they reach."""
    session.install("-e", ".[test]")
    session.run("coverage", "run", "-m", "pytest", *session.posargs, env=_servers(session))
    session.run("coverage", "report", "--show-missing", "--skip-covered")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel alone, far from the source: it installs, rehearses the library, and does nothing the second time."""
    folder = Path(session.create_tmp())
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(ROOT), silent=True)
    (built,) = (folder / "dist").glob("*.whl")
    session.install("--force-reinstall", str(built))
    built.unlink()
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    environment = {"SEED_LIBRARY_STATE_DIR": str(work / "state"), "PYTHONSAFEPATH": "1"}
    with session.chdir(work):
        for wanted in ('"generated": 180', '"generated": 0'):
            said = session.run("seed-library", "rehearse", "--json", env=environment, silent=True)
            last = str(said).strip().splitlines()[-1]
            if wanted not in last or '"exit_code": 0' not in last:
                session.error(f"expected {wanted}, got {last}")


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Tests against the real services; they need real keys in the environment and cost a few cents."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "live", "--force-enable-socket", *session.posargs)


@nox.session(default=False)
def chaos(session: nox.Session) -> None:
    """Long trials under fire: `nox -s chaos -- [messages|batches|power] --trials N --seed S --jobs J`."""
    session.install("-e", ".[test]")
    path = {"PYTHONPATH": str(ROOT / "tests")}
    session.run("python", "-m", "chaos", *session.posargs, env={**_servers(session), **path})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure throughput, start-up and resuming (see bench/README.md)."""
    session.install("-e", ".[test]")
    for script in session.posargs or ["startup", "throughput", "resume"]:
        session.run("python", "-m", f"bench.{script}", env=_servers(session))


def _servers(session: nox.Session) -> dict[str, str]:
    """Install what the test servers need; return the environment that makes their absence a failure."""
    _install_debian_packages(session)
    session.run("npm", "ci", "--prefix", str(SERVER), "--no-audit", "--no-fund", external=True, silent=True)
    if not (MOCK_AI_API / "bin" / "mock-ai-api").exists():
        session.run("python", "-m", "venv", "--clear", str(MOCK_AI_API), silent=True)
        session.run(str(MOCK_AI_API / "bin" / "pip"), "install", "-q", "mock-ai-api==0.1.1", external=True, silent=True)
    return {
        "SEED_REQUIRE_SERVERS": "1",
        "SEED_TEST_MOCK_AI_API_PYTHON": str(MOCK_AI_API / "bin" / "python"),
    }


def _install_debian_packages(session: nox.Session) -> None:
    has_postgres = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if has_postgres and all(map(shutil.which, ("node", "npm", "chromium", "chromedriver", "strace"))):
        return
    if shutil.which("apt-get") is None:
        session.error("The tests need Postgres (initdb), node 20, npm, chromium, chromedriver, strace: install them.")
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    session.run(*prefix, "apt-get", "update", external=True, silent=True)
    session.run(*prefix, "apt-get", "install", "-y", *DEBIAN_PACKAGES, external=True, silent=True)
