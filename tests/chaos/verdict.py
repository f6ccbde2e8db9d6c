"""What a trial has shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Verdict:
    """What a trial has shown: what was violated, and what it met on the way."""

    seed: int
    violations: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def require(self, held: bool, violation: str) -> None:
        """Note a violation unless this held."""
        if not held:
            self.violations.append(violation)
