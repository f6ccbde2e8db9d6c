"""One connection to a project's REST API, and the only place where the vendor's client is touched.

The vendors' own retries are off: tenacity owns all of them. No error of theirs leaves this module, nor becomes the
context of one that does: they quote headers, and with them the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from seed_library.adapters.awake import patiently
from seed_library.adapters.imports import vendor_import
from seed_library.adapters.obstacles import is_of_the_network
from seed_library.adapters.routes import client_options, proxy_secrets
from seed_library.adapters.supabase_errors import Answer, answer_of, foreign, unanswered, unreachable
from seed_library.core import exact_json
from seed_library.core.errors import RowsRefused, RunBlocked
from seed_library.core.foreign_text import ForeignText

if TYPE_CHECKING:
    import httpx
    from supabase import AsyncClient

READ_SECONDS = 60.0  # for a whole answer, however it trickles; a hibernated project wakes up on the first request
_CONNECT_SECONDS = 10.0


class Refused(Exception):
    """The API answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class _WithBody:
    """A session whose requests carry another body than the vendor's client has made."""

    def __init__(self, session: httpx.AsyncClient, body: str) -> None:
        self._session = session
        self._body = body.encode()
        self.auth = session.auth

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request."""
        return await self._session.request(method, url, **{**options, "content": self._body})


class SupabaseConnection:
    """Sends requests with the project's key. Connects with the first one.

    Attributes:
        foreign: shows what is harmless of what comes back.
    """

    def __init__(self, url: str, key: str, *, answer_within: float = READ_SECONDS) -> None:
        self.url = url
        self.foreign = ForeignText((key, *proxy_secrets()))
        self._key = key
        self._answer_within = answer_within
        self._http: httpx.AsyncClient | None = None
        self._client: AsyncClient | None = None
        # An APIError does not tell the HTTP status, and the vendor's client reads numbers as floats; the hook runs in
        # the task of the request and leaves the answer here.
        self._answered: ContextVar[httpx.Response | None] = ContextVar("answered", default=None)

    def table(self, schema: str, name: str) -> Any:
        """Return the vendor's builder of requests to a table."""
        return self._connected().schema(schema).table(name)

    async def call(self, schema: str, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function of the database and return its result.

        Raises:
            Refused: the API answered with an error.
            RowsRefused: the arguments cannot even be sent.
            StoreUnavailable: no answer.
        """
        return (await self.execute(self._connected().schema(schema).rpc(function, dict(arguments)))).data

    async def execute(self, query: Any) -> Any:
        """Send a request that a builder has made, once.

        Raises:
            Refused: the API answered with an error.
            RowsRefused: the request cannot even be sent.
            StoreUnavailable: no answer.
        """
        outcome = await self._outcome(query)
        if isinstance(outcome, Exception):
            raise outcome  # here, where no foreign error is its context
        return outcome

    async def read_exactly(self, query: Any) -> list[dict[str, Any]]:
        """Send a request for rows and return them with every digit of their numbers.

        Raises:
            Refused, RowsRefused, StoreUnavailable: as `execute`.
        """
        self.rows_of(await self.execute(query))
        answered = self._answered.get()
        assert answered is not None, "an answer was read"
        rows: list[dict[str, Any]] = exact_json.loads(answered.content)
        return rows

    async def write_exactly(self, query: Any, rows: Any) -> Any:
        """Send a write whose rows hold every digit of their numbers.

        Raises:
            Refused, RowsRefused, StoreUnavailable: as `execute`.
        """
        query.request.json = []  # the vendor's encoder knows no such numbers
        query.request.session = _WithBody(query.request.session, exact_json.dumps(rows))
        return await self.execute(query)

    @property
    def _status(self) -> int:
        answered = self._answered.get()
        return answered.status_code if answered is not None else 0

    def strange(self) -> Refused:
        """Return the failure of a success that cannot be the API's: the page of a gateway or proxy."""
        return Refused(foreign(self._status))

    def rows_of(self, answer: Any) -> list[dict[str, Any]]:
        """Return the rows of an answer.

        Raises:
            Refused: it holds something else, and cannot be the API's.
        """
        if not isinstance(answer.data, list) or not all(isinstance(found, dict) for found in answer.data):
            raise self.strange()
        return answer.data

    async def described(self, schema: str, table: str) -> dict[str, Any]:
        """Return what the API's description of itself says about a table; empty where it is not served."""
        client = self._connected()
        assert self._http is not None, "connecting has made it"
        headers = {**client.options.headers, "Accept-Profile": schema}
        try:
            async with patiently(self._answer_within):
                answer = await self._http.get(f"{client.rest_url}/", headers=headers)
            found = answer.json()["definitions"][table] if answer.is_success else {}
        except (ValueError, LookupError, TypeError):
            return {}
        except Exception as error:
            if not is_of_the_network(error):
                raise
            return {}
        return found if isinstance(found, dict) else {}

    async def aclose(self) -> None:
        """Free the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _outcome(self, query: Any) -> Any:
        from postgrest.exceptions import APIError

        try:
            async with patiently(self._answer_within):
                return await query.execute()
        except APIError as error:
            return Refused(answer_of(error, self._status, self.foreign))
        except TimeoutError:
            return unanswered(self._answer_within)
        except UnicodeEncodeError:
            return RowsRefused("a text holds a character that UTF-8 cannot express")
        except Exception as error:
            if not is_of_the_network(error):
                raise
            return unreachable(error, self.url)

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

        async def keep(response: httpx.Response) -> None:
            self._answered.set(response)

        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),  # all else is waited for `patiently`
            **client_options(httpx, self.url, "SUPABASE_URL"),
        )
        self._http.event_hooks["response"].append(keep)
        options = AsyncClientOptions(
            httpx_client=self._http, postgrest_client_retry=False, auto_refresh_token=False, persist_session=False
        )
        return AsyncClient(self.url, self._key, options)
