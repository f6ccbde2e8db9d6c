"""A key goes to the address of its own setting, in clear only within this machine, and past every proxy."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from processes.program import Ended, Program
from servers.eavesdropper import Eavesdropper
from servers.processes import KEY, MessagesServer
from servers.supabase import Supabase

HERE = ["127.0.0.1", "LOCALHOST.", "0x7f.1", "[::ffff:127.0.0.1]"]


@pytest.fixture
def eavesdropper() -> Iterator[Eavesdropper]:
    """A proxy that every variable names."""
    with Eavesdropper() as listening:
        yield listening


def _at(host: str, url: str) -> str:
    return f"http://{host}:{urlsplit(url).port}"


@pytest.mark.parametrize("host", HERE)
def test_nothing_for_this_machine_goes_through_a_proxy(
    program: Program, messages: MessagesServer, supabase: Supabase, eavesdropper: Eavesdropper, host: str
) -> None:
    """Whatever HTTP_PROXY, HTTPS_PROXY and ALL_PROXY say, and however this machine is spelled; of both services."""
    urls = {"ANTHROPIC_BASE_URL": _at(host, messages.url), "SUPABASE_URL": _at(host, supabase.url)}
    ended = program.run("run", "--json", "--limit", "2", **urls, **eavesdropper.variables)
    assert ended.code == 0, ended.err
    assert supabase.count() == 2
    assert eavesdropper.requests == []


@pytest.mark.parametrize(
    "variables", [{"HTTP_PROXY": "{}"}, {"ALL_PROXY": "{}"}, {"http_proxy": "{}", "NO_PROXY": "x"}]
)
@pytest.mark.parametrize("verb", ["check", "plan"])
def test_looking_goes_past_a_proxy_as_well(
    program: Program, eavesdropper: Eavesdropper, verb: str, variables: dict[str, str]
) -> None:
    """Keys travel with every question."""
    named = {"NO_PROXY": ""} | {name: value.format(eavesdropper.url) for name, value in variables.items()}
    assert program.run(verb, "--json", "--limit", "1", **named).code == 0
    assert eavesdropper.requests == []


@pytest.mark.parametrize("verb", ["run", "check", "sample", "prune", "unlock"])
@pytest.mark.parametrize(
    ("setting", "host"),
    [
        ("ANTHROPIC_BASE_URL", "claude.example.com"),
        ("SUPABASE_URL", "127.0.0.1.example.com"),
        ("SUPABASE_URL", "[::ffff:192.0.2.7]:80"),
    ],
)
def test_no_key_leaves_in_clear(
    program: Program, messages: MessagesServer, eavesdropper: Eavesdropper, verb: str, setting: str, host: str
) -> None:
    """Plain http to another machine is a fault of its setting: said before anything is sent, through a proxy or not."""
    ended = program.run(verb, "--json", **{setting: f"http://{host}"}, **eavesdropper.variables)
    assert ended.code == 3, (ended.out, ended.err)
    assert f"{setting} must start with https://" in ended.error["message"]
    assert (eavesdropper.requests, messages.log()) == ([], [])


@pytest.mark.parametrize("setting", ["ANTHROPIC_BASE_URL", "SUPABASE_URL"])
def test_a_proxy_before_another_machine_sees_a_tunnel_only(
    program: Program, supabase: Supabase, eavesdropper: Eavesdropper, setting: str
) -> None:
    """CONNECT hides the key; a proxy that refuses the tunnel has seen none."""
    ended = program.run("check", "--json", **{setting: "https://service.example.com"}, **eavesdropper.variables)
    assert ended.code == 4
    assert set(eavesdropper.requests) == {"CONNECT service.example.com:443 HTTP/1.1"}
    assert not eavesdropper.has_heard(KEY)
    assert not eavesdropper.has_heard(supabase.secret)


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("service", ["messages", "supabase"])
def test_a_redirect_carries_no_key_elsewhere(
    program: Program,
    messages: MessagesServer,
    supabase: Supabase,
    eavesdropper: Eavesdropper,
    service: str,
    status: int,
) -> None:
    """Neither to another port of this machine, nor in clear to another one."""
    location = {"location": f"{eavesdropper.url}/v1/models"}
    if service == "messages":
        messages.faults({"path": "/v1/models", "status": status, "headers": location, "times": 9})
    else:
        supabase.faults(*({"match": m, "status": status, "headers": location, "times": 9} for m in ("GET", "POST")))
    ended = program.run("check", "--json")
    assert ended.code == 4
    assert eavesdropper.requests == []


PASSWORD = "S3cretPass"


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{PASSWORD}/x@proxy:3128",
        f"http://user:{PASSWORD}@proxy:port",
        f"socks://user:{PASSWORD}@proxy",
        f"{PASSWORD}://proxy",
        f"http://user:{PASSWORD}@[proxy:1",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_meant_is_a_fault_of_its_variable(program: Program, proxy: str, variable: str) -> None:
    """Exit code 3, the variable by its name, and nothing of its password; where it is not needed, it is not read."""
    ended = program.run(
        "check", "--json", SUPABASE_URL="https://service.example.com", **{variable: proxy, "NO_PROXY": ""}
    )
    assert ended.code == 3
    assert f"{variable} " in ended.error["message"]
    _assert_absent(ended, PASSWORD)
    here = program.run("--verbose", "check", "--json", **{variable: proxy, "NO_PROXY": ""})
    assert here.code == 0
    _assert_absent(here, PASSWORD)


def _assert_absent(ended: Ended, secret: str) -> None:
    assert secret.lower() not in (ended.out + ended.err).lower()
