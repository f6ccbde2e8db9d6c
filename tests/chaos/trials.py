"""Doing many trials, one after the other, in front of one pair of servers."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Postgres, Supabase

from chaos import batch_kills, message_runs
from chaos.verdict import Verdict

KINDS = ("all", "messages", "batches")
_BATCHES_EVERY = 4
_Trial = Callable[[int, Path, MessagesServer, Supabase], Verdict]


def _trial_of(kind: str, seed: int) -> _Trial:
    batches = kind == "batches" or (kind == "all" and seed % _BATCHES_EVERY == 0)
    return batch_kills.trial if batches else message_runs.trial


def run_trials(kind: str, seeds: Sequence[int]) -> tuple[Counter[str], list[str]]:
    """Do these trials in front of servers of their own; return what they met and what was violated."""
    met: Counter[str] = Counter()
    violations: list[str] = []
    postgres = Postgres()
    supabase, messages = Supabase(postgres, MIGRATIONS), MessagesServer()
    try:
        for seed in seeds:
            folder = Path(tempfile.mkdtemp(prefix="seed-library-chaos-"))
            verdict = _trial_of(kind, seed)(seed, folder / "work", messages, supabase)
            met += verdict.met
            if verdict.violations:
                violations.append(f"seed {seed}: {'; '.join(verdict.violations)} (its files: {folder})")
            else:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        supabase.stop()
        messages.stop()
        postgres.stop()
    return met, violations
