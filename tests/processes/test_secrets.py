"""A key never appears: not in output, logs, tracebacks or files, whatever goes wrong, even with --verbose."""

from __future__ import annotations

import base64

import pytest
from core.test_foreign_text import CODINGS, stretches
from processes.program import Ended, Program
from servers.processes import KEY, MessagesServer
from servers.supabase import Supabase

ODD = "sk-ant-test-fake\x7fwith-an-odd-character"
LONG_AGO = "sk-ant-test-revoked-0123456789abcdef"


def test_a_run_at_debug_level_shows_no_key(program: Program, supabase: Supabase) -> None:
    """The libraries' own debug logs are shown, redacted."""
    ended = program.run("--verbose", "run", "--limit", "3")
    assert ended.code == 0
    assert "DEBUG" in ended.err
    _assert_absent(program, ended, KEY, supabase.secret)


@pytest.mark.parametrize("verb", ["check", "plan", "run"])
@pytest.mark.parametrize("key", [ODD, LONG_AGO, "with blanks in it", "schlüssel-mit-umlaut"])
def test_a_key_that_makes_the_sdk_fail_is_not_echoed(program: Program, verb: str, key: str) -> None:
    """Whatever the libraries quote in their errors, it does not come out."""
    ended = program.run("--verbose", verb, "--limit", "2", ANTHROPIC_API_KEY=key)
    assert ended.code in ({0} if verb == "plan" else {3, 4})
    _assert_absent(program, ended, key)


@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"body": "<html>", "times": 5}, {"status": 401}, {"status": 500, "times": 5}]
)
def test_failures_of_the_api_show_no_key(
    program: Program, messages: MessagesServer, supabase: Supabase, fault: dict[str, object]
) -> None:
    """Dropped, garbled and refused requests are told without headers."""
    messages.faults(fault)
    ended = program.run("--verbose", "run", "--limit", "2")
    _assert_absent(program, ended, KEY, supabase.secret)


def test_a_key_of_another_project_is_told_without_it(program: Program, supabase: Supabase) -> None:
    """The gateway's refusal names the setting, not the value."""
    key = "sb_secret_" + "x" * 22 + "_" + "y" * 8
    ended = program.run("--verbose", "run", "--json", SUPABASE_SERVICE_ROLE_KEY=key)
    assert ended.code == 4
    assert "SUPABASE_SERVICE_ROLE_KEY" in ended.error["message"] + ended.error["hint"]
    _assert_absent(program, ended, key)


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_an_env_file_that_others_can_read_is_named(program: Program, mode: int, warned: bool) -> None:
    """With what to do; it is no failure, since not every file system knows permissions."""
    env_file = program.folder / ".env"
    env_file.write_text(f"ANTHROPIC_API_KEY={KEY}\n")
    env_file.chmod(mode)
    ended = program.run("plan", "--limit", "1")
    assert ended.code == 0
    assert ("chmod 600 .env" in ended.err) is warned


LOUD = """
import logging
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s %(exc_text)s")
for name in ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "anthropic", "asyncio"):
    logging.getLogger(name).setLevel(logging.DEBUG)
"""


@pytest.mark.parametrize("coding", ["its tail", "wrapped in short lines", "base64, one further"])
@pytest.mark.parametrize("loud", ["quiet", "verbose", "variables", "python"])
def test_what_echoes_a_key_is_told_without_it_however_loud_the_logs_are(
    program: Program, messages: MessagesServer, supabase: Supabase, coding: str, loud: str
) -> None:
    """In a header or a body, of a refusal or a success: by --verbose, a variable of a library, the user's handlers."""
    told = CODINGS[coding](KEY)
    echo = {"headers": {"x-echo": " ".join(told.split()), "request-id": base64.b64encode(KEY.encode()).decode()}}
    page = {"body": f"<html>{told}</html>", **echo}
    messages.faults(page, {"status": 400, "message": f"cannot take {told}", "times": 9, **echo})
    environment = {
        "variables": {
            "ANTHROPIC_LOG": "debug",
            "PYTHONASYNCIODEBUG": "1",
            "PYTHONDEVMODE": "1",
            "HTTPX_LOG_LEVEL": "trace",
        },
        "python": {"PYTHONPATH": str(program.folder)},
    }.get(loud, {})
    program.folder.mkdir(exist_ok=True)
    (program.folder / "sitecustomize.py").write_text(LOUD)
    options = ["--verbose"] if loud == "verbose" else []
    ended = program.run(*options, "run", "--limit", "1", **environment)
    assert ended.code == 4, ended.err
    assert "400" in ended.err
    assert ("HTTP Request" in ended.err) is (loud in {"verbose", "python"})
    everything = "".join((ended.out + ended.err + _kept(program)).split())
    assert not [part for part in stretches(told) | stretches(KEY.removeprefix("sk-ant-")) if part in everything]


def _kept(program: Program) -> str:
    return "".join(
        path.read_text(errors="replace")
        for path in program.state.rglob("*")
        if path.is_file() and path.name != "ballast"
    )


def _assert_absent(program: Program, ended: Ended, *secrets: str) -> None:
    kept = _kept(program)
    for secret in secrets:
        for spelling in (secret, repr(secret)[1:-1], repr(secret.encode())[2:-1]):
            assert spelling not in ended.out + ended.err + kept
