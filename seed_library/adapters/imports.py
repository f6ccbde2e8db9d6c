"""Importing a vendor's package at the least cost."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def vendor_import() -> Iterator[None]:
    """Keep the garbage collector away from thousands of new classes: they are no garbage, now or later.

    Measured with anthropic: paused, the import takes 0.80 s instead of 1.25 s; frozen, the classes are not looked at
    again, which saves 0.4 s at the end of the process and the pauses of full collections in between.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
