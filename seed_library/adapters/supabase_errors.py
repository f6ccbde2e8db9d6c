"""What the database and its API answer, translated: try later, this row, or nobody.

Codes are PostgREST's (PGRST...) or Postgres' own (five characters). The code decides first, the HTTP status second;
texts decide only between the two meanings of 42501. The details of a constraint error quote the whole row, so they
are never passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable

if TYPE_CHECKING:
    from postgrest.exceptions import APIError

_LATER_STATUSES = {408, 425, 429, 500, 502, 503, 504, *range(520, 525), 530, 544}
_LATER_CODES = {"PGRST000", "PGRST001", "PGRST002", "PGRST003", "40001", "40P01", "55P03", "57014", "57P01", "57P03"}
_LATER_CLASSES = ("08", "53", "58")
_ROW_CLASSES = ("21", "22", "23")
_PAUSED = 540
_PAYMENT = 402
_TOO_LARGE = 413
_ANONYMOUS = 401  # a missing grant is a 403 to a privileged role, a 401 to the anonymous one


@dataclass(frozen=True, slots=True)
class Answer:
    """A refused request. `code` is empty where the answer was no error object (a gateway, a proxy)."""

    status: int
    code: str
    message: str


def answer_of(error: APIError, status: int) -> Answer:
    """Read an APIError, which knows no HTTP status of its own."""
    code = error.code or ""
    message = error.message or ""
    if code == str(status) or "<html" in message.lower():
        return Answer(status, "", "an answer that is no JSON (a proxy or gateway in between?)")
    return Answer(status, code, message)


def translated(answer: Answer, table: TableSpec) -> Exception:
    """Return the failure that a refused request means for the engine."""
    said = f"{answer.message or 'no reason given'} ({answer.code or f'HTTP {answer.status}'})"
    if answer.code in _LATER_CODES or answer.code[:2] in _LATER_CLASSES:
        return StoreUnavailable(f"Supabase is not ready: {said}.", hint="Run again later; nothing paid is lost.")
    if answer.code[:2] in _ROW_CLASSES or answer.status == _TOO_LARGE:
        return RowsRefused(said)
    if not answer.code and answer.status in _LATER_STATUSES:
        return StoreUnavailable(
            f"Supabase did not answer as it should: {said}.", hint="Run again later; nothing paid is lost."
        )
    return RunBlocked(f"Supabase refuses: {said}.", hint=hint_for(answer, table))


def unreachable(error: Exception) -> StoreUnavailable:
    """Return the failure of a request that got no answer. The error's own text may name only its kind."""
    return StoreUnavailable(
        f"Supabase gave no answer ({type(error).__name__}).",
        hint="Check SUPABASE_URL and the network. Run again later; nothing paid is lost.",
    )


def hint_for(answer: Answer, table: TableSpec) -> str:
    """Say what to do about a refusal."""
    name = f"{table.schema}.{table.name}"
    by_code = {
        "PGRST205": f"Create the table {name}: `seed-library schema` prints the migration. "
        "If it was just created: notify pgrst, 'reload schema';",
        "42P01": f"Create the table {name}: `seed-library schema` prints the migration.",
        "PGRST106": f"Expose the schema {table.schema} in the project's API settings.",
        "PGRST204": "Add the column, or map it in [table.columns] of catalog.toml.",
        "42703": "Add the column, or map it in [table.columns] of catalog.toml.",
        "42P10": f"create unique index on {name} ({', '.join(table.conflict_columns)});",
    }
    if answer.code in by_code:
        return by_code[answer.code]
    if answer.code == "42501":
        return _privilege_hint(answer, name)
    if answer.status == _PAUSED:
        return "The project is paused. Restore it in the Supabase dashboard, then run again."
    if answer.status == _PAYMENT:
        return "The project is over its quota. See its billing page."
    if answer.status in {401, 403}:
        return "Check SUPABASE_SERVICE_ROLE_KEY: it must be a valid secret or service role key of this project."
    return "Check the table and the key, then run again; nothing paid is lost."


def _privilege_hint(answer: Answer, name: str) -> str:
    if "row-level security" in answer.message or answer.status == _ANONYMOUS:
        return "This key may not write. Use the secret key or the service role key of this project."
    schema = name.split(".", maxsplit=1)[0]
    return (
        f"grant usage on schema {schema} to service_role; grant select, insert, update on table {name} to service_role;"
    )
