"""The dated table of models: prices, and abilities for when the API does not tell them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seed_library.adapters.catalog_folders import Unreadable, read_toml
from seed_library.core.errors import SettingsInvalid
from seed_library.core.pricing import LongPromptPrice, ModelFacts, Price

_Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]  # per million tokens
_Tokens = Annotated[int, Field(gt=0, le=1_000_000_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PriceEntry(_Strict):
    input: _Usd
    output: _Usd
    cache_write_5m: _Usd
    cache_write_1h: _Usd
    cache_read: _Usd

    def price(self) -> Price:
        return Price(self.input, self.output, self.cache_write_5m, self.cache_write_1h, self.cache_read)


class _LongPromptEntry(_Strict):
    above: _Tokens
    price: _PriceEntry


class _ModelEntry(_Strict):
    also: tuple[str, ...] = ()
    lifecycle: Literal["active", "deprecated"] = "active"
    thinking: tuple[Literal["adaptive", "between_tools", "disabled"], ...]
    efforts: tuple[str, ...] = ()
    max_output_tokens: _Tokens
    retires: str = ""
    price: _PriceEntry
    long_prompt: _LongPromptEntry | None = None


class _File(_Strict):
    as_of: str
    models: dict[str, _ModelEntry] = {}
    retired: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class ModelsTable:
    """What is known of models at a date. `retired` maps ids to the date of their retirement."""

    as_of: str
    models: Mapping[str, ModelFacts]
    retired: Mapping[str, str]

    def facts(self, model: str) -> ModelFacts | None:
        """Return what is known of a model, or None."""
        return self.models.get(model)


def load_models(override: Path | None) -> ModelsTable:
    """Return the packaged table, with the entries of a file of the same form laid over it.

    Raises:
        SettingsInvalid: the file is missing or wrong; everything that is wrong is named.
    """
    table = _table(tomllib.loads(files("seed_library.data").joinpath("models.toml").read_text("utf-8")))
    if override is None:
        return table
    own = _read_override(override)
    return ModelsTable(own.as_of, {**table.models, **own.models}, {**table.retired, **own.retired})


def _read_override(path: Path) -> ModelsTable:
    try:
        return _table(read_toml(path))
    except Unreadable as error:
        faults = [str(error)]
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        faults = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems]
    raise SettingsInvalid(
        f"SEED_LIBRARY_MODELS_FILE ({path}) cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults),
        hint="It has the form of the packaged models.toml.",
    )


def _table(data: dict[str, Any]) -> ModelsTable:
    file = _File.model_validate(data)
    models = {
        name: _facts(name, entry, file.as_of) for one, entry in file.models.items() for name in (one, *entry.also)
    }
    return ModelsTable(file.as_of, models, file.retired)


def _facts(name: str, entry: _ModelEntry, as_of: str) -> ModelFacts:
    long_prompt = entry.long_prompt
    return ModelFacts(
        id=name,
        lifecycle=entry.lifecycle,
        thinking_types=entry.thinking,
        efforts=entry.efforts,
        max_output_tokens=entry.max_output_tokens,
        price=entry.price.price(),
        long_prompt=LongPromptPrice(long_prompt.above, long_prompt.price.price()) if long_prompt else None,
        retires=entry.retires,
        source=f"table of {as_of}",
    )
