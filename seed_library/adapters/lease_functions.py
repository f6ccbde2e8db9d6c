"""The lease functions in the database (migration `content_library_lease`), as typed calls.

A target is named by its table as the database knows it, so that every address of the same project means the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from seed_library.adapters.supabase_connection import Refused, SupabaseConnection
from seed_library.adapters.supabase_errors import said_by, translated, translated_reading
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RunBlocked, StoreUnavailable
from seed_library.core.lease import LeaseState, LeaseTimes

Value = TypeVar("Value")

_SCHEMA = "public"
# The function, its schema, or the whole API of functions is not there.
MISSING = {"PGRST202", "PGRST106", "42883", "3F000"}
_NO_PRIVILEGE = "42501"
_FENCED_OFF = "PT409"


class FunctionsMissing(Exception):
    """The project has no lease functions: the migration has not been applied."""


class FencedOff(Exception):
    """A write was refused because the lease is not the writer's any more. Nothing was written."""


class LeaseFunctions:
    """Calls them over a connection that somebody else closes.

    Every method raises FunctionsMissing, StoreUnavailable (no answer in time), or RunBlocked (refused).
    """

    def __init__(self, connection: SupabaseConnection, table: TableSpec, times: LeaseTimes) -> None:
        self._connection = connection
        self._table = table
        self._times = times
        self._target = f"{table.schema}.{table.name}"

    async def peek(self) -> LeaseState:
        """Return who holds the lease. Changes nothing."""
        return self._state(await self._call("peek", {}))

    async def acquire(self, holder: str, info: Mapping[str, Any]) -> tuple[bool, LeaseState]:
        """Take the lease if it is free; say whether that worked, and who holds it now."""
        said = await self._call("acquire", {"p_holder": holder, "p_seconds": self._times.lasts, "p_info": dict(info)})
        return self._known(_value(said, "granted"), bool), self._state(said)

    async def renew(self, holder: str, token: int) -> bool:
        """Prolong the lease; False where it is somebody else's."""
        grant = {"p_holder": holder, "p_token": token, "p_seconds": self._times.lasts}
        return self._known(await self._call("renew", grant), bool)

    async def release(self, holder: str, token: int) -> bool:
        """Give the lease back; False where it is somebody else's."""
        return self._known(await self._call("release", {"p_holder": holder, "p_token": token}), bool)

    async def break_(self, token: int) -> bool:
        """Take the lease away from whoever holds it with this token; False where nobody does."""
        return self._known(await self._call("break", {"p_token": token}), bool)

    async def batches(self) -> dict[str, Any]:
        """Return the batches that are noted for the target, by their tokens."""
        return self._known(await self._call("batches", {}), dict)

    async def note_batch(self, holder: str, token: int, batch: str, note: Mapping[str, Any]) -> bool:
        """Note a batch by its own token; False where the lease is somebody else's."""
        arguments = {"p_holder": holder, "p_token": token, "p_batch": batch, "p_note": dict(note)}
        return self._known(await self._call("note_batch", arguments), bool)

    async def store(
        self, holder: str, token: int, values: Sequence[dict[str, Any]], over: Sequence[Mapping[str, str]]
    ) -> set[ItemId]:
        """Insert or replace rows, if the lease is still the holder's, and return the items that were written.

        `over` holds, by column, key and content of the rows that are to be replaced, as they were read.

        Raises:
            FencedOff: the lease is not the holder's.
            RowsRefused: at least one row is unacceptable for its content; none was written.
        """
        table = self._table
        arguments = {
            "p_target": self._target,
            "p_holder": holder,
            "p_token": token,
            "p_schema": table.schema,
            "p_table": table.name,
            "p_conflict": list(table.conflict_columns),
            "p_content": [table.title, table.text, *table.generated],
            "p_rows": list(values),
            "p_over": list(over),
        }
        try:
            written = self._known(await self._connection.call(_SCHEMA, "seed_library_store", arguments), list)
        except Refused as refusal:
            raise _refused_write(refusal, table) from None
        return {ItemId(*map(str, names)) for names in written}

    async def require_store(self) -> None:
        """Prove that the function that writes is there, too, without holding the lease.

        Raises:
            RunBlocked: it is not.
        """
        with suppress(FencedOff):
            await self.store("nobody", 0, [], [])

    async def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(self._times.answer_within):
                return await self._connection.call(
                    _SCHEMA, f"seed_library_{name}", {"p_target": self._target, **arguments}
                )
        except TimeoutError:
            failure: Exception = StoreUnavailable(
                f"Supabase gave no answer about the lease within {self._times.answer_within:g} s.",
                hint="Check the network. Run again later; nothing paid is lost.",
            )
        except Refused as refusal:
            failure = _refused(refusal, self._table)
        raise failure

    def _state(self, said: Any) -> LeaseState:
        info = _value(said, "info")
        return LeaseState(
            held=self._known(_value(said, "held"), bool),
            token=self._known(_value(said, "token"), int),
            holder=str(_value(said, "holder") or ""),
            acquired_at=str(_value(said, "acquired_at") or ""),
            seconds_left=float(_value(said, "seconds_left") or 0),
            info=info if isinstance(info, dict) else {},
        )

    def _known(self, value: Any, kind: type[Value]) -> Value:
        """Return a value of the kind that the function returns; anything else is a gateway's page."""
        if not isinstance(value, kind):
            raise _refused(self._connection.strange(), self._table)
        return value


def _value(said: Any, name: str) -> Any:
    return said.get(name) if isinstance(said, dict) else None


def _refused(refusal: Refused, table: TableSpec) -> Exception:
    answer = refusal.answer
    if answer.code in MISSING:
        return FunctionsMissing()
    if answer.code == _NO_PRIVILEGE:
        return RunBlocked(
            f"The lease functions may not be used: {said_by(answer)}.",
            hint="Apply the migration content_library_lease again: it grants what the service role needs.",
        )
    return translated_reading(answer, table)


def _refused_write(refusal: Refused, table: TableSpec) -> Exception:
    if refusal.answer.code in MISSING:
        return RunBlocked(
            "The database has the lease functions, but not those that write rows under the lease.",
            hint="Apply the migration content_library_rows (`seed-library schema` prints it), then: "
            "notify pgrst, 'reload schema';",
        )
    return FencedOff() if refusal.answer.code == _FENCED_OFF else translated(refusal.answer, table)
