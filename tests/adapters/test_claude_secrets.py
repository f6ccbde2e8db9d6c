"""The key reaches the API and nothing else, and nothing but our settings says who pays."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from adapters.claude_requests import SONNET, chain_of, claude, request_for
from servers.processes import KEY, MessagesServer

from seed_library.core.errors import RunBlocked

SECRET = "sk-ant-api03-Obviously-Fake"
ODD_KEYS = [f"{SECRET}\n", f"{SECRET} ", f"{SECRET}\r\nx-evil: 1", f"{SECRET}\x00", f"{SECRET}\udcff", f"ä{SECRET}"]


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
async def test_a_key_that_breaks_the_http_library_is_never_quoted(
    messages: MessagesServer, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    """Not in the message, not in the arguments, not in causes or contexts, not in debug logs."""
    caplog.set_level(logging.DEBUG)
    async with claude(messages.url, key) as writer:
        with pytest.raises(RunBlocked) as caught:
            await writer.write(request_for())
        _, check = await writer.look_up(SONNET)
        assert await writer.count_tokens(request_for()) is None
    for error in chain_of(caught.value):
        assert "Obviously-Fake" not in f"{error!r} {error.args!r} {error} {getattr(error, 'hint', '')}"
    assert "Obviously-Fake" not in f"{check} {caplog.text}"
    assert (check.ok, check.name) == (False, "claude key")
    assert "ANTHROPIC_API_KEY" in caught.value.message
    assert messages.control(state=True)["log"] == []


async def test_a_prompt_that_is_no_text_ends_the_run_with_a_sentence(messages: MessagesServer) -> None:
    """Half a surrogate pair cannot be sent; the foreign error would quote the whole request."""
    async with claude(messages.url) as writer:
        with pytest.raises(RunBlocked, match="characters") as caught:
            await writer.write(request_for(user="\ud83c"))
    assert [type(error) for error in chain_of(caught.value)] == [RunBlocked]
    assert messages.log() == []


async def test_a_refused_key_is_a_finding_and_is_never_quoted(
    messages: MessagesServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong key is told apart from a wrong model, and ends a run at the first request."""
    caplog.set_level(logging.DEBUG)
    async with claude(messages.url, SECRET) as writer:
        _, check = await writer.look_up(SONNET)
        with pytest.raises(RunBlocked) as caught:
            await writer.write(request_for())
    assert (check.ok, check.name) == (False, "claude key")
    assert "401" in check.message
    assert "ANTHROPIC_API_KEY" in check.hint
    everything = [check, caplog.text, *(f"{error!r} {error}" for error in chain_of(caught.value))]
    assert not any("Obviously-Fake" in str(said) for said in everything)


@pytest.mark.parametrize(
    "environment",
    [
        {"ANTHROPIC_API_KEY": "sk-ant-other"},
        {"ANTHROPIC_AUTH_TOKEN": "other-token"},
        {"ANTHROPIC_PROFILE": "other"},
        {"ANTHROPIC_CONFIG_DIR": "other"},
        {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
        {"ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer sk-ant-other"},
        {"ANTHROPIC_CUSTOM_HEADERS": "authorization: Bearer sk-ant-other\nX-Api-Key: sk-ant-other"},
        {"ANTHROPIC_CUSTOM_HEADERS": "anthropic-workspace-id: wrkspc_other\nanthropic-version: 2023-06-01"},
        {"ANTHROPIC_WORKSPACE_ID": "wrkspc_other", "ANTHROPIC_ORGANIZATION_ID": "org_other"},
    ],
    ids=str,
)
async def test_the_environment_cannot_make_somebody_else_pay(
    messages: MessagesServer, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """Key and address are passed explicitly; headers of the environment would win over them, so they are left out."""
    async with claude(messages.url) as writer:
        await writer.write(request_for())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with claude(messages.url) as writer:
        await writer.write(request_for())
    plain, tempted = (entry["headers"] for entry in messages.log())
    assert tempted["authorization"] == f"Bearer {KEY}"
    assert tempted == plain
    assert {name: os.environ[name] for name in environment} == environment


async def test_a_profile_in_the_home_folder_is_left_alone(messages: MessagesServer) -> None:
    """The SDK would fall back to it if it were given no key."""
    profile = Path.home() / ".config" / "anthropic" / "configs" / "default.json"
    profile.parent.mkdir(parents=True)
    profile.write_text('{"base_url": "http://127.0.0.1:9", "authentication": {"type": "api_key"}}')
    async with claude(messages.url) as writer:
        await writer.write(request_for())
    assert messages.log()[0]["headers"]["authorization"] == f"Bearer {KEY}"


async def test_a_successful_request_leaves_no_key_in_the_debug_log(
    messages: MessagesServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK and both HTTP libraries log at DEBUG level."""
    caplog.set_level(logging.DEBUG)
    async with claude(messages.url) as writer:
        await writer.write(request_for())
        assert KEY not in repr(writer)
    assert any(record.name.startswith(("anthropic", "http")) for record in caplog.records)
    assert KEY not in caplog.text
