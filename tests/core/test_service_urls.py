"""An address is judged before a key goes there: by its form, and by what people copy in the place of the right one."""

from __future__ import annotations

import pytest

from seed_library.core.service_urls import claude_url_fault, service_url, supabase_url_fault, url_fault

EXAMPLE = "https://service.example.com"
REF = "abcdefghijklmnopqrst"
PROJECT = f"https://{REF}.supabase.co"


@pytest.mark.parametrize(
    "url",
    [
        "https://abcdefgh.supabase.co",
        "https://db.example.com:8443/path",
        "https://bücher.example",
        "https://192.0.2.7",
        "http://127.0.0.1:54321",
        "http://127.8.9.10",
        "http://localhost:54321",
        "http://LocalHost",
        "http://[::1]:54321",
    ],
)
def test_encrypted_addresses_and_this_machine_are_accepted(url: str) -> None:
    """Keys travel there."""
    assert url_fault(url, EXAMPLE) == ""


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://db.example.com", "must start with https:// (http is accepted for this machine only, not for db."),
        ("http://127.evil.example.com", "must start with https://"),
        ("http://127.0.0.1.example.com", "must start with https://"),
        ("http://localhost.example.com", "must start with https://"),
        ("http://192.168.0.7:54321", "must start with https://"),
        ("http://[fe80::1]", "must start with https://"),
        ("abcdefgh.supabase.co", "must be a URL"),
        ("localhost:54321", "must be a URL"),
        ("postgres://db.example.com", "must be a URL"),
        ("https://", "must be a URL"),
        ("", "must be a URL"),
        ("https://user:hunter2@db.example.com", "must not contain a user name or password"),
        ("https://user@db.example.com", "must not contain a user name or password"),
        ("https://db.example.com/a b", "contains white space"),
        ("https://[::1", "is not a URL"),
        ("https://db.example.com:port", "is not a URL"),
        ("https://db.example.com:99999", "is not a URL"),
        ("https://ü..example", "is not a URL"),
        ("https://" + "ü" * 70 + ".example", "is not a URL"),
        ("http://localhost.evil.example.com.", "must start with https://"),
        ("http://app.localhost", "must start with https://"),
        ("http://127.0.0.1.", "must start with https://"),
        ("http://0x7f.0x0.0x0.0x0.0x1", "must start with https://"),
        ("http://[::ffff:10.0.0.1]", "must start with https://"),
        ("http://2130706434.example", "must start with https://"),
        ("https://@db.example.com", "must not contain a user name or password"),
        ("http://127.0.0.1\\@db.example.com", "must not contain a user name or password"),
        ("http://127.0.0.1\\.example.com", "contains characters that no URL has"),
        ("https://db.example.com\x00", "contains characters that no URL has"),
        ("https://db.example.com/\udcff", "contains characters that no URL has"),
        ("https://%64b.example.com", "contains characters that no URL has"),
        ("https://{project}.supabase.co", "contains characters that no URL has"),
        ("https://☃.example.com", "contains characters that no URL has"),
        ("https://\uff11\uff12\uff17.0.0.1", "contains characters that no URL has"),
        ("https://" + ".".join(["abcdefghi"] * 30), "contains characters that no URL has"),
        ("https://db.example.com?apikey=hunter2", "must end before the ? or #"),
        ("https://db.example.com/#hunter2", "must end before the ? or #"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_shows_no_password(url: str, reason: str) -> None:
    """Plain http is for this machine only, whatever a foreign host calls itself."""
    fault = url_fault(url, EXAMPLE)
    assert fault.startswith(reason)
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HTTP://Localhost.:54321/", "http://localhost:54321"),
        ("http://localhost.", "http://localhost"),
        ("http://0x7f.1:80/one", "http://127.0.0.1:80/one"),
        ("http://[::FFFF:127.0.0.1]", "http://127.0.0.1"),
        ("http://[0:0::1]:54321", "http://[::1]:54321"),
        ("https://Bücher.example/Ä", "https://bücher.example/Ä"),
        ("https://db.example.com./one/", "https://db.example.com./one"),
        ("https://mylocalhost.example", "https://mylocalhost.example"),
        ("https://abcdefgh.supabase.co", "https://abcdefgh.supabase.co"),
    ],
)
def test_an_address_is_handed_on_in_a_spelling_that_libraries_understand(written: str, meant: str) -> None:
    """As the vendors' clients, the system's resolver and the servers know it."""
    assert url_fault(written, EXAMPLE) == ""
    assert service_url(written) == meant


