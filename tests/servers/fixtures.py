"""Fixtures of the servers: one of each per session, reset for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from toolchain import required

from servers.processes import MessagesServer, MockAiApi
from servers.supabase import MIGRATIONS, Postgres, ServersMissing, Supabase


def _cannot(missing: ServersMissing) -> NoReturn:
    if required():
        pytest.fail(f"SEED_REQUIRE_SERVERS=1, but {missing}")
    pytest.skip(str(missing))


@pytest.fixture(scope="session")
def messages_session() -> Iterator[MessagesServer]:
    """The scripted Messages API server."""
    server = MessagesServer()
    yield server
    server.stop()


@pytest.fixture
def messages(messages_session: MessagesServer) -> MessagesServer:
    """The scripted Messages API server, with nothing remembered."""
    messages_session.reset()
    return messages_session


@pytest.fixture(scope="session")
def mock_ai_api() -> Iterator[MockAiApi]:
    """The independent Messages API server."""
    try:
        server = MockAiApi()
    except ServersMissing as missing:
        _cannot(missing)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A throw-away Postgres."""
    try:
        server = Postgres()
    except ServersMissing as missing:
        _cannot(missing)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def supabase_session(postgres: Postgres) -> Iterator[Supabase]:
    """A project with every migration applied."""
    try:
        server = Supabase(postgres, MIGRATIONS)
    except ServersMissing as missing:
        _cannot(missing)
    yield server
    server.stop()


@pytest.fixture
def supabase(supabase_session: Supabase) -> Supabase:
    """A project with every migration applied and an empty library."""
    supabase_session.reset()
    return supabase_session


@pytest.fixture
def project(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[..., Supabase]]:
    """A factory of projects with a schema of their own: migrations by file, or SQL as text."""
    with _projects(postgres, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def module_project(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Supabase]]:
    """The same factory, for projects that all tests of a module share; those have to tidy up."""
    with _projects(postgres, tmp_path_factory.mktemp("sql")) as start:
        yield start


@contextmanager
def _projects(postgres: Postgres, folder: Path) -> Iterator[Callable[..., Supabase]]:
    started: list[Supabase] = []

    def start(*sql: Path | str, max_rows: int = 1000, warm: bool = True) -> Supabase:
        files: Sequence[Path] = [_as_file(folder, number, part) for number, part in enumerate(sql)]
        try:
            started.append(Supabase(postgres, files, max_rows=max_rows, warm=warm))
        except ServersMissing as missing:
            _cannot(missing)
        return started[-1]

    yield start
    for server in started:
        server.stop()


def _as_file(folder: Path, number: int, part: Path | str) -> Path:
    if isinstance(part, Path):
        return part
    file = folder / f"{number}.sql"
    file.write_text(part)
    return file
