"""A few of the long trials, so that every change meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.batch_kills import trial


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_batch_survives_what_its_seed_draws(
    seed: int, messages: MessagesServer, supabase: Supabase, tmp_path: Path
) -> None:
    """Killed once to three times, answers lost, results broken: every row there, nothing billed twice."""
    verdict = trial(seed, tmp_path / "work", messages, supabase)
    assert verdict.violations == []
    assert sum(verdict.met.values()) > 0
