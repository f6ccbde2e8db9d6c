"""What the database and its API answer, translated: try later, this row, or nobody.

Codes are PostgREST's (PGRST...) or Postgres' own (five characters). The code says whether rows are to blame, the HTTP
status whether the failure may pass; texts decide only between the two meanings of 42501. The details of a constraint
error quote the whole row, so they are never passed on, and neither are long values that a message quotes. What is
shown of a message is what is harmless (`core.foreign_text`): not everything that answers is Supabase.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seed_library.adapters.obstacles import never_left, obstacle, silence_hint
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, ServiceUnreachable, StoreUnavailable
from seed_library.core.foreign_text import ForeignText

if TYPE_CHECKING:
    from postgrest.exceptions import APIError

# PostgREST gives 500, 503 or 504 to whatever may pass: timeouts, deadlocks, a database that restarts or is too busy.
_LATER_STATUSES = {408, 425, 429, 500, 502, 503, 504, *range(520, 528), 530, 544}
_NO_PRIVILEGE = "42501"
# P0: a trigger of the table's owner objects. 54: a row is too large for an index. Some of them come as 500.
_ROW_CLASSES = ("21", "22", "23", "44", "54", "P0")
_TIMEOUT = "57014"
# No answer of the database about these rows: it is away, full, restarting, or cannot be reached.
_AWAY_CLASSES = ("08", "53", "57P", "PGRST00")
_AWAY_STATUSES = {503, *range(521, 528), 530}
_SERVER_ERROR = 500
_FOREIGN = "the answer came from a gateway or proxy, not from the API"
_TOO_LARGE = 413
_REDIRECTED = 300
_LATER = "Run again later; nothing paid is lost."
_NO_KEY = 401
_ANONYMOUS = 401  # a missing grant is a 403 to a privileged role, a 401 to the anonymous one
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A refused request.

    Attributes:
        code: empty where the answer was no error object (a gateway, a proxy).
        message: what may be shown of it.
        raw: the message as it came, to be compared with only.
    """

    status: int
    code: str
    message: str
    raw: str = field(default="", compare=False, repr=False)


def answer_of(error: APIError, status: int, shown: ForeignText) -> Answer:
    """Read an APIError, which knows no HTTP status of its own."""
    code = error.code or ""
    message = error.message or ""
    if code == str(status) or "<html" in message.lower():
        return foreign(status)
    return refused_with(status, shown.code(code), message, shown)


def refused_with(status: int, code: str, message: str, shown: ForeignText) -> Answer:
    """Return the answer that a message of the database is, without what it should not show."""
    return Answer(status, code, shown.sentence(_without_long_values(message)), message)


def foreign(status: int) -> Answer:
    """Return the answer of something that is not Supabase's API."""
    return Answer(status, "", _FOREIGN)


def translated(answer: Answer, table: TableSpec) -> RowsRefused | RunBlocked:
    """Return the failure that a refused write means for the engine."""
    if is_about_rows(answer):
        return RowsRefused(said_by(answer))
    return translated_reading(answer, table)


def translated_reading(answer: Answer, table: TableSpec) -> RunBlocked:
    """Return the failure that a refused read means for the engine: no row can be to blame."""
    if _may_pass(answer):
        said = f"Supabase did not answer as it should: {said_by(answer)}."
        return StoreUnavailable(said, hint=_LATER, about_rows=_may_be_about_rows(answer))
    return RunBlocked(f"Supabase refuses: {said_by(answer)}.", hint=hint_for(answer, table))


def translated_deleting(answer: Answer, table: TableSpec) -> RunBlocked:
    """Return the failure of a refused deletion. Runs never delete, so the grant may be missing on purpose."""
    if answer.code == _NO_PRIVILEGE:
        name = f"{table.schema}.{table.name}"
        return RunBlocked(
            f"Supabase does not let this key delete rows: {said_by(answer)}.",
            hint=f"grant delete on table {name} to service_role; (runs do not need it, so you may take it back after).",
        )
    return translated_reading(answer, table)


def is_about_rows(answer: Answer) -> bool:
    """Whether the rows of a write are refused for what they contain."""
    return answer.code[:2] in _ROW_CLASSES or answer.status == _TOO_LARGE


def is_away(answer: Answer) -> bool:
    """Whether the target does not answer now, and may in a moment."""
    return _may_pass(answer) and not _may_be_about_rows(answer)


def _may_be_about_rows(answer: Answer) -> bool:
    """Whether other rows, or fewer of them, might be taken: something has failed on these."""
    if answer.code == _TIMEOUT:
        return True
    away = answer.code.startswith(_AWAY_CLASSES) or answer.status in _AWAY_STATUSES
    return answer.status >= _SERVER_ERROR and not away


def said_by(answer: Answer) -> str:
    """Return what was answered, in one line."""
    return f"{answer.message or 'no reason given'} ({answer.code or f'HTTP {answer.status}'})"


