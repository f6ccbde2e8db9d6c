"""Everything that can be checked for free, checked before anything is paid, all failures reported together."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import overload

from seed_library.core.catalog import Catalog, Item, ItemId, RequestSpec, TableSpec
from seed_library.core.drafts import Request
from seed_library.core.errors import PreflightFailed, StoreUnavailable
from seed_library.core.plan import Action, Plan, Step
from seed_library.core.pricing import ModelFacts, usd, worst_cost
from seed_library.engine.store_patience import StorePatience
from seed_library.ports import Check, Prover, Row, StoredText

# Long enough for a CHECK on the length of a text, and nothing that could pass for one.
_PLACEHOLDER = "seed_library preflight: this row is refused by the database and never stored. " * 6
_LETTERS_PER_WORD = 6
_EFFORTS_OF_THINKING = {"xhigh", "max"}
_SPREAD = 100_000  # rows that are made at the most


def sample_row(item: Item, table: TableSpec) -> Row:
    """Return a real item of the catalog as a row with placeholder text."""
    placeholder = _PLACEHOLDER.strip()
    return Row(item.id, item.title, placeholder, {"writer": "preflight"}, dict.fromkeys(table.generated, placeholder))


async def check_patiently(patience: StorePatience, look: Callable[[], Awaitable[list[Check]]]) -> list[Check]:
    """Look at the target; again while what fails is only that it does not answer now.

    Raises:
        SeedLibraryError: the run is asked to end meanwhile.
    """
    checks: list[Check] = []

    async def check() -> None:
        checks[:] = await look()
        if passing := next((one for one in checks if one.passing), None):
            raise StoreUnavailable(passing.message, hint=passing.hint)

    with suppress(StoreUnavailable):  # its findings say so
        await patience.call("The target could not be checked", check)
    return checks


async def rehearse(prover: Prover, catalog: Catalog, plan: Plan) -> list[Check]:
    """Try the rows that a plan would bring into the table, without writing; in a huge catalog a spread part of them.

    They hold the longest texts that the gates allow. What only those are refused for is said, and is no failure.
    """
    steps = [step for step in plan.steps if plan.generates(step) or step.action is Action.PAID]
    steps.sort(key=lambda step: step.present)  # new rows first: where only a few can be tried, these are refused sooner
    steps = steps[:: -(-len(steps) // _SPREAD) or 1]
    checks = await prover.rehearse(_Placeholders(catalog, steps, longest=True))
    failed = [check for check in checks if not check.ok]
    if not failed:
        return checks
    usual = await prover.rehearse(_Placeholders(catalog, steps, longest=False))
    if any(not check.ok for check in usual):
        return usual
    hint = "Lower at_most under [gates.words] or [gates.characters]: else some texts are paid for and not stored."
    return [
        *usual,
        *(
            Check(one.name, ok=True, message=f"the longest texts would be refused: {one.message}", hint=hint)
            for one in failed
        ),
    ]


class _Placeholders(Sequence[Row]):
    """The rows to come, each made when it is looked at: all of them together would be many times their plan."""

    def __init__(self, catalog: Catalog, steps: Sequence[Step], *, longest: bool) -> None:
        self._catalog = catalog
        self._steps = steps
        self._longest = longest

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return _Placeholders(self._catalog, self._steps[place], longest=self._longest)
        return _placeholder_row(self._catalog, self._steps[place], longest=self._longest)


def _placeholder_row(catalog: Catalog, step: Step, *, longest: bool) -> Row:
    """Return a row to come, with texts that cannot be told from noise, so that no compression hides their length."""
    item, rules = step.item, catalog.rules_of(step.item.id)
    lengths = {one.name: one.at_most if longest else one.at_least for one in catalog.request.generated}
    text = _noise(item.id, "", rules.expected_words.at_most if longest else rules.expected_words.low)
    if rules.characters is not None:
        text = _noise_of(item.id, rules.characters.at_most if longest else rules.characters.low)
    beside = {name: _noise(item.id, name, lengths[name]) for name in catalog.table.generated}
    there = StoredText(item.id, "", "", None) if step.present else None
    return Row(item.id, item.title, text, {"writer": "preflight"}, beside, there)


def _noise(item: ItemId, column: str, words: int) -> str:
    letters = hashlib.shake_128("\0".join((*item, column)).encode("utf-8", "surrogatepass"))
    noise = letters.hexdigest(words * _LETTERS_PER_WORD // 2 + 1)
    return " ".join(noise[place * _LETTERS_PER_WORD :][:_LETTERS_PER_WORD] for place in range(words))


def _noise_of(item: ItemId, characters: int) -> str:
    return _noise(item, "", characters // _LETTERS_PER_WORD + 1)[:characters].rstrip()


def budget_check(ceiling: int, request: Request, model: ModelFacts) -> Check:
    """Check that the budget allows at least one request."""
    worst = worst_cost(request, model)
    if worst <= ceiling:
        return Check("budget", ok=True, message=f"${usd(ceiling):.2f}; one request costs at most ${usd(worst):.4f}")
    return Check(
        "budget",
        ok=False,
        message=f"${usd(ceiling):.4f} to spend does not cover one request, which could cost up to ${usd(worst):.4f}",
        hint="Set a higher SEED_LIBRARY_BUDGET_USD or --budget, a smaller max_tokens, or a cheaper model.",
    )


def effort_check(spec: RequestSpec, model: ModelFacts) -> list[Check]:
    """Say what is wrong with the effort that is asked for, if anything is: no request with it would be answered.

    Turned-off thinking goes with the efforts up to "high" only (platform documentation of the 5.5 models).
    """
    if not spec.effort:
        return []
    turned_off = spec.thinking == "off" and model.thinking_off is not None
    allowed = [effort for effort in model.efforts if not (turned_off and effort in _EFFORTS_OF_THINKING)]
    if spec.effort in allowed:
        return []
    off = " with thinking off" if turned_off else ""
    message = f"{model.id} does not take effort {spec.effort!r}{off}; it takes {', '.join(allowed) or 'none'}"
    return [
        Check("effort", ok=False, message=message, hint="Change effort or thinking under [request] of catalog.toml.")
    ]


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
