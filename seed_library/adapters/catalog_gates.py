"""The `[gates]` tables of `catalog.toml`: the rules of every category and locale, with every fault named at once.

Rules stand at four levels, each more special than the one before: `[gates]`, `[gates.LOCALE]`, `[gates.CATEGORY]`,
`[gates.CATEGORY.LOCALE]`. Single values and the fields of `words`, `characters`, `forms` and `severity` are replaced by
the more special level; `banned`, `flagged`, `own`, `related` and `idioms` grow, and `allowed` takes entries out of
`banned` and `flagged`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seed_library.core.catalog import GateRules, Item, WordRule
from seed_library.core.gates import GATE_NAMES
from seed_library.core.gates.phrases import EntryFault, compiled
from seed_library.core.linguist import UNAIDED, Linguist
from seed_library.core.locales import read_locale

_LISTS = ("banned", "flagged", "own", "related", "idioms", "allowed")
_SWITCHES = ("neutral", "timeless", "shadow")
_ADDRESSES = ("du", "you", "")
_SEVERITIES = ("error", "warning", "off")
_MOST = 1_000_000
_LENGTHS = ("words", "characters")
_FIELDS = ("at_least", "low", "high", "at_most")
_INFLECTED = ("de", "en")  # languages whose word forms, phrases and forms of address are known
KNOWN = ("words", "address", *_SWITCHES, *_LISTS, "forms", "severity", "characters")

Place = tuple[str, str]


class GatesReader:
    """Reads the tables of one catalog."""

    def __init__(
        self, gates: Mapping[str, Any], categories: Sequence[str], locales: Sequence[str], linguist: Linguist = UNAIDED
    ) -> None:
        self._gates = gates
        self._categories = categories
        self._locales = locales
        self._linguist = linguist
        self.faults: list[str] = []

    def rules(self) -> dict[Place, GateRules]:
        """Return the rules of every category and locale; those with faults are left out."""
        for path in self._paths():
            self.faults += self._faults_at(path)
        rules = {}
        for category in self._categories:
            for locale in self._locales:
                found = self._rules_of(category, locale)
                if found is not None:
                    rules[category, locale] = found
        self.faults = list(dict.fromkeys(self.faults))
        return rules

    def _paths(self) -> Iterator[tuple[str, ...]]:
        yield ()
        for category in self._categories:
            yield (category,)
            for locale in self._locales:
                yield category, locale
        yield from ((locale,) for locale in self._locales if locale not in self._categories)

    def _faults_at(self, path: tuple[str, ...]) -> Iterator[str]:
        place, table = ".".join(("gates", *path)), _inside(self._gates, *path)
        if not isinstance(table, dict):
            yield f"{place}: must be a table"
            return
        known = (*KNOWN, *self._below(path))
        for name, value in table.items():
            if name not in known:
                yield f"{place}: {name!r} is unknown; known are {', '.join(known)}"
            elif fault := _fault(name, value):
                yield f"{place}.{name}: {fault}"

    def _below(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the tables that may stand inside this one."""
        if not path:
            return (*self._categories, *self._locales)
        return tuple(self._locales) if path[0] in self._categories and len(path) == 1 else ()

    def _rules_of(self, category: str, locale: str) -> GateRules | None:
        levels = [_inside(self._gates, *path) for path in ((), (locale,), (category,), (category, locale))]
        tables = [level for level in levels if isinstance(level, dict)]
        lengths = {name: _length(tables, name) for name in _LENGTHS}
        if not any(lengths.values()):
            lengths["words"] = {}  # one of them has to be there
        wrong = {name: _length_fault(given) for name, given in lengths.items() if given is not None}
        if faults := [f"gates.{name} for {category}, {locale}: {fault}" for name, fault in wrong.items() if fault]:
            self.faults += faults
            return None
        language = read_locale(locale).language
        language = language if language in _INFLECTED else ""
        lists = {name: _joined(tables, name) for name in _LISTS}
        allowed = lists.pop("allowed")
        for name in ("banned", "flagged"):
            lists[name] = tuple(entry for entry in lists[name] if entry not in allowed)
        for entry in (*lists["banned"], *lists["flagged"], *lists["idioms"]):
            try:
                compiled(entry, language)
            except EntryFault as error:
                self.faults.append(f"gates for {category}, {locale}: {error}")
        return GateRules(
            words=_rule(lengths["words"]),
            characters=_rule(lengths["characters"]),
            locale=read_locale(locale).tag,
            linguist=self._linguist,
            language=language,
            address=_last(tables, "address", ""),
            forms={name: tuple(forms) for name, forms in _merged(tables, "forms").items() if isinstance(forms, list)},
            severity=_merged(tables, "severity"),
            neutral=_last(tables, "neutral", default=False) is True,
            timeless=_last(tables, "timeless", default=False) is True,
            shadow=_last(tables, "shadow", default=False) is True,
            banned=lists["banned"],
            flagged=lists["flagged"],
            own=lists["own"],
            related=lists["related"],
            idioms=lists["idioms"],
        )


