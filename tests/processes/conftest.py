"""The program in front of both servers, with a state directory of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from processes.cards import Cards
from processes.odd_library import fill
from processes.own_tables import shared_project  # noqa: F401  a fixture
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase


@pytest.fixture
def offline(tmp_path: Path) -> Program:
    """The program without any setting."""
    return Program(tmp_path / "work")


@pytest.fixture
def program(tmp_path: Path, messages: MessagesServer, supabase: Supabase) -> Program:
    """The program with a complete configuration, for the German half of the packaged catalog."""
    settings = {**messages.environment, **supabase.environment, "SEED_LIBRARY_LOCALES": "de"}
    return Program(tmp_path / "work", settings)


@pytest.fixture
def cards(tmp_path: Path, messages: MessagesServer) -> Cards:
    """The catalog `cards` in front of the scripted Messages API, with a file as its library."""
    settings = {**messages.environment, "SEED_LIBRARY_STORE": "sqlite:library.sqlite3"}
    return Cards(Program(tmp_path / "work", settings))


@pytest.fixture
def odd_texts(cards: Cards) -> Cards:
    """A library of texts that look like something else."""
    fill(cards)
    return cards
