"""Settings: all faults in one report, flags over environment over `.env`, and never a secret in what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from core.jwt_maker import token

from seed_library.core.errors import SettingsInvalid
from seed_library.core.targets import SqliteAddress, SupabaseAddress
from seed_library.settings import Needs, Settings, load_settings

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NOTHING = Needs()
EVERYTHING = Needs(claude=True, store=True)
CLAUDE_KEY = "sk-ant-fake-FAKE-0123456789"
SECRET_KEY = "sb_secret_fakefakefakefakefake01_fakefake"
SERVICE_KEY = token(role="service_role", ref="abcdefgh")
ANON_KEY = token(role="anon", ref="abcdefgh")
PUBLISHABLE_KEY = "sb_publishable_fakefakefakefakefake01_fakefake"
COMPLETE = {
    "ANTHROPIC_API_KEY": CLAUDE_KEY,
    "SUPABASE_URL": "https://abcdefgh.supabase.co",
    "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
}
EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"


def _load(
    environment: Mapping[str, str],
    needs: Needs = NOTHING,
    *,
    env_file: str | bytes = b"",
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Load settings from this environment, this `.env` and these flags."""
    path = Path(".env")
    path.write_bytes(env_file.encode() if isinstance(env_file, str) else env_file)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return load_settings(path, flags or {}, needs, environment, NOW)


def _refused(
    environment: Mapping[str, str],
    needs: Needs = NOTHING,
    *,
    env_file: str | bytes = b"",
    flags: Mapping[str, Any] | None = None,
) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as caught:
        _load(environment, needs, env_file=env_file, flags=flags)
    return caught.value


def _said(error: BaseException | None) -> Iterator[str]:
    """Yield everything that an error and all errors behind it would show."""
    if error is not None:
        yield from (str(error), repr(error), repr(vars(error)))
        yield from _said(error.__cause__)
        yield from _said(error.__context__)


def test_nothing_is_needed_to_plan_and_to_rehearse() -> None:
    """The defaults are those of the documentation."""
    settings = _load({})
    assert settings.seed_library_catalog == "bazi_pillars"
    assert settings.seed_library_store == "supabase"
    assert settings.seed_library_locales == ()
    assert (settings.budget, settings.seed_library_concurrency) == (5_000_000, 8)
    assert settings.anthropic_base_url == "https://api.anthropic.com"
    assert (settings.claude_key, settings.supabase_key, settings.secrets, settings.store_address) == ("", "", (), None)


def test_flags_win_over_the_environment_and_the_environment_over_the_file() -> None:
    """An empty variable counts as not set."""
    lines = "SEED_LIBRARY_CATALOG=file\nSEED_LIBRARY_MODEL=file\nseed_library_locales=en\nSEED_LIBRARY_CONCURRENCY=2\n"
    environment = {
        "SEED_LIBRARY_CATALOG": "environment",
        "SEED_LIBRARY_MODEL": "environment",
        "SEED_LIBRARY_LOCALES": "",
    }
    settings = _load(environment, env_file=lines, flags={"seed_library_catalog": "flag"})
    assert settings.seed_library_catalog == "flag"
    assert settings.seed_library_model == "environment"
    assert settings.seed_library_locales == ("en",)
    assert settings.seed_library_concurrency == 2


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ANTHROPIC_BASE_URL", " https://proxy.example.com/ ", "https://proxy.example.com"),
        ("SUPABASE_URL", "http://127.0.0.1:54321/\n", "http://127.0.0.1:54321"),
        ("SEED_LIBRARY_LOCALES", "de, en,", ("de", "en")),
        ("SEED_LIBRARY_BUDGET_USD", "0.000001", Decimal("0.000001")),
        ("SEED_LIBRARY_BUDGET_USD", "0", Decimal(0)),
        ("SEED_LIBRARY_CONCURRENCY", "256", 256),
        ("SEED_LIBRARY_STORE", "sqlite:texts.db", "sqlite:texts.db"),
        ("SEED_LIBRARY_PROMPTS_DIR", ".", Path()),
        ("SEED_LIBRARY_MODELS_FILE", ".env", Path(".env")),
        ("SEED_LIBRARY_STATE_DIR", "not/there/yet", Path("not/there/yet")),
    ],
)
def test_values_are_read_in_the_form_in_which_people_write_them(name: str, value: str, expected: object) -> None:
    """Blanks around and a slash at the end do no harm."""
    assert getattr(_load({name: value}), name.lower()) == expected


