"""Everything that can be checked for free, checked before anything is paid, all failures reported together."""

from __future__ import annotations

from collections.abc import Sequence

from seed_library.core.catalog import Item, TableSpec
from seed_library.core.drafts import Request
from seed_library.core.errors import PreflightFailed
from seed_library.core.pricing import ModelFacts, usd, worst_cost
from seed_library.ports import Check, Row

# Long enough for a CHECK on the length of a text, and nothing that could pass for one.
_PLACEHOLDER = "seed_library preflight: this row is refused by the database and never stored. " * 6


def sample_row(item: Item, table: TableSpec) -> Row:
    """Return a real item of the catalog as a row with placeholder text."""
    placeholder = _PLACEHOLDER.strip()
    return Row(item.id, item.title, placeholder, {"writer": "preflight"}, dict.fromkeys(table.generated, placeholder))


def budget_check(ceiling: int, request: Request, model: ModelFacts) -> Check:
    """Check that the budget allows at least one request."""
    worst = worst_cost(request.prompt, request.spec, model)
    if worst <= ceiling:
        return Check("budget", ok=True, message=f"${usd(ceiling):.2f}; one request costs at most ${usd(worst):.4f}")
    return Check(
        "budget",
        ok=False,
        message=f"${usd(ceiling):.4f} does not cover one request, which could cost up to ${usd(worst):.4f}",
        hint="Set a higher SEED_LIBRARY_BUDGET_USD or --budget, a smaller max_tokens, or a cheaper model.",
    )


def require(checks: Sequence[Check]) -> None:
    """Raise one error that names every failed check.

    Raises:
        PreflightFailed: at least one check failed.
    """
    error = preflight_error(checks)
    if error is not None:
        raise error


def preflight_error(checks: Sequence[Check]) -> PreflightFailed | None:
    """Return one error that names every failed check, or None."""
    failed = [check for check in checks if not check.ok]
    if not failed:
        return None
    if len(failed) == 1:
        return PreflightFailed(f"{failed[0].name}: {failed[0].message}", hint=failed[0].hint)
    lines = [f"  - {check.name}: {check.message}" + (f"\n    {check.hint}" if check.hint else "") for check in failed]
    return PreflightFailed(
        f"{len(failed)} checks failed:\n" + "\n".join(lines),
        hint="Nothing was sent to the model and nothing stored.",
    )
