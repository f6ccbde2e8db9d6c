"""The budget: a ceiling, because the worst case of a request is reserved before the request is sent.

Invariant: spent + maybe spent + reserved <= ceiling. A reservation is settled with what was really billed, or,
where no answer says so, with the worst case. What a killed run had in flight counts as maybe spent from the start of
the run that finds it; alone it may be more than the ceiling. All money in micro-dollars.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from seed_library.core.errors import BudgetReached
from seed_library.core.pricing import usd


@dataclass(slots=True)
class Bill:
    """What became of a reservation. As long as nobody writes on it, nothing was billed."""

    spent: int = 0
    maybe_spent: int = 0


class Budget:
    """What one run may spend."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.spent = 0
        self.maybe_spent = 0
        self.reserved = 0
        self._settled = asyncio.Event()

    @property
    def used(self) -> int:
        """What is spent for certain or perhaps."""
        return self.spent + self.maybe_spent

    @property
    def left(self) -> int:
        """What may still be spent, reservations aside."""
        return max(0, self.ceiling - self.used)

    @property
    def room(self) -> int:
        """What a request may cost at most to be sent at once."""
        return max(0, self.ceiling - self.used - self.reserved)

    def commit(self, amount: int) -> None:
        """Set aside what is committed already, whether it fits or not. `settle` ends it."""
        self.reserved += amount

    @asynccontextmanager
    async def reserving(self, amount: int) -> AsyncIterator[Bill]:
        """Set the worst case of a request aside, for as long as it lasts; the bill is settled however it ends.

        Waits while requests in flight may give some of theirs back.

        Raises:
            BudgetReached: it does not fit even when nothing is in flight.
        """
        await self._reserve(amount)
        bill = Bill()
        try:
            yield bill
        finally:
            self.settle(amount, bill)

    async def _reserve(self, amount: int) -> None:
        while self.used + self.reserved + amount > self.ceiling:
            if self.reserved == 0:
                raise self.refusal(amount)
            await self._settled.wait()
        self.reserved += amount

    def refusal(self, amount: int) -> BudgetReached:
        """Return the failure of a request that does not fit."""
        return BudgetReached(
            f"The budget of ${usd(self.ceiling):.2f} leaves ${usd(self.left):.4f}; "
            f"the next request could cost up to ${usd(amount):.4f}.",
            hint="What is stored stays. Run again with a higher --budget to go on.",
        )

    def settle(self, amount: int, bill: Bill) -> None:
        """Replace a reservation by what became of it."""
        # No await: a cancelled task settles too, and whoever waits for the rest is told.
        self.reserved -= amount
        self.spent += bill.spent
        self.maybe_spent += bill.maybe_spent
        self._settled.set()
        self._settled = asyncio.Event()
