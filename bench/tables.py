"""Printing what was measured beside what is wanted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `target` is an upper bound, None where the figure only explains another one."""

    case: str
    figure: str
    measured: float
    target: float | None = None
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        return "met" if self.measured <= self.target else "MISSED"


def show(lines: Sequence[Line], file: Path | None) -> None:
    """Print a table; also write it as JSON where a file is given."""
    heading = ("case", "figure", "measured", "target", "unit", "")
    rows = [heading, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for row in rows:
        case, figure, *rest = row
        left = f"{case:<{widths[0]}}  {figure:<{widths[1]}}"
        print(left, *(f"{cell:>{width}}" for cell, width in zip(rest, widths[2:], strict=True)), sep="  ")
    if file is not None:
        document = [{**asdict(line), "verdict": line.verdict} for line in lines]
        file.write_text(json.dumps(document, indent=2) + "\n")


def _cells(line: Line) -> tuple[str, str, str, str, str, str]:
    target = "" if line.target is None else f"{line.target:.2f}"
    return line.case, line.figure, f"{line.measured:.3f}", target, line.unit, line.verdict
