"""How long do the verbs take that load no vendor, against the start of a bare interpreter?

Every round starts each command once, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.launching import measured
from bench.tables import Line, show

_PROGRAM = str(Path(sys.executable).with_name("seed-library"))
_BARE = "bare interpreter"
_COMMANDS = {
    _BARE: [sys.executable, "-c", "pass"],
    "import click": [sys.executable, "-c", "import click"],
    "seed-library --help": [_PROGRAM, "--help"],
    "seed-library status": [_PROGRAM, "status"],
    "seed-library catalogs": [_PROGRAM, "catalogs"],
    "seed-library run --help": [_PROGRAM, "run", "--help"],
    "seed-library plan --locale de": [_PROGRAM, "plan", "--locale", "de"],  # 180 items
}
_TARGETS = {"seed-library --help": 4.0}


def lines_of(seconds: Mapping[str, Sequence[float]]) -> Iterator[Line]:
    """Turn the rounds into figures: medians, and medians of the ratios within a round."""
    for name, taken in seconds.items():
        ratio = statistics.median(one / bare for one, bare in zip(taken, seconds[_BARE], strict=True))
        yield Line(name, f": {_BARE}", ratio, _TARGETS.get(name))
        yield Line(name, "time", statistics.median(taken) * 1000, None, "ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        settings = {"HOME": folder, "XDG_STATE_HOME": folder}
        for _ in range(1 + asked.rounds):
            for name, command in _COMMANDS.items():
                seconds[name].append(measured(command, settings, Path(folder)).seconds)
    show(list(lines_of({name: taken[1:] for name, taken in seconds.items()})), asked.json)  # the first fills caches


if __name__ == "__main__":
    main()