def with_values(rules: Mapping[Place, GateRules], items: Iterable[Item]) -> dict[Place, GateRules]:
    """Return the rules with the values that their `own` and `related` facts have in the catalog."""
    values: dict[tuple[str, str], dict[str, None]] = {}
    wanted = {fact for rule in rules.values() for fact in (*rule.own, *rule.related)}
    for item in items:
        for fact in wanted:
            if isinstance(value := item.facts.get(fact), str):
                values.setdefault((item.id.locale, fact), {})[value] = None
    return {
        place: replace(
            rule, values={fact: tuple(values.get((place[1], fact), ())) for fact in (*rule.own, *rule.related)}
        )
        for place, rule in rules.items()
    }


def _fault(name: str, value: Any) -> str:
    """Return what is wrong with one value, or an empty string."""
    if name == "severity":
        return _severity_fault(value)
    if name == "address" and value not in _ADDRESSES:
        return f"must be one of {', '.join(repr(one) for one in _ADDRESSES)}"
    if name in _SWITCHES and not isinstance(value, bool):
        return "must be true or false"
    if name in _LISTS and not (isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)):
        return "must be a list of texts"
    if name == "forms" and not (isinstance(value, dict) and all(isinstance(forms, list) for forms in value.values())):
        return "must be a table of lists"
    # Lengths are judged when all levels are laid over each other, tables below when it is their turn.
    return ""


def _severity_fault(value: Any) -> str:
    if not isinstance(value, dict):
        return "must be a table"
    for gate, severity in value.items():
        if gate not in GATE_NAMES:
            return f"there is no gate {gate!r}; there are {', '.join(GATE_NAMES)}"
        if severity not in _SEVERITIES:
            return f"{gate} must be one of {', '.join(_SEVERITIES)}"
    return ""


def _inside(holder: Any, *path: str) -> Any:
    """Return what stands at a path of nested tables; an empty table where there is nothing."""
    for part in path:
        holder = holder.get(part, {}) if isinstance(holder, dict) else {}
    return holder


def _joined(tables: Sequence[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    lists = [table[name] for table in tables if isinstance(table.get(name), list)]
    return tuple(dict.fromkeys(str(entry) for entries in lists for entry in entries))


def _merged(tables: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for table in tables:
        held = table.get(name)
        merged |= held if isinstance(held, dict) else {}
    return merged


def _last(tables: Sequence[Mapping[str, Any]], name: str, default: Any) -> Any:
    for table in reversed(tables):
        if name in table:
            return table[name]
    return default


def _length(tables: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any] | None:
    """Lay the tables of a length over each other; None where no level has one."""
    given = [table[name] for table in tables if name in table]
    laid: dict[str, Any] = {}
    for one in given:
        laid |= one if isinstance(one, dict) else {name: one}
    return laid if given else None


def _rule(given: Mapping[str, int] | None) -> WordRule | None:
    return None if given is None else WordRule(**given)


def _length_fault(words: Mapping[str, Any]) -> str:
    if missing := [name for name in _FIELDS if name not in words]:
        return f"missing {', '.join(missing)}"
    if unknown := [name for name in words if name not in _FIELDS]:
        return f"unknown {', '.join(unknown)}"
    numbers = [words[name] for name in _FIELDS]
    if not all(type(number) is int and 0 < number <= _MOST for number in numbers):
        return f"all four must be whole numbers from 1 to {_MOST:,}"
    return "" if numbers == sorted(numbers) else "at_least <= low <= high <= at_most must hold"
