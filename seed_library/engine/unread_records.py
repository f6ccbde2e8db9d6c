"""Records of the journal that nobody understands: what they may have cost counts once, in the run that finds them."""

from __future__ import annotations

from seed_library.core.ledger import Ledger
from seed_library.engine.context import Ports


def cost_of_unread(ledger: Ledger) -> int:
    """Return what may have been billed for records that no run has counted yet, in micro-dollars (`core.unread`)."""
    return sum(ledger.may_have_cost(one) or 0 for one in ledger.unread_anew)


async def count_unread(ports: Ports, ledger: Ledger, run_id: str) -> None:
    """Record that they are counted. People are told when the journal is opened."""
    records = [[*one.region, ledger.may_have_cost(one) or 0] for one in ledger.unread_anew]
    if not records:
        return
    now = ports.clock.now().isoformat(timespec="milliseconds")
    record = {"kind": "set_aside", "run": run_id, "at": now, "records": records}
    ledger.apply(await ports.journal.write(record), record)
