"""Trying the rows to come without writing them: what refuses one of them, and how their keys come back.

Where the functions of migration `content_library_rows` are installed, the database writes all rows and takes them
back: types, lengths, NOT NULL, CHECK, enums, unique indexes, foreign keys and triggers speak up.

Elsewhere the rows go as *twins*: one upsert holds all of them, and the first one once more at its end. By then the
database has looked at each row, and it refuses the whole statement with 21000 ("cannot affect row a second time"), so
that nothing is written. That does not reach foreign keys, other unique indexes and AFTER triggers, and it is sent only
once a key that no row has (see `supabase_preflight`) has shown that an insert into the table is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seed_library.adapters.key_forms import comes_back
from seed_library.adapters.lease_functions import FunctionsMissing
from seed_library.adapters.row_functions import RefusedRow, Rehearsed, RowFunctions
from seed_library.adapters.supabase_connection import Refused
from seed_library.adapters.supabase_errors import (
    Answer,
    hint_for,
    is_about_rows,
    is_away,
    refused_with,
    rules_hint,
    said_by,
)
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable
from seed_library.ports import Check, Row

if TYPE_CHECKING:
    from seed_library.adapters.supabase import SupabaseStore

TWIN_REFUSED = "21000"
_TIMEOUT = "57014"
_AT_ONCE = 1_000  # rows in a call of the function
_MOST_CALLS = 100
_AT_ONCE_WHEN_SLOW = 20  # after a call took longer than the API allows
_MOST_SLOW_CALLS = 3
_TWINS_AT_ONCE = 250
_MOST_TWINS = 3_000
_MOST_FINDINGS = 5
_MOST_LOOKS = 40  # requests to find out which rows are refused
_NAMED = 3


class Trials:
    """The trials of one Supabase target."""

    def __init__(self, store: SupabaseStore) -> None:
        self._store = store
        self._table = store.table
        self._name = f"{store.table.schema}.{store.table.name}"
        self._looks = 0

    async def checks(self, rows: Sequence[Row]) -> list[Check]:
        """Return every finding about the rows to come."""
        if not rows:
            return []
        try:
            try:
                return await self._by_function(rows)
            except FunctionsMissing:
                return await self._by_twins(rows)
        except Refused as refusal:
            return [self._failed(refusal.answer)]
        except RowsRefused as refusal:
            return [Check("rows", ok=False, message=refusal.message, hint="Mend the catalog.")]
        except RunBlocked as error:
            passing = isinstance(error, StoreUnavailable) and error.reached
            return [Check("rows", ok=False, message=error.message, hint=error.hint, passing=passing)]

    async def _by_function(self, rows: Sequence[Row]) -> list[Check]:
        functions = RowFunctions(self._store.connection, self._table)
        places, at_once, calls_left = _spread(len(rows), _AT_ONCE * _MOST_CALLS), _AT_ONCE, _MOST_CALLS
        tried = 0
        refused: list[tuple[Row, RefusedRow]] = []
        faults: list[Check] = []
        while tried < len(places) and calls_left and len(refused) < _MOST_FINDINGS:
            part = places[tried : tried + at_once]
            calls_left -= 1
            try:
                tried_rows = [rows[place] for place in part]
                said = await functions.rehearse(await self._store.all_values(tried_rows))
            except Refused as refusal:
                if refusal.answer.code != _TIMEOUT or at_once == 1:
                    raise
                # Slow triggers: fewer rows at a time, and perhaps not all of them.
                at_once = _AT_ONCE_WHEN_SLOW if at_once > _AT_ONCE_WHEN_SLOW else 1
                calls_left = min(calls_left, _MOST_SLOW_CALLS)
                continue
            tried += len(part)
            refused += [(tried_rows[one.place], one) for one in said.refused]
            faults += self._key_faults(tried_rows, said)
        checks = [*self._refused_rows(refused), *_few(faults)]
        if checks:
            return checks
        return [self._tried(tried, len(rows), "written and taken back")]

    def _key_faults(self, rows: Sequence[Row], said: Rehearsed) -> list[Check]:
        out = {one.place for one in said.refused}
        faults = []
        for place, (row, key) in enumerate(zip(rows, said.keys, strict=True)):
            if key is None and place not in out:
                faults.append(self._key_fault(row, "a trigger drops its row without a word"))
            elif key is not None and key != tuple(row.id):
                faults.append(self._key_fault(row, f"it comes back as {'/'.join(key)}"))
        if said.collide and not faults and not said.refused:
            problem = f"two of the keys of {len(rows)} items are one to {self._name} (case, accents or blanks)"
            faults.append(Check("keys", ok=False, message=problem, hint="Make the keys differ more."))
        return faults

    def _key_fault(self, row: Row, problem: str) -> Check:
        return Check(
            "keys",
            ok=False,
            message=f"{row.id}: {problem}",
            hint=f"Its row would never be found again. Write the keys as the columns of {self._name} give them back, "
            "or make these columns text.",
        )

    def _refused_rows(self, refused: Sequence[tuple[Row, RefusedRow]]) -> list[Check]:
        """Return one finding per fault, with the first items that it concerns."""
        foreign = self._store.connection.foreign
        by_fault: dict[tuple[str, str, str], tuple[str, list[Row]]] = {}
        for row, one in refused:
            by_fault.setdefault((one.state, one.table, _behind(one)), (one.message, []))[1].append(row)
        return [
            self._refusal(rows, refused_with(400, foreign.code(state), message, foreign), table, behind)
            for (state, table, behind), (message, rows) in by_fault.items()
        ]

    def _refusal(self, rows: Sequence[Row], answer: Answer, table: str, behind: str) -> Check:
        named = ", ".join(str(row.id) for row in rows[:_NAMED]) + (", ..." if len(rows) > _NAMED else "")
        foreign = self._store.connection.foreign
        where = f" [{foreign.sentence(behind)}]" if behind else ""
        other = f" of the table {foreign.sentence(table)}" if table and table != self._table.name else ""
        hint = rules_hint(self._name) if is_about_rows(answer) else hint_for(answer, self._table)
        return Check("rows", ok=False, message=f"{named}: {said_by(answer)}{other}{where}", hint=hint)

    async def _by_twins(self, rows: Sequence[Row]) -> list[Check]:
        new = [place for place, row in enumerate(rows) if row.over is None]
        places = [new[place] for place in _spread(len(new), _MOST_TWINS)]
        found: list[tuple[Row, Answer]] = []
        for start in range(0, len(places), _TWINS_AT_ONCE):
            found += await self._twins([rows[place] for place in places[start : start + _TWINS_AT_ONCE]])
            if len(found) >= _MOST_FINDINGS:
                break
        concerned: dict[Answer, list[Row]] = {}
        for row, answer in found:
            concerned.setdefault(answer, []).append(row)
        checks = [self._refusal(named, answer, "", "") for answer, named in concerned.items()]
        checks += await self._keys_by_type(rows)
        return checks or [self._unseen(len(places), len(new))]

    async def _twins(self, rows: Sequence[Row]) -> list[tuple[Row, Answer]]:
        """Return the rows that are refused, found by halving, and why; as many as a few dozen looks show."""
        if not rows or self._looks >= _MOST_LOOKS:
            return []
        self._looks += 1
        try:
            await self._store.send_twins(await self._store.all_values([*rows, rows[0]]))
        except Refused as refusal:
            answer = refusal.answer
            if answer.code == TWIN_REFUSED:
                self._looks -= 1
                return []
            if len(rows) == 1:
                return [(rows[0], answer)]
            if not is_about_rows(answer) and answer.code != _TIMEOUT:
                raise
        else:
            raise RunBlocked(
                f"{self._name} took a row that it should have refused: a trigger or view stands before the table.",
                hint=f"Look at {rows[0].id}: it may hold a placeholder. Apply the migration "
                "content_library_rows (`seed-library schema`), whose functions try rows and take them back.",
            )
        middle = len(rows) // 2
        return await self._twins(rows[:middle]) + await self._twins(rows[middle:])

    async def _keys_by_type(self, rows: Sequence[Row]) -> list[Check]:
        """Judge keys by what the API's description of itself says of the column, where it is served."""
        described = await self._store.connection.described(self._table.schema, self._table.name)
        kind = str(described.get("properties", {}).get(self._table.key, {}).get("format", ""))
        wrong = [row for row in rows if kind and comes_back(kind, row.id.key) is False]
        unknown = kind and comes_back(kind, rows[0].id.key) is None and not self._is_enum(described)
        if unknown:
            kind = self._store.connection.foreign.sentence(kind)
            problem = f"the column {self._table.key} is of type {kind}, which may give keys back in another form"
            return [Check("keys", ok=False, message=problem, hint="Make it text, or a whole number or uuid.")]
        return _few([self._key_fault(row, f"it would come back in another form from a column {kind}") for row in wrong])

    def _is_enum(self, described: dict[str, Any]) -> bool:
        return "enum" in described["properties"][self._table.key]

    def _tried(self, tried: int, all_: int, how: str) -> Check:
        if tried == all_:
            return Check("rows", ok=True, message=f"{tried:,} rows to come were {how}")
        message = f"{tried:,} of {all_:,} rows to come were {how}; the others would take too long to try"
        return Check("rows", ok=True, message=message, hint="What refuses one of them is found only when it is stored.")

    def _unseen(self, tried: int, all_: int) -> Check:
        return Check(
            "rows",
            ok=True,
            message=f"{tried:,} of {all_:,} rows to come were tried; foreign keys, other unique indexes and AFTER "
            "triggers could not be",
            hint="`seed-library schema` prints the migration content_library_rows: with its functions they are, and "
            "nothing stays.",
        )

    def _failed(self, answer: Answer) -> Check:
        said, hint = said_by(answer), hint_for(answer, self._table)
        return Check("rows", ok=False, message=said, hint=hint, passing=is_away(answer))


def _behind(one: RefusedRow) -> str:
    """Return what of the database stood behind a refusal, where that is a function such as a trigger's."""
    lines: Iterator[str] = (line.strip() for line in one.context.splitlines())
    called = (line for line in lines if line.startswith("PL/pgSQL function ") and "seed_library_rehearse" not in line)
    return next(called, "").removeprefix("PL/pgSQL ").partition(" line ")[0]


def _spread(count: int, most: int) -> list[int]:
    """Return at most so many places, evenly spread."""
    step = -(-count // most) or 1
    return list(range(0, count, step))


def _few(checks: Sequence[Check]) -> list[Check]:
    return list(checks[:_MOST_FINDINGS])
