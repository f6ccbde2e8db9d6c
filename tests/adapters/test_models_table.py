"""The dated table of models: complete, plausible, and laid over by a file of the user's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from seed_library.adapters.catalog_folders import prompts_folder
from seed_library.adapters.catalogs import load_catalog
from seed_library.adapters.models import load_models
from seed_library.core.errors import SettingsInvalid
from seed_library.core.pricing import ModelFacts

TABLE = load_models(None)
ENTRY = """
thinking = ["disabled"]
max_output_tokens = 8000
price = { input = "1", output = 5, cache_write_5m = "1.25", cache_write_1h = 2, cache_read = "0.10" }
"""
OWN = f'as_of = "2027-01-01"\n[models.claude-sonnet-5-5]{ENTRY}[models.house-model]{ENTRY}'


@pytest.mark.parametrize("model", TABLE.models.values(), ids=TABLE.models)
def test_every_known_model_has_plausible_prices_and_limits(model: ModelFacts) -> None:
    """Output is dearer than input, writing the cache dearer than not using it, reading from it cheaper."""
    for price in [model.price, *([model.long_prompt.price] if model.long_prompt else [])]:
        assert 0 < price.cache_read < price.input < price.cache_write_5m < price.cache_write_1h < price.output
    assert model.max_output_tokens >= 64_000
    assert model.source == f"table of {TABLE.as_of}"
    if model.retires:
        date.fromisoformat(model.retires)


def test_a_long_prompt_is_dearer_in_every_respect() -> None:
    """Otherwise the worst case, which assumes the longest prompt, would not be the worst."""
    tiers = [model for model in TABLE.models.values() if model.long_prompt]
    assert [model.id for model in tiers] == ["claude-haiku-5-5"]
    (haiku,) = tiers
    assert haiku.long_prompt is not None
    assert haiku.long_prompt.above == 100_000
    assert haiku.long_prompt.price.input == 5 * haiku.price.input
    assert haiku.long_prompt.price.output == 5 * haiku.price.output


@pytest.mark.parametrize(
    ("model", "off"),
    [
        ("claude-sonnet-5-5", "between_tools"),
        ("claude-haiku-5-5", "disabled"),
        ("claude-opus-5-5", None),
        ("claude-fable-5-2", None),
    ],
)
def test_the_table_knows_how_thinking_is_turned_off(model: str, off: str | None) -> None:
    """For the times when the API does not say."""
    assert TABLE.models[model].thinking_off == off


@pytest.mark.parametrize(
    ("model", "prices", "most", "lifecycle"),
    [
        ("claude-sonnet-4-6", "3 15 0.30", 128_000, "active"),
        ("claude-haiku-4-5", "1 5 0.10", 64_000, "active"),
        ("claude-haiku-4-5-20251001", "1 5 0.10", 64_000, "active"),
        ("claude-sonnet-4-5-20250929", "3 15 0.30", 64_000, "deprecated"),
        ("claude-opus-4-5-20251101", "5 25 0.50", 64_000, "deprecated"),
        ("claude-opus-4-6", "5 25 0.50", 128_000, "active"),
        ("claude-opus-4-8", "5 25 0.50", 128_000, "active"),
        ("claude-fable-5", "10 50 1.00", 128_000, "active"),
        ("claude-fable-5-1", "10 50 0.25", 128_000, "active"),
    ],
)
def test_older_models_that_still_answer_have_their_prices(model: str, prices: str, most: int, lifecycle: str) -> None:
    """Those with a date in their id as well: they are the same models."""
    known = TABLE.models[model]
    assert [known.price.input, known.price.output, known.price.cache_read] == [*map(Decimal, prices.split())]
    assert (known.id, known.max_output_tokens, known.lifecycle) == (model, most, lifecycle)


def test_the_models_that_catalogs_ask_for_are_known_and_alive() -> None:
    """The default would otherwise have no price; the model of the original script is known to be retired."""
    asked = load_catalog(prompts_folder(None), "bazi_pillars").request.model
    known = TABLE.facts(asked)
    assert known is not None
    assert known.lifecycle == "active"
    assert TABLE.retired["claude-sonnet-4-20250514"] == "2026-06-15"
    assert not set(TABLE.retired) & set(TABLE.models)
    assert TABLE.facts("claude-of-tomorrow") is None


def test_a_file_of_the_user_is_laid_over_the_packaged_table(tmp_path: Path) -> None:
    """It replaces and adds models and retirements; what it does not name stays."""
    path = tmp_path / "models.toml"
    path.write_text(OWN + '[retired]\nclaude-opus-5 = "2027-01-01"\n')
    table = load_models(path)
    assert table.models["claude-sonnet-5-5"].price.output == Decimal(5)
    assert table.models["house-model"].source == "table of 2027-01-01"
    assert table.models["claude-opus-5-5"] == TABLE.models["claude-opus-5-5"]
    assert {"claude-opus-5", *TABLE.retired} == set(table.retired)


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (b"as_of = ", ["Invalid value"]),
        (b"# \xfc", ["models.toml, line 1: not UTF-8"]),
        (b"", ["as_of: Field required"]),
        (
            OWN.replace('input = "1"', 'input = "-1", batch = "1"').replace("thinking", "thoughts").encode(),
            [
                "models.claude-sonnet-5-5.thinking: Field required",
                "models.claude-sonnet-5-5.thoughts: Extra inputs",
                "models.house-model.price.input: Input should be greater than or equal to 0",
                "models.house-model.price.batch: Extra inputs",
            ],
        ),
        (OWN.replace('"1.25"', '"cheap"').encode(), ["price.cache_write_5m: Input should be a valid decimal"]),
        (OWN.replace('"1.25"', '"NaN"').encode(), ["price.cache_write_5m: Input should be a finite number"]),
    ],
    ids=["not TOML", "not UTF-8", "empty", "fields", "no number", "no finite number"],
)
def test_everything_that_is_wrong_with_such_a_file_is_named(tmp_path: Path, content: bytes, faults: list[str]) -> None:
    """It is a setting, so its faults are those of settings."""
    path = tmp_path / "models.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsInvalid) as caught:
        load_models(path)
    assert caught.value.message.startswith(f"SEED_LIBRARY_MODELS_FILE ({path}) cannot be used:")
    assert all(fault in caught.value.message for fault in faults), caught.value.message


def test_a_file_that_is_gone_is_a_fault_of_settings_too(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(SettingsInvalid, match=r"models\.toml is missing"):
        load_models(tmp_path / "models.toml")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('input = "1"', 'input = "nan"', "price.input: Input should be a finite number"),
        ('input = "1"', "input = inf", "price.input: Input should be a finite number"),
        ('input = "1"', 'input = "1e400"', "price.input: Input should be less than or equal to 1000000"),
        ("output = 5", "output = -5", "price.output: Input should be greater than or equal to 0"),
        ("8000", "1" + "0" * 400, "max_output_tokens: Input should be less than or equal to 1000000000"),
        ("8000", "nan", "max_output_tokens: Input should be a finite number"),
        ("8000", "1" * 5000, "is not TOML: Exceeds the limit"),
        ("8000", "[" * 100_000, "is not TOML: "),
    ],
)
def test_a_number_that_cannot_be_meant_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """It would make the price of everything nonsense, or end in arithmetic that overflows."""
    file = tmp_path / "models.toml"
    file.write_text(OWN.replace(old, new))
    with pytest.raises(SettingsInvalid) as caught:
        load_models(file)
    assert fault in caught.value.message
