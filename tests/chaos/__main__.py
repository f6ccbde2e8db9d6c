"""Long trials: `python -m chaos messages|batches --trials N --seed S`, with `tests` on the path; 1 on a violation."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Postgres, Supabase

from chaos import batch_kills, message_runs

_TRIALS = {"batches": batch_kills.trial, "messages": message_runs.trial}


def main() -> int:
    """Run the trials and print what they met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=list(_TRIALS))
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    postgres = Postgres()
    supabase, messages = Supabase(postgres, MIGRATIONS), MessagesServer()
    met: Counter[str] = Counter()
    violated = 0
    try:
        for seed in range(wanted.seed, wanted.seed + wanted.trials):
            folder = Path(tempfile.mkdtemp(prefix="seed-library-chaos-"))
            verdict = _TRIALS[wanted.kind](seed, folder / "work", messages, supabase)
            met += verdict.met
            violated += bool(verdict.violations)
            if verdict.violations:
                print(f"seed {seed}: {'; '.join(verdict.violations)}", flush=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        supabase.stop()
        messages.stop()
        postgres.stop()
    for what, times in sorted(met.items()):
        print(f"{times:>6}  {what}")
    print(f"{wanted.trials} trials from seed {wanted.seed}: {violated} with violations")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
