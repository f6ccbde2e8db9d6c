"""Settings from the environment and `.env`, checked all at once; no value of a secret is ever shown.

`.env.example` lists every setting; a test holds it against this class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from seed_library.core.api_keys import claude_key_fault, supabase_key_fault
from seed_library.core.errors import SettingsInvalid
from seed_library.core.path_names import path_fault
from seed_library.core.pricing import MICRO_PER_USD
from seed_library.core.service_urls import CLAUDE_URL, claude_url_fault, service_url, supabase_url_fault
from seed_library.core.targets import SqliteAddress, StoreAddress, SupabaseAddress, sqlite_path

_OWN = "SEED_LIBRARY_"
_MODEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,199}")  # gateways have names of their own
_ALIKE = 0.75  # of difflib's ratio: BUDGET is meant to be BUDGET_USD, DEBUG is not meant to be MODE


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _claude_url(value: str) -> str:
    if fault := claude_url_fault(value):
        raise ValueError(fault)
    return service_url(value)


def _supabase_url(value: str) -> str:
    if fault := supabase_url_fault(value):
        raise ValueError(fault)
    return service_url(value)


def _store(value: str) -> str:
    if value == "supabase":
        return value
    if not (path := sqlite_path(value)):
        raise ValueError("must be 'supabase' or 'sqlite:PATH'")
    _known(Path(path))
    try:
        Path(path).expanduser().resolve()
    except RuntimeError:
        raise ValueError("names a home folder that nobody has, or links that lead in a circle") from None
    except OSError as error:
        raise ValueError(f"cannot be used ({error.strerror})") from None
    return value


def _known(value: Path) -> Path:
    if fault := path_fault(str(value)):
        raise ValueError(fault)
    return value


def _folder(value: Path) -> Path:
    return _found(value, Path.is_dir, "is not a folder")


def _file(value: Path) -> Path:
    return _found(value, Path.is_file, "is not a file")


def _found(value: Path, is_one: Callable[[Path], bool], fault: str) -> Path:
    _known(value)
    try:
        found = is_one(value)
    except OSError as error:
        raise ValueError(f"cannot be looked at ({error.strerror})") from None
    if not found:
        raise ValueError(fault)
    return value


def _model(value: str) -> str:
    if value and not _MODEL.fullmatch(value):
        raise ValueError("is no name of a model")
    return value


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise ValueError("names no locale")
    return parts


Secret = Annotated[SecretStr | None, BeforeValidator(_stripped)]
ClaudeUrl = Annotated[str, BeforeValidator(_stripped), AfterValidator(_claude_url)]
SupabaseUrl = Annotated[str, BeforeValidator(_stripped), AfterValidator(_supabase_url)]


class Settings(BaseSettings):
    """Every setting, under the name it has in the environment (lower case here)."""

    model_config = SettingsConfigDict(
        extra="ignore", hide_input_in_errors=True, env_ignore_empty=True, env_file_encoding="utf-8-sig", frozen=True
    )

    anthropic_api_key: Secret = None
    anthropic_base_url: ClaudeUrl = CLAUDE_URL
    supabase_url: SupabaseUrl | None = None
    supabase_service_role_key: Secret = None
    supabase_secret_key: Secret = None
    seed_library_catalog: str = "bazi_pillars"
    seed_library_store: Annotated[str, AfterValidator(_store)] = "supabase"
    seed_library_model: Annotated[str, AfterValidator(_model)] = ""
    seed_library_budget_usd: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)] = Decimal("5.00")
    seed_library_mode: Literal["auto", "messages", "batch"] = "auto"
    seed_library_batch_poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    seed_library_batch_grace_seconds: Annotated[float, Field(gt=0, le=3600)] = 180
    seed_library_concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    seed_library_locales: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    seed_library_prompts_dir: Annotated[Path, AfterValidator(_folder)] | None = None
    seed_library_models_file: Annotated[Path, AfterValidator(_file)] | None = None
    seed_library_state_dir: Annotated[Path, AfterValidator(_known)] | None = None
    seed_library_require_lease: bool = False

    @property
    def claude_key(self) -> str:
        """The Claude API key, or an empty string."""
        return self.anthropic_api_key.get_secret_value() if self.anthropic_api_key else ""

    @property
    def supabase_key(self) -> str:
        """The privileged Supabase key, or an empty string; the newer kind wins where both are set."""
        key = self.supabase_secret_key or self.supabase_service_role_key
        return key.get_secret_value() if key else ""

    @property
    def supabase_key_name(self) -> str:
        """The setting that `supabase_key` comes from."""
        return "SUPABASE_SECRET_KEY" if self.supabase_secret_key else "SUPABASE_SERVICE_ROLE_KEY"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for redaction."""
        held = (self.anthropic_api_key, self.supabase_service_role_key, self.supabase_secret_key)
        return tuple(secret.get_secret_value() for secret in held if secret and secret.get_secret_value())

    @property
    def budget(self) -> int:
        """The budget in micro-dollars."""
        return int(self.seed_library_budget_usd * MICRO_PER_USD)

    @property
    def store_address(self) -> StoreAddress | None:
        """The target's store; None where SUPABASE_URL is not set."""
        if path := sqlite_path(self.seed_library_store):
            return SqliteAddress(str(Path(path).expanduser().resolve()))
        return SupabaseAddress(self.supabase_url) if self.supabase_url else None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a verb cannot do without."""

    claude: bool = False
    store: bool = False


def inspect_settings(
    env_file: Path | None, overrides: Mapping[str, Any], needs: Needs, environment: Mapping[str, str], now: datetime
) -> tuple[Settings, dict[str, str]]:
    """Read the settings and find out what is wrong with them.

    Args:
        env_file: the `.env` to read, if there is one.
        overrides: values from flags, by setting name in lower case; they win.
        needs: what must be there.
        environment: looked at for keys of the wrong kind that explain a missing one.
        now: to tell whether a key has expired.

    Returns:
        The settings, those that cannot be read at their defaults, and setting name -> what is wrong with it.

    Raises:
        SettingsInvalid: the env file cannot be read at all.
    """
    settings, unreadable = _read(env_file, overrides)
    # A value that cannot be read explains more than its absence.
    return settings, unmet(settings, needs, environment, now) | unreadable | _misspelt(env_file, environment)


def settings_invalid(faults: Mapping[str, str]) -> SettingsInvalid:
    """Return one report of everything that is wrong with the settings."""
    return SettingsInvalid(
        "Settings are missing or wrong:\n" + "\n".join(f"  - {name} {fault}" for name, fault in faults.items()),
        hint="Set them in the environment or in .env (see .env.example). Nothing was started.",
    )


def load_settings(
    env_file: Path | None, overrides: Mapping[str, Any], needs: Needs, environment: Mapping[str, str], now: datetime
) -> Settings:
    """Read settings that must be right (see `inspect_settings`).

    Raises:
        SettingsInvalid: everything that is missing or malformed, in one report.
    """
    settings, faults = inspect_settings(env_file, overrides, needs, environment, now)
    if faults:
        raise settings_invalid(faults)
    return settings


def unmet(settings: Settings, needs: Needs, environment: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return what a verb with these needs would refuse: setting name -> what is wrong with it."""
    return _missing(settings, needs, environment) | _key_faults(settings, needs, now)