def test_a_file_with_a_byte_order_mark_or_of_a_shell_is_read_all_the_same() -> None:
    """Editors leave the one, people the other."""
    settings = _load(
        {}, env_file=f'\ufeffANTHROPIC_API_KEY={CLAUDE_KEY}\nexport SEED_LIBRARY_MODEL="m" # mine\nOTHER=1\n'
    )
    assert (settings.claude_key, settings.seed_library_model) == (CLAUDE_KEY, "m")


# What is missing or wrong.

MISSING = {
    "ANTHROPIC_API_KEY": "is missing",
    "SUPABASE_URL": "is missing",
    "SUPABASE_SERVICE_ROLE_KEY": "is missing: the service role key, or as SUPABASE_SECRET_KEY a secret key",
}


@pytest.mark.parametrize(
    ("needs", "store", "missing"),
    [
        (EVERYTHING, "supabase", set(MISSING)),
        (Needs(claude=True), "supabase", {"ANTHROPIC_API_KEY"}),
        (Needs(store=True), "supabase", {"SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"}),
        (EVERYTHING, "sqlite:texts.db", {"ANTHROPIC_API_KEY"}),
    ],
)
def test_a_verb_asks_for_the_settings_it_needs_and_names_all_that_are_missing(
    needs: Needs, store: str, missing: set[str]
) -> None:
    """In one report, with what each of them is."""
    message = _refused({"SEED_LIBRARY_STORE": store}, needs).message
    assert {name for name in MISSING if f"- {name} {MISSING[name]}" in message} == missing
    assert len(message.splitlines()) == 1 + len(missing)


NUMBERS = [
    f"SEED_LIBRARY_{name}" for name in ("BUDGET_USD", "CONCURRENCY", "BATCH_POLL_SECONDS", "BATCH_GRACE_SECONDS")
]
NO_NUMBERS = ["nan", "inf", "-Infinity", "-1", "1e400", "1" * 400, "9" * 5000, " ", "0x1", "1,5", "None"]

WRONG = {
    "ANTHROPIC_BASE_URL": ("http://proxy.example.com", "must start with https://"),
    "SUPABASE_URL": ("abcdefgh.supabase.co", "must be a URL such as https://PROJECT.supabase.co"),
    "SEED_LIBRARY_STORE": ("postgres", "must be 'supabase' or 'sqlite:PATH'"),
    "SEED_LIBRARY_BUDGET_USD": ("five", "is not valid: input should be a valid decimal"),
    "SEED_LIBRARY_CONCURRENCY": ("0", "is not valid: input should be greater than or equal to 1"),
    "SEED_LIBRARY_LOCALES": (" , ", "names no locale"),
    "SEED_LIBRARY_PROMPTS_DIR": ("nowhere", "is not a folder"),
    "SEED_LIBRARY_MODELS_FILE": ("nowhere.toml", "is not a file"),
}


def test_everything_that_is_wrong_is_named_in_one_report() -> None:
    """Eight ill-shaped values and two missing keys: ten lines, each with its setting and the reason."""
    message = _refused({name: value for name, (value, _) in WRONG.items()}, EVERYTHING).message
    for name, (_, reason) in WRONG.items():
        assert f"\n  - {name} {reason}" in message
    for name in ("ANTHROPIC_API_KEY", "SUPABASE_SERVICE_ROLE_KEY"):
        assert f"\n  - {name} is missing" in message
    assert len(message.splitlines()) == 11


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *((name, value, reason) for name, (value, reason) in WRONG.items()),
        ("SUPABASE_URL", "http://db.example.com", "must start with https:// (http is accepted for this machine only"),
        ("SUPABASE_URL", "http://127.evil.example.com", "must start with https://"),
        ("SUPABASE_URL", "https://abcdefgh.supabase.co/rest/v1", "must be the project's own address, without a path"),
        ("SUPABASE_URL", "https://supabase.com/dashboard/project/abcdefgh", "is the address of the dashboard"),
        ("ANTHROPIC_BASE_URL", "https://api.anthropic.com/v1", "must end before /v1"),
        ("ANTHROPIC_BASE_URL", "https://console.anthropic.com", "is the address of a website"),
        ("SUPABASE_URL", "https://me:hunter2@db.example.com", "must not contain a user name or password"),
        ("SUPABASE_URL", "https://[::1", "is not a URL"),
        ("SUPABASE_URL", "   ", "must be a URL"),
        ("SEED_LIBRARY_STORE", "sqlite:", "must be 'supabase' or 'sqlite:PATH'"),
        ("SEED_LIBRARY_BUDGET_USD", "-0.01", "is not valid: input should be greater than or equal to 0"),
        ("SEED_LIBRARY_BUDGET_USD", "NaN", "is not valid: input should be a finite number"),
        ("SEED_LIBRARY_BUDGET_USD", "0.0000001", "is not valid: decimal input should have no more than 6"),
        ("SEED_LIBRARY_CONCURRENCY", "257", "is not valid: input should be less than or equal to 256"),
        ("SEED_LIBRARY_CONCURRENCY", "8.5", "is not valid: input should be a valid integer"),
        *((name, value, "is not valid: ") for name in NUMBERS for value in NO_NUMBERS),
    ],
)
def test_an_ill_shaped_value_is_refused_even_where_nothing_is_needed(name: str, value: str, reason: str) -> None:
    """From the environment, from the file and from a flag alike; the value itself is not repeated."""
    for error in (
        _refused({name: value}),
        _refused({}, env_file=f"{name}='{value}'\n"),
        _refused({}, flags={name.lower(): value}),
    ):
        assert error.message.startswith(f"Settings are missing or wrong:\n  - {name} {reason}")
        assert "hunter2" not in error.message


