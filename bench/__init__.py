"""Measurements, as ratios within one interleaved run: `python -m bench.throughput`, `.startup`, `.resume`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))  # the servers of the tests are used here too