@pytest.mark.parametrize(
    ("url", "right"),
    [
        (f"{PROJECT}/rest/v1", PROJECT),
        (f"{PROJECT}/rest/v1/content_library", PROJECT),
        (f"{PROJECT}/auth/v1/", PROJECT),
        (f"{PROJECT}/something", PROJECT),
        (f"http://{REF}.supabase.co/rest/v1/", PROJECT),
        (f"https://supabase.com/dashboard/project/{REF}", PROJECT),
        (f"https://supabase.com/dashboard/project/{REF}/settings/api-keys", PROJECT),
        (f"https://app.supabase.com/project/{REF}", PROJECT),
        (f"https://api.supabase.com/v1/projects/{REF}", PROJECT),
        ("https://supabase.com/dashboard/project/REF", "https://ref.supabase.co"),
        (f"https://db.{REF}.supabase.co", PROJECT),
        (f"postgresql://postgres:hunter2@db.{REF}.supabase.co:5432/postgres", PROJECT),
        (f"postgres://postgres.{REF}:hunter2@aws-0-eu-central-1.pooler.supabase.com:6543/postgres", PROJECT),
        (REF, PROJECT),
        (f"{REF}.supabase.co", PROJECT),
        (f"{REF}.supabase.co/rest/v1", PROJECT),
        ("https://db.example.com:8443/one/rest/v1", "https://db.example.com:8443/one"),
        ("https://me:hunter2@db.example.com/rest/v1", "https://db.example.com"),
        ("http://127.0.0.1:54321/rest/v1/", "http://127.0.0.1:54321"),
        ("http://[::1]:54321/rest", "http://[::1]:54321"),
        ("http://db.example.com/rest/v1", "https://db.example.com"),
        ("https://supabase.com/dashboard/projects", "https://PROJECT.supabase.co"),
        ("https://supabase.com", "https://PROJECT.supabase.co"),
        ("https://supabase.com/dashboard/project/default", "https://PROJECT.supabase.co"),
        ("postgres://postgres:hunter2@db.example.com/postgres", "https://PROJECT.supabase.co"),
    ],
)
def test_the_address_of_a_project_is_told_where_it_follows_from_the_one_that_is_set(url: str, right: str) -> None:
    """The dashboard's, the database's, one of the API's own paths: with the right one, and without a password."""
    said = supabase_url_fault(url)
    assert said.endswith(right)
    assert "hunter2" not in said
    if "PROJECT" not in right:
        assert supabase_url_fault(right) == ""


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/messages/batches/", "https://api.anthropic.com"),
        ("https://gateway.example.com/anthropic/v1/", "https://gateway.example.com/anthropic"),
        ("https://gateway.example.com:8443/v1/models", "https://gateway.example.com:8443"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://gateway.example.com/v1", "https://gateway.example.com"),
        ("https://me:hunter2@gateway.example.com/v1", "https://gateway.example.com"),
        ("https://console.anthropic.com/settings/keys", "https://api.anthropic.com"),
        ("https://platform.claude.com", "https://api.anthropic.com"),
        ("https://claude.ai", "https://api.anthropic.com"),
        ("api.anthropic.com", "https://api.anthropic.com"),
    ],
)
def test_the_address_of_the_claude_api_is_told_where_it_follows_from_the_one_that_is_set(url: str, right: str) -> None:
    """Every request adds /v1 itself; websites answer, too, but not as an API."""
    said = claude_url_fault(url)
    assert said.endswith(right)
    assert "hunter2" not in said
    assert claude_url_fault(right) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://api.anthropic.com",
        "https://api.anthropic.com/",
        "https://gateway.example.com/v1/account/anthropic",
        "https://gateway.example.com/v12",
        "http://127.0.0.1:8080/as/01",
        "https://claude.example.com",
    ],
)
def test_other_addresses_of_the_claude_api_are_accepted(url: str) -> None:
    """A gateway may have any path of its own."""
    assert claude_url_fault(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        PROJECT,
        f"{PROJECT}/",
        "https://db.example.com/one",
        "https://rest.example.com",
        "https://example.com/restaurant",
        "http://127.0.0.1:54321",
        "https://db.example.supabase.co.example.com",
    ],
)
def test_other_addresses_of_a_project_are_accepted(url: str) -> None:
    """Those of one's own servers may have any path that is none of the API's."""
    assert supabase_url_fault(url) == ""


@pytest.mark.parametrize("judge", [claude_url_fault, supabase_url_fault])
@pytest.mark.parametrize("url", ["", " ", "https://[::1", "https://x:port", "\udcff", "\x00", "x" * 5000, "//", "v1"])
def test_what_is_no_address_at_all_has_a_sentence(judge: object, url: str) -> None:
    """Whatever is typed."""
    assert callable(judge)
    assert judge(url)
