"""Draw the figures of `throughput --json FILE` as bars: `python -m bench.plot FILE PICTURE.svg`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

_BARE = "bare loop"


def ratios(lines: list[dict[str, str | float]]) -> dict[str, dict[str, float]]:
    """Return, per case, how long each program takes when the bare loop takes 1."""
    ours: dict[str, dict[str, float]] = {}
    for line in lines:
        case, figure, measured = str(line["case"]), str(line["figure"]), float(line["measured"])
        program, _, other = figure.partition(" : ")
        if program == "seed-library" and other not in {"", "ideal"}:
            ours.setdefault(case, {})[other] = measured
    return {
        case: {"seed-library": found[_BARE], **{name: found[_BARE] / found[name] for name in found if name != _BARE}}
        for case, found in ours.items()
    }


def draw(cases: dict[str, dict[str, float]], picture: Path) -> None:
    """One row per case, one dot per program; logarithmic, since some take ten times as long."""
    mpl.rcParams["svg.hashsalt"] = "seed-library"  # the same figures make the same file
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.4 * len(cases)))
    rows = range(len(cases))
    for program in next(iter(cases.values())):
        values = [found.get(program, float("nan")) for found in cases.values()]
        axes.plot(values, rows, "o", markersize=8, alpha=0.8, label=program)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(list(rows), list(cases), fontsize=8)
    axes.set_xscale("log")
    ticks = (0.8, 1, 1.25, 1.5, 2, 5, 10, 20)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=8)
    axes.set_xticks([], minor=True)
    axes.invert_yaxis()
    axes.margins(y=0.3)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("time at the server, the bare loop over the SDK being 1 (further left is faster)", fontsize=8)
    axes.legend(fontsize=8, loc="upper right")
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    draw(ratios(json.loads(Path(sys.argv[1]).read_text())), Path(sys.argv[2]))
