"""The Supabase store: paged reads and small-batch upserts through the REST API.

Reads page explicitly, since a project silently caps answers (1,000 rows by default): per category and locale, by
key, until the exact count says that nothing is left. Writes name the same columns in every row, never `id`, and ask
for nothing back. The vendors' own retries are off; tenacity owns all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from sys import intern
from typing import TYPE_CHECKING, Any

from seed_library.adapters.imports import vendor_import
from seed_library.adapters.supabase_errors import (
    Answer,
    answer_of,
    foreign,
    translated,
    translated_reading,
    unreachable,
)
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked
from seed_library.ports import Check, Row, StoredRow, StoredText

if TYPE_CHECKING:
    import httpx
    from supabase import AsyncClient

# Optional columns, and what is selected to see whether the table has them: a provenance that is not JSON is not ours.
_OPTIONAL = {"updated_at": "updated_at", "provenance": "provenance->>fingerprint"}
_ROWS_ASKED_FOR = 10_000  # the project's own cap decides
_READ_SECONDS = 60.0  # a hibernated project wakes up on the first request
_CONNECT_SECONDS = 10.0
_UNDEFINED_COLUMN = {"42703", "42883", "PGRST204"}


class Refused(Exception):
    """The API answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class SupabaseStore:
    """Implements the `Store` port."""

    def __init__(self, url: str, key: str, table: TableSpec, *, answer_within: float = _READ_SECONDS) -> None:
        self._url = url
        self._key = key
        self._table = table
        self._answer_within = answer_within
        self._http: httpx.AsyncClient | None = None
        self._client: AsyncClient | None = None
        self._extras: tuple[str, ...] | None = None
        # An APIError does not tell the HTTP status; the hook runs in the task of the request and leaves it here.
        self._status: ContextVar[int] = ContextVar("status", default=0)

    async def check(self, sample: Row) -> list[Check]:
        """Find everything that would stop a write, without writing (see `supabase_preflight`)."""
        from seed_library.adapters.supabase_preflight import Preflight

        return await Preflight(self, self._url, self._table).checks(sample)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows, ordered by key within each category and locale."""
        extras = await self._existing_extras()
        for category in dict.fromkeys(categories):
            for locale in dict.fromkeys(locales):
                async for row in self._part(intern(category), intern(locale), with_provenance="provenance" in extras):
                    yield row

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace these rows in one transaction."""
        extras = await self._existing_extras()
        values = [self.values(row, extras) for row in rows]
        try:
            await self.send_upsert(values)
        except Refused as refusal:
            raise translated(refusal.answer, self._table) from None

    async def read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        """Return the stored texts of one key in full."""
        table, extras = self._table, await self._existing_extras()
        columns = [*table.conflict_columns, table.title, table.text, *extras]
        query = (
            self._builder()
            .select(",".join(columns))
            .eq(table.key, key)
            .in_(table.category, categories)
            .in_(table.locale, locales)
            .order(table.category)
            .order(table.locale)
        )
        texts, _ = await self._read(query)
        return [self._text(found) for found in texts]

    async def aclose(self) -> None:
        """Free the connections."""
        if self._http is not None:
            await self._http.aclose()

    def values(self, row: Row, extras: Sequence[str]) -> dict[str, Any]:
        """Return a row as columns: the same ones in every row, whatever it holds."""
        table = self._table
        optional = {"updated_at": "now", "provenance": row.provenance}  # 'now' is read by the database's clock
        return {
            table.category: row.id.category,
            table.key: row.id.key,
            table.locale: row.id.locale,
            table.title: row.title,
            table.text: row.text,
            **table.constants,
            **{name: optional[name] for name in extras},
        }

    async def send_upsert(self, values: Sequence[dict[str, Any]]) -> None:
        """Send one upsert.

        Raises:
            Refused: the API answered with an error.
            RowsRefused: the rows cannot even be sent.
            StoreUnavailable: no answer.
        """
        from postgrest.types import ReturnMethod

        conflict = ",".join(self._table.conflict_columns)
        query = self._builder().upsert(list(values), on_conflict=conflict, returning=ReturnMethod.minimal)
        if (await self._execute(query)).data:
            raise Refused(foreign(self._status.get()))  # asked for nothing back: this is a page of somebody else

    async def send_select(self, columns: Sequence[str]) -> None:
        """Select one row of these columns, to see whether that is possible.

        Raises:
            Refused: the API answered with an error.
            StoreUnavailable: no answer.
        """
        await self._select(self._builder().select(",".join(columns)).limit(1))

    async def described(self) -> dict[str, Any]:
        """Return what the API's description of itself says about the table; empty where it is not served."""
        import httpx

        client, table = self._connected(), self._table
        assert self._http is not None, "connecting has made it"
        headers = {**client.options.headers, "Accept-Profile": table.schema}
        try:
            answer = await self._http.get(f"{client.rest_url}/", headers=headers)
            found = answer.json()["definitions"][table.name] if answer.is_success else {}
        except (httpx.RequestError, ValueError, LookupError, TypeError):
            return {}
        return found if isinstance(found, dict) else {}

    async def existing_extras(self) -> tuple[str, ...]:
        """Return which of the optional columns the table has; looked up once.

        Raises:
            Refused: the table cannot be read at all.
            StoreUnavailable: no answer.
        """
        if self._extras is None:
            self._extras = tuple([name for name, probe in _OPTIONAL.items() if await self._exists(probe)])
        return self._extras

    async def _exists(self, column: str) -> bool:
        try:
            await self.send_select([column])
        except Refused as refusal:
            if refusal.answer.code in _UNDEFINED_COLUMN:
                return False
            raise
        return True

    async def _existing_extras(self) -> tuple[str, ...]:
        try:
            return await self.existing_extras()
        except Refused as refusal:
            raise translated_reading(refusal.answer, self._table) from None

    async def _part(self, category: str, locale: str, *, with_provenance: bool) -> AsyncIterator[StoredRow]:
        table = self._table
        said = ",fingerprint:provenance->>fingerprint,writer:provenance->>writer" if with_provenance else ""
        last: str | None = None
        more = True
        while more:
            query = (
                self._builder()
                .select(f"key:{table.key}{said}", count="exact")
                .eq(table.category, category)
                .eq(table.locale, locale)
                .order(table.key)
                .limit(_ROWS_ASKED_FOR)
            )
            page, left = await self._read(query if last is None else query.gt(table.key, last))
            for found in page:
                yield StoredRow(
                    ItemId(category, found["key"], locale),
                    found.get("fingerprint") or "",
                    intern(found.get("writer") or ""),
                )
                last = found["key"]
            more = bool(page) and (left is None or left > len(page))

    def _text(self, found: dict[str, Any]) -> StoredText:
        table = self._table
        return StoredText(
            ItemId(found[table.category], found[table.key], found[table.locale]),
            found[table.title],
            found[table.text],
            found.get("provenance"),
            found.get("updated_at") or "",
        )

    async def _read(self, query: Any) -> tuple[list[dict[str, Any]], int | None]:
        try:
            return await self._select(query)
        except Refused as refusal:
            raise translated_reading(refusal.answer, self._table) from None

    async def _select(self, query: Any) -> tuple[list[dict[str, Any]], int | None]:
        """Return the rows of an answer, and how many there are in all where that was asked for."""
        answer = await self._execute(query)
        if not isinstance(answer.data, list) or not all(isinstance(found, dict) for found in answer.data):
            raise Refused(foreign(self._status.get()))
        return answer.data, answer.count

    async def _execute(self, query: Any) -> Any:
        outcome = await self._outcome(query)
        if isinstance(outcome, Exception):
            raise outcome  # here, where no foreign error is its context: those quote headers, and with them the key
        return outcome

    async def _outcome(self, query: Any) -> Any:
        import httpx
        from postgrest.exceptions import APIError

        try:
            return await query.execute()
        except APIError as error:
            return Refused(answer_of(error, self._status.get()))
        except httpx.RequestError as error:
            return unreachable(error)
        except UnicodeEncodeError:
            return RowsRefused("a text holds a character that UTF-8 cannot express")

    def _builder(self) -> Any:
        return self._connected().schema(self._table.schema).table(self._table.name)

    def _connected(self) -> AsyncClient:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> AsyncClient:
        with vendor_import():
            import httpx
            from supabase import AsyncClient, AsyncClientOptions

        if not self._key.isascii():  # the client would quote it in its error
            raise RunBlocked("The Supabase key holds a character that no key has.", hint="Copy the key again.")

        async def keep_status(response: httpx.Response) -> None:
            self._status.set(response.status_code)

        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(self._answer_within, connect=_CONNECT_SECONDS),
            event_hooks={"response": [keep_status]},
            follow_redirects=False,  # the key must not travel to another host
        )
        options = AsyncClientOptions(
            httpx_client=self._http, postgrest_client_retry=False, auto_refresh_token=False, persist_session=False
        )
        return AsyncClient(self._url, self._key, options)