# Keys.


@pytest.mark.parametrize("padding", [" {}", "{} ", "{}\n", "{}\r\n", "\t{}\t"], ids=ascii)
def test_blanks_around_a_key_are_stripped(padding: str) -> None:
    """They come with copying; the SDK would call them a broken connection."""
    environment = {**COMPLETE, "SUPABASE_SECRET_KEY": SECRET_KEY}
    keys = {name: padding.format(value) for name, value in environment.items() if name.endswith("KEY")}
    settings = _load({**environment, **keys}, EVERYTHING)
    assert (settings.claude_key, settings.supabase_key) == (CLAUDE_KEY, SECRET_KEY)
    assert set(settings.secrets) == {CLAUDE_KEY, SECRET_KEY, SERVICE_KEY}


def test_the_newer_kind_of_key_wins_and_is_the_one_that_is_judged() -> None:
    """A good secret key makes up for a useless legacy one, and not the other way round."""
    good = _load({**COMPLETE, "SUPABASE_SERVICE_ROLE_KEY": ANON_KEY, "SUPABASE_SECRET_KEY": SECRET_KEY}, EVERYTHING)
    assert (good.supabase_key, good.supabase_key_name) == (SECRET_KEY, "SUPABASE_SECRET_KEY")
    bad = _refused({**COMPLETE, "SUPABASE_SECRET_KEY": PUBLISHABLE_KEY}, EVERYTHING)
    (fault,) = bad.message.splitlines()[1:]
    assert fault.startswith("  - SUPABASE_SECRET_KEY is a publishable key: it may only read. Use the secret key")


@pytest.mark.parametrize("name", ["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"])
@pytest.mark.parametrize(("key", "kind"), [(ANON_KEY, "the anon key"), (PUBLISHABLE_KEY, "a publishable key")])
def test_a_key_that_may_only_read_is_refused_by_name(name: str, key: str, kind: str) -> None:
    """Whichever setting it stands in: with it a full table would look empty and everything would be paid again."""
    environment = {"ANTHROPIC_API_KEY": CLAUDE_KEY, "SUPABASE_URL": COMPLETE["SUPABASE_URL"], name: key}
    assert f"- {name} is {kind}: it may " in _refused(environment, EVERYTHING).message


@pytest.mark.parametrize("name", ["SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"])
def test_a_read_only_key_that_is_set_explains_why_the_privileged_one_is_missing(name: str) -> None:
    """It is never used instead."""
    environment = {"SUPABASE_URL": COMPLETE["SUPABASE_URL"], name: PUBLISHABLE_KEY}
    assert f"({name} is set, but that key may only read)" in _refused(environment, Needs(store=True)).message


def test_a_key_of_another_project_is_refused() -> None:
    """The legacy key names its project."""
    message = _refused({**COMPLETE, "SUPABASE_URL": "https://zyxwvuts.supabase.co"}, EVERYTHING).message
    assert "SUPABASE_SERVICE_ROLE_KEY belongs to the project abcdefgh, but SUPABASE_URL names zyxwvuts" in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SEED_LIBRARY_BUGDET_USD", "SEED_LIBRARY_BUDGET_USD"),
        ("SEED_LIBRARY_BUDGET", "SEED_LIBRARY_BUDGET_USD"),
        ("seed_library_locale", "SEED_LIBRARY_LOCALES"),
        ("SEED_LIBRARY_MODELS", "SEED_LIBRARY_MODEL"),
    ],
)
def test_a_misspelt_setting_is_refused(name: str, meant: str) -> None:
    """In the environment and in the file: else the run would have a budget that nobody gave it."""
    fault = f"- {name} is not a setting; {meant} is"
    assert fault in _refused({name: "1"}).message
    assert fault in _refused({}, env_file=f"{name}=1\n").message


