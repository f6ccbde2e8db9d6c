"""The schema of `catalog.toml`, checked with every fault named at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from seed_library.core.catalog import TRIES, GeneratedColumn, RequestSpec, TableSpec, ThinkingWish
from seed_library.core.locales import read_locale


def _locale(written: str) -> str:
    read_locale(written)
    return written


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Locale = Annotated[str, AfterValidator(_locale)]
Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
# What answers and files have in every row.
_RESERVED = {"category", "key", "locale", "title", "text", "provenance", "updated_at"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _finite(constants: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse what TOML knows as a number and JSON does not."""
    try:
        json.dumps(constants, allow_nan=False)
    except ValueError:
        raise ValueError("numbers must be finite (neither nan nor inf)") from None
    return constants


class Columns(_Strict):
    """`[table.columns]`: which column holds what."""

    category: Column = "category"
    key: Column = "key"
    locale: Column = "locale"
    title: Column = "title"
    text: Column = "description"
    # Our own columns: another name, or false where the table's columns of these names are somebody else's.
    provenance: Column | Literal[False] = "provenance"
    updated_at: Column | Literal[False] = "updated_at"


class Table(_Strict):
    """`[table]`: where rows live."""

    # `schema` is a method of the base class, hence the alias.
    schema_: Column = Field(default="public", alias="schema")
    name: Column = "content_library"
    columns: Columns = Columns()
    constants: Annotated[dict[Column, JsonValue], AfterValidator(_finite)] = {}

    def spec(self) -> TableSpec:
        """Return the value that the core works with."""
        columns = self.columns
        return TableSpec(
            schema=self.schema_,
            name=self.name,
            category=columns.category,
            key=columns.key,
            locale=columns.locale,
            title=columns.title,
            text=columns.text,
            constants=dict(self.constants),
            provenance=columns.provenance or "",
            updated_at=columns.updated_at or "",
        )


class Generated(_Strict):
    """`[[generated]]`: a column that the model fills besides the text."""

    column: Column
    about: Annotated[str, Field(min_length=1)]
    at_least: Count = 1
    at_most: Count

    def spec(self) -> GeneratedColumn:
        """Return the value that the core works with."""
        return GeneratedColumn(self.column, self.about, self.at_least, self.at_most)


class Request(_Strict):
    """`[request]`: the parameters of a request that the catalog decides."""

    model: Name
    max_tokens: Count = 1024
    thinking: ThinkingWish = "off"
    thinking_tokens: Count = 4096
    effort: Literal["", "low", "medium", "high", "xhigh", "max"] = ""
    repairs: Annotated[int, Field(ge=0, le=5)] = 2
    tries: Annotated[int, Field(ge=1, le=7)] = TRIES  # the ledger counts up to 7

    def spec(self) -> RequestSpec:
        """Return the value that the core works with."""
        return RequestSpec(self.model, self.max_tokens, self.thinking, self.thinking_tokens, self.effort)


class CatalogFile(_Strict):
    """The whole file."""

    version: Literal[1]
    name: Name
    description: str
    items: Annotated[str, Field(min_length=1)]
    categories: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    locales: Annotated[tuple[Locale, ...], Field(min_length=1, strict=False)]
    titles: dict[str, str] = {}
    table: Table = Field(default_factory=lambda: Table.model_validate({}))
    request: Request
    generated: Annotated[tuple[Generated, ...], Field(strict=False)] = ()
    gates: dict[str, Any]

    def table_spec(self) -> TableSpec:
        """Return where rows live, the columns that the model fills among them."""
        return replace(self.table.spec(), generated=tuple(one.column for one in self.generated))


def parse(data: Mapping[str, Any]) -> tuple[CatalogFile | None, list[str]]:
    """Check the decoded file; return it, or None and everything that is wrong with it."""
    try:
        file = CatalogFile.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        return None, [_sentence(problem["loc"], problem["type"], problem["msg"]) for problem in problems]
    once = {"categories": tuple(dict.fromkeys(file.categories)), "locales": tuple(dict.fromkeys(file.locales))}
    return file.model_copy(update=once), [*_doubles(file), *_generated_faults(file)]


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    place = ".".join(str(part) for part in location)
    match kind:
        case "missing":
            return f"the field {place!r} is missing"
        case "extra_forbidden":
            return f"the field {place!r} is unknown"
        case _:
            message = message.removeprefix("Value error, ")
            return f"{place}: {message[:1].lower()}{message[1:]}"


def _generated_faults(file: CatalogFile) -> Iterator[str]:
    for one in file.generated:
        if one.column in _RESERVED:
            yield f"generated: {one.column!r} is what every row has besides; name the column otherwise"
        if one.at_least > one.at_most:
            yield f"generated: {one.column!r} has at_least above at_most"


def _doubles(file: CatalogFile) -> Iterator[str]:
    for what, names in (("categories", file.categories), ("locales", file.locales)):
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield f"{what}: {name!r} is listed twice"
    spelt: dict[str, str] = {}
    for locale in dict.fromkeys(file.locales):
        if (other := spelt.setdefault(read_locale(locale).tag, locale)) != locale:
            yield f"locales: {other!r} and {locale!r} are the same locale"
    for locale in file.titles:
        if locale not in file.locales:
            yield f"titles: the locale {locale!r} is not one of the catalog's"
    columns = [
        *filter(None, file.table.columns.model_dump().values()),
        *file.table.constants,
        *(one.column for one in file.generated),
    ]
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            yield f"table: the column {column!r} is used twice"
