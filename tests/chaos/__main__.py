"""Long trials: `python -m chaos [messages|batches|power] --trials N --seed S --jobs J`; ends with 1 on a violation.

`tests` has to be on the path. Without a kind, every fourth trial is one of batches; `power` cuts the power of journals.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from dispositions import hear_every_signal

from chaos.power_cuts import cut_often
from chaos.trials import KINDS, run_trials

_AT_ONCE = 30  # trials between two words of progress


def main() -> int:
    """Run the trials and print what they met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=[*KINDS, "power"], default="all")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    hear_every_signal()
    if wanted.kind == "power":
        return _cut_power(wanted.trials, wanted.seed)
    seeds = range(wanted.seed, wanted.seed + wanted.trials)
    parts = [seeds[start : start + _AT_ONCE] for start in range(0, len(seeds), _AT_ONCE)]
    met: Counter[str] = Counter()
    done = violated = 0
    with ProcessPoolExecutor(wanted.jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run_trials, wanted.kind, part): part for part in parts}
        for future in as_completed(running):
            more, violations = future.result()
            met += more
            done += len(running[future])
            violated += len(violations)
            print(*violations, f"{done} of {wanted.trials} trials, {violated} with violations", sep="\n", flush=True)
    for what, times in sorted(met.items()):
        print(f"{times:>7,}  {what}")
    print(f"{wanted.trials} trials from seed {wanted.seed}: {violated} with violations")
    return 1 if violated else 0


def _cut_power(cuts: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        met = cut_often(Path(folder), cuts, seed)
    for what, times in sorted(met.items()):
        print(f"{times:>7,}  {what}")
    return 1 if met["cuts that lost an acknowledged record"] else 0


if __name__ == "__main__":
    sys.exit(main())
