"""The budget: a ceiling, because the worst case of a request is reserved before the request is sent.

Invariant: spent + maybe spent + reserved <= ceiling. A reservation is settled with what was really billed, or,
where no answer says so, with the worst case. All money in micro-dollars.
"""

from __future__ import annotations

import asyncio

from seed_library.core.errors import BudgetReached
from seed_library.core.pricing import usd


class Budget:
    """What one run may spend."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.spent = 0
        self.maybe_spent = 0
        self._reserved = 0
        self._settled = asyncio.Condition()

    @property
    def used(self) -> int:
        """What is spent for certain or perhaps."""
        return self.spent + self.maybe_spent

    async def reserve(self, amount: int) -> None:
        """Set the worst case of a request aside. Waits while requests in flight may give some of theirs back.

        Raises:
            BudgetReached: it does not fit even when nothing is in flight.
        """
        async with self._settled:
            while self.used + self._reserved + amount > self.ceiling:
                if self._reserved == 0:
                    raise BudgetReached(
                        f"The budget of ${usd(self.ceiling):.2f} leaves ${usd(self.ceiling - self.used):.4f}; "
                        f"the next request could cost up to ${usd(amount):.4f}.",
                        hint="What is stored stays. Run again with a higher --budget to go on.",
                    )
                await self._settled.wait()
            self._reserved += amount

    async def settle(self, reserved: int, billed: int) -> None:
        """Give a reservation back and count what was billed."""
        async with self._settled:
            self._reserved -= reserved
            self.spent += billed
            self._settled.notify_all()

    async def settle_unknown(self, reserved: int, maybe_billed: int) -> None:
        """Give a reservation back and count what may have been billed."""
        async with self._settled:
            self._reserved -= reserved
            self.maybe_spent += maybe_billed
            self._settled.notify_all()
