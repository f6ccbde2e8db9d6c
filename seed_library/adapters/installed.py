"""Are the packages that are installed the ones that this program was written for?

pip keeps to the bounds when it installs the program, and forgets them when it installs something else afterwards. An
older anthropic or filelock would not fail at once but in the middle: with hidden retries, or a lock that is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from operator import ge, lt

from seed_library.ports import Check

_PROGRAM = "seed-library"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(.*)")
_BOUND = re.compile(r"(>=|<)\s*([0-9.]+)")
_HOLDS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {">=": ge, "<": lt}


def packages_check(requirements: Sequence[str] | None = None) -> Check:
    """Check the installed packages against the program's own requirements."""
    faults = list(_faults(_own_requirements() if requirements is None else requirements))
    if not faults:
        return Check("packages", ok=True, message="as this program needs them")
    return Check(
        "packages",
        ok=False,
        message="; ".join(faults),
        hint=f"`pip install --upgrade {_PROGRAM}` in an environment of its own brings the right ones.",
    )


def _own_requirements() -> Sequence[str]:
    """Return what pip has written down of them; nothing where the program runs from a folder that pip does not know."""
    try:
        return requires(_PROGRAM) or ()
    except PackageNotFoundError:
        return ()


def _faults(requirements: Sequence[str]) -> Iterator[str]:
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        found = _REQUIREMENT.match(wanted.strip())
        if marker.strip().startswith("extra") or found is None:
            continue
        name, bounds = found.groups()
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield f"{name} is not installed"
            continue
        if not all(_HOLDS[sign](_release(installed), _release(bound)) for sign, bound in _BOUND.findall(bounds)):
            yield f"{name} {installed} is installed, and {bounds.strip()} is needed"


def _release(text: str) -> tuple[int, ...]:
    """Return the numbers of a version; what follows them (a pre-release, a local build) does not count."""
    found = re.match(r"[0-9.]+", text)
    numbers = [int(part) for part in found[0].split(".") if part] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
