"""A few of the long trials, so that every change meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.message_runs import trial


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_run_survives_what_its_seed_draws(
    seed: int, messages: MessagesServer, supabase: Supabase, tmp_path: Path
) -> None:
    """Killed, stopped, frozen, with a bad network and database: every row there, nothing paid lost or hidden."""
    verdict = trial(seed, tmp_path / "work", messages, supabase)
    assert verdict.violations == []
    assert sum(verdict.met.values()) > 0