@pytest.mark.parametrize(
    "name", ["SEED_LIBRARY_HOME", "SEED_LIBRARY_DEBUG", "_SEED_LIBRARY_COMPLETE", "LIBRARY_BUDGET"]
)
def test_a_name_that_is_like_none_of_ours_is_left_alone(name: str) -> None:
    """It may be another program's."""
    assert _load({name: "1"}, env_file=f"{name}=1\n").budget == _load({}).budget


# Secrets.

HIDDEN = "HIDDEN-0123456789"
LEAKS: dict[str, tuple[dict[str, str], str | bytes]] = {
    "ill-shaped keys": (
        {
            "ANTHROPIC_API_KEY": f"sk-ant-{HIDDEN} x",
            "SUPABASE_SERVICE_ROLE_KEY": f"sb_secret_{HIDDEN}",
            "SUPABASE_URL": f"https://user:{HIDDEN}@db.example.com",
        },
        "",
    ),
    "keys beside other faults": (
        {
            "ANTHROPIC_API_KEY": f"sk-ant-{HIDDEN}",
            "SUPABASE_SECRET_KEY": f"sb_publishable_{HIDDEN}",
            "SEED_LIBRARY_BUDGET_USD": HIDDEN,
            "SEED_LIBRARY_CONCURRENCY": HIDDEN,
            "SEED_LIBRARY_STORE": HIDDEN,
        },
        "",
    ),
    "a file that is not UTF-8": ({}, f"ANTHROPIC_API_KEY=sk-ant-{HIDDEN}\n# für mich\n".encode("latin-1")),
    "a file with a key in a wrong line": ({}, f"{HIDDEN}\nSUPABASE_SECRET_KEY sb_secret_{HIDDEN}\n"),
}


@pytest.mark.parametrize(("environment", "env_file"), LEAKS.values(), ids=LEAKS)
def test_no_secret_is_in_an_error_or_in_any_error_behind_it(
    environment: dict[str, str], env_file: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither as text nor in what a debugger or a careless handler would print; nor in a log line."""
    error = _refused(environment, EVERYTHING, env_file=env_file)
    assert not [line for line in _said(error) if HIDDEN in line]
    assert HIDDEN not in caplog.text


def test_settings_can_be_printed_without_showing_a_key() -> None:
    """The class itself hides them."""
    settings = _load({**COMPLETE, "SUPABASE_SECRET_KEY": SECRET_KEY}, EVERYTHING)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert not [key for key in settings.secrets if key in shown]


# The target.


def test_every_spelling_of_a_sqlite_path_is_the_same_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative, with dots, from the home folder and through a link: two runs on one file exclude each other."""
    home = Path.home()
    (home / "texts").mkdir()
    (tmp_path / "link").symlink_to(home / "texts")
    monkeypatch.chdir(home)
    spellings = ["texts/a.db", "./texts/../texts/a.db", "~/texts/a.db", f"{home}/texts/a.db", f"{tmp_path}/link/a.db"]
    addresses = {_load({"SEED_LIBRARY_STORE": f"sqlite:{path}"}).store_address for path in spellings}
    assert addresses == {SqliteAddress(str(home / "texts" / "a.db"))}


def test_the_project_is_the_target_unless_a_file_is_named() -> None:
    """A flag may name the file."""
    assert _load(COMPLETE).store_address == SupabaseAddress("https://abcdefgh.supabase.co")
    assert _load(COMPLETE, flags={"seed_library_store": "sqlite:/a/b.db"}).store_address == SqliteAddress("/a/b.db")


# The example file.


def _example_lines() -> list[tuple[bool, str, str]]:
    """Return commented out or not, name and value of every setting in `.env.example`."""
    found = re.finditer(r"^(# )?([A-Z][A-Z0-9_]*)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE)
    return [(match[1] is not None, match[2], match[3]) for match in found]


def test_the_example_lists_exactly_the_settings_that_there_are() -> None:
    """Each once, in the order of the class."""
    assert [name for _, name, _ in _example_lines()] == [name.upper() for name in Settings.model_fields]


def test_the_example_shows_the_true_defaults_and_holds_no_key() -> None:
    """A line that is commented out shows the default; a line that is not waits for a value."""
    shown = {name.lower(): value for commented, name, value in _example_lines() if commented and value}
    assert _load({}, flags=shown) == _load({})
    assert {value for commented, _, value in _example_lines() if not commented} == {""}


def test_the_example_can_be_copied_as_it_is() -> None:
    """It then says what is missing, and nothing else."""
    error = _refused({}, EVERYTHING, env_file=EXAMPLE.read_bytes())
    assert {line.split()[1] for line in error.message.splitlines()[1:]} == set(MISSING)
