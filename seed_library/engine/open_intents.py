"""Requests that a killed run had in flight: nobody knows whether they were billed, so they count as if they were."""

from __future__ import annotations

from seed_library.core.events import Warned
from seed_library.core.ledger import Ledger
from seed_library.core.pricing import usd
from seed_library.engine.context import Ports


async def close_open_intents(ports: Ports, ledger: Ledger) -> None:
    """Record that requests which a killed run had in flight may have been billed."""
    now = ports.clock.now().isoformat(timespec="milliseconds")
    for intent in list(ledger.open_intents.values()):
        record = {
            "kind": "failed",
            "run": intent.run,
            "at": now,
            "item": list(intent.item),
            "attempt": intent.attempt,
            "reason": "its run was killed while the request was in flight",
            "billed": "maybe",
            "worst": intent.worst,
        }
        position = await ports.journal.write(record)
        ledger.apply(position, record)
        ports.reporter.report(
            Warned(
                f"{intent.item}: in flight when a run was killed; up to ${usd(intent.worst):.4f} may have been billed."
            )
        )
