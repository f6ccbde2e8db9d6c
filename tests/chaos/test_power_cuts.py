"""No power cut takes an acknowledged record along; and the cuts would show it if one did."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.power_cuts import cut_often

_LOST = "cuts that lost an acknowledged record"


def test_no_cut_loses_an_acknowledged_record(tmp_path: Path) -> None:
    """Whatever part of the unsynced reaches the disk; one writer or eight."""
    met = cut_often(tmp_path, cuts=120, seed=1)
    assert met[_LOST] == 0
    assert sum(met.values()) == 120


@pytest.mark.parametrize("forgotten", ["data", "names"])
def test_a_forgotten_sync_is_found(tmp_path: Path, forgotten: str) -> None:
    """Neither shows when a process is killed: the kernel keeps what it wrote."""
    assert cut_often(tmp_path, cuts=60, seed=1, mutant=forgotten)[_LOST] > 0
