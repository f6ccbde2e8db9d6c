"""How many examples property tests try: a few hundred, or as many as SEED_TEST_EXAMPLES says."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("SEED_TEST_EXAMPLES", "200"))