def _may_pass(answer: Answer) -> bool:
    return answer.status in _LATER_STATUSES or answer.status < _REDIRECTED  # a success, but not of Supabase's API


def _without_long_values(message: str) -> str:
    """Cut a message before a long value: that could be a text of the library."""
    head, mark, value = message.partition(': "')
    return f"{head}: (a long value)" if mark and len(value) > _LONGEST_VALUE else message


def unreachable(error: Exception, url: str) -> StoreUnavailable | ServiceUnreachable:
    """Return the failure of a request that got no answer. The error's own text is foreign; its kind may be named."""
    if not never_left(error):
        said = f"Supabase gave no answer ({type(error).__name__})."
        return StoreUnavailable(said, hint=f"{silence_hint(url, 'SUPABASE_URL')} {_LATER}")
    found = obstacle(error, url, "SUPABASE_URL")
    said = f"Supabase cannot be reached: {found.reason}."
    if found.lasting:
        return ServiceUnreachable(said, hint=found.hint)
    return StoreUnavailable(said, hint=f"{found.hint} {_LATER}", reached=False)


def unanswered(seconds: float) -> StoreUnavailable:
    """Return the failure of a request whose answer was not there, or not whole, after so many seconds."""
    return StoreUnavailable(f"Supabase gave no whole answer within {seconds:g} s.", hint=_LATER)


def hint_for(answer: Answer, table: TableSpec) -> str:
    """Say what to do about a refusal."""
    name = f"{table.schema}.{table.name}"
    by_code = {
        "PGRST205": f"Create the table {name}: {_how_to_create(table)} "
        "If it was just created: notify pgrst, 'reload schema';",
        "42P01": f"Create the table {name}: {_how_to_create(table)}",
        "PGRST106": f"Expose the schema {table.schema} in the project's API settings.",
        "PGRST204": "Add the column, or map it in [table.columns] of catalog.toml. If it was just added: "
        "notify pgrst, 'reload schema';",
        "42703": "Add the column, or map it in [table.columns] of catalog.toml.",
        "PGRST202": "Apply the migration of the lease functions again (`seed-library schema` prints it), then: "
        "notify pgrst, 'reload schema';",
        "42P10": f"create unique index on {name} ({', '.join(table.conflict_columns)});",
        "25006": "The database is read-only; hosted projects become so when their disk is full. See the dashboard.",
    }
    if answer.code == "42501":
        return _privilege_hint(answer, name)
    other = re.search(r'relation "([^"]+)" does not exist', answer.raw)
    if answer.code == "42P01" and other and other[1] not in {name, table.name}:
        what = other[1] if other[1] in answer.message else "what it names"
        return f"A trigger or function behind {name} needs {what}: create that, or mend the trigger."
    return by_code.get(answer.code) or _hint_for_status(answer)


def _hint_for_status(answer: Answer) -> str:
    by_status = {
        401: "Check SUPABASE_SERVICE_ROLE_KEY: it must be a valid secret or service role key of this project.",
        402: "The project is over its quota. See its billing page.",
        403: "Check SUPABASE_SERVICE_ROLE_KEY: it must be a valid secret or service role key of this project.",
        540: "The project is paused. Restore it in the Supabase dashboard, then run again.",
        **dict.fromkeys(
            range(300, 400), "SUPABASE_URL answers with a redirect, which the key does not follow. Set the new address."
        ),
        **dict.fromkeys(_LATER_STATUSES, _LATER),
    }
    if answer.status == _NO_KEY and not answer.code and answer.message == _FOREIGN:
        return (
            "Gateways have answered good keys so for a while: run again. If it stays, check SUPABASE_SERVICE_ROLE_KEY."
        )
    elsewhere = "" if answer.code else "Check SUPABASE_URL: https://PROJECT.supabase.co, without a path."
    return by_status.get(answer.status) or elsewhere or "Check the table and the key, then run again."


def _how_to_create(table: TableSpec) -> str:
    named = "" if table == TableSpec() else " CATALOG"
    return f"`seed-library schema{named}` prints the migration."


def _privilege_hint(answer: Answer, name: str) -> str:
    if "row-level security" in answer.raw or answer.status == _ANONYMOUS:
        return "This key may not write. Use the secret key or the service role key of this project."
    return grant_hint(name)


def rules_hint(name: str) -> str:
    """Say what to do about a table, named with its schema, that refuses rows for what they contain."""
    return f"{name} must take rows such as the catalog makes: change that rule, or the catalog."


def grant_hint(name: str) -> str:
    """Say what to grant on a table, named with its schema."""
    schema = name.split(".", maxsplit=1)[0]
    return (
        f"grant usage on schema {schema} to service_role; grant select, insert, update on table {name} to service_role;"
    )