def _read(env_file: Path | None, overrides: Mapping[str, Any]) -> tuple[Settings, dict[str, str]]:
    """Return the settings with every unreadable one left at its default, and what is wrong with those."""
    try:
        return _build(env_file, overrides), {}
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    faults = {str(problem["loc"][0]): _sentence(problem["type"], problem["msg"]) for problem in problems}
    defaults = {name: Settings.model_fields[name].get_default() for name in faults}
    settings = _build(env_file, {**overrides, **defaults})
    return settings, {name.upper(): fault for name, fault in faults.items()}


def _build(env_file: Path | None, values: Mapping[str, Any]) -> Settings:
    build: Callable[..., Settings] = Settings  # field names and private arguments share the signature
    try:
        return build(_env_file=env_file, **values)
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8 (byte {error.start})"
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
    # Not raised inside the handler: the error of a decoder carries the whole file, secrets and all.
    raise SettingsInvalid(f"{env_file} {fault}.", hint="Save it as UTF-8, readable for you. Nothing was started.")


def _misspelt(env_file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the names that are nearly one of ours: a budget that nobody reads would be no ceiling.

    A name that is like none of ours may be another program's, or a later version's, and is left alone.
    """
    known = [name.upper().removeprefix(_OWN) for name in Settings.model_fields if name.upper().startswith(_OWN)]
    in_file = dotenv_values(env_file, encoding="utf-8-sig") if env_file else {}
    faults: dict[str, str] = {}
    for name in (*environment, *in_file):
        ours, _, rest = name.upper().partition(_OWN)
        if not ours and rest not in known and (alike := get_close_matches(rest, known, n=1, cutoff=_ALIKE)):
            faults[name] = f"is not a setting; {_OWN}{alike[0]} is"
    return faults


def _sentence(kind: str, message: str) -> str:
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"is not valid: {message[:1].lower()}{message[1:]}"


def _missing(settings: Settings, needs: Needs, environment: Mapping[str, str]) -> dict[str, str]:
    faults: dict[str, str] = {}
    if needs.claude and not settings.claude_key:
        faults["ANTHROPIC_API_KEY"] = "is missing: the key of the Claude API (it starts with sk-ant-)"
    if needs.store and settings.seed_library_store == "supabase":
        if not settings.supabase_url:
            faults["SUPABASE_URL"] = "is missing: the project's URL, https://PROJECT.supabase.co"
        if not settings.supabase_key:
            faults["SUPABASE_SERVICE_ROLE_KEY"] = _missing_key_sentence(environment)
    return faults


def _missing_key_sentence(environment: Mapping[str, str]) -> str:
    weak = [name for name in ("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY") if environment.get(name)]
    instead = f" ({weak[0]} is set, but that key may only read)" if weak else ""
    return f"is missing: the service role key, or as SUPABASE_SECRET_KEY a secret key (sb_secret_...){instead}"


def _key_faults(settings: Settings, needs: Needs, now: datetime) -> dict[str, str]:
    faults: dict[str, str] = {}
    if needs.claude and settings.claude_key:
        faults["ANTHROPIC_API_KEY"] = claude_key_fault(settings.claude_key, settings.anthropic_base_url)
    if needs.store and settings.seed_library_store == "supabase" and settings.supabase_key:
        fault = supabase_key_fault(settings.supabase_key, settings.supabase_url or "", now)
        faults[settings.supabase_key_name] = fault
    return {name: fault for name, fault in faults.items() if fault}
