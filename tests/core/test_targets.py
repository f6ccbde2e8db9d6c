"""One target, one name, however it is spelled; and no key travels where it should not."""

from __future__ import annotations

import pytest

from seed_library.core.targets import (
    SqliteAddress,
    StoreAddress,
    SupabaseAddress,
    Target,
    service_url,
    sqlite_path,
    url_fault,
)

SPELLINGS = {
    "hosted project": [
        "https://abcdefgh.supabase.co",
        "https://abcdefgh.supabase.co/",
        "https://ABCDEFGH.Supabase.CO",
        "https://abcdefgh.supabase.co:443",
        "https://abcdefgh.supabase.co.",
        "https://abcdefgh.supabase.co/rest/v1",
        "https://abcdefgh.supabase.co/rest/v1/",
        "https://abcdefgh.supabase.in",
        "HTTPS://abcdefgh.supabase.net",
    ],
    "another project": ["https://abcdefgi.supabase.co"],
    "this machine": [
        "http://127.0.0.1:54321",
        "http://localhost:54321/",
        "http://LOCALHOST:54321/rest/v1",
        "http://[::1]:54321",
        "http://0.0.0.0:54321",
        "http://localhost.:54321",
        "http://0x7f.1:54321",
        "http://[::ffff:127.0.0.1]:54321",
    ],
    "another port of this machine": ["http://127.0.0.1:54322"],
    "this machine's web server": ["http://localhost", "http://127.0.0.1:80"],
    "own host": ["https://db.example.com", "https://DB.example.com:443/"],
    "own host, other port": ["https://db.example.com:8443"],
    "own host, plain port with encryption": ["https://db.example.com:80"],
    "own host, under a path": ["https://db.example.com/one", "https://db.example.com/one/rest/v1/"],
    "own host, under another path": ["https://db.example.com/two"],
    "own host with an umlaut": ["https://bücher.example", "https://xn--bcher-kva.example"],
    "host that only ends alike": ["https://abcdefgh.supabase.co.example.com"],
}


def _name(address: StoreAddress, schema: str = "public", table: str = "content_library") -> str:
    return Target(address, schema, table).folder_name


@pytest.mark.parametrize("spellings", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_a_target_gives_the_same_name(spellings: list[str]) -> None:
    """Two checkouts with two spellings still exclude each other."""
    assert len({_name(SupabaseAddress(url)) for url in spellings}) == 1


def test_different_targets_have_different_names() -> None:
    """Hosts, ports, paths, schemas, tables and files that differ never share a journal."""
    project = SupabaseAddress("https://abcdefgh.supabase.co")
    names = [_name(SupabaseAddress(spellings[0])) for spellings in SPELLINGS.values()]
    names += [_name(project, table="texts"), _name(project, schema="texts")]
    names += [_name(SqliteAddress(path)) for path in ("/a/b.db", "/a_b.db", "/A/b.db", "/" + "x/" * 99 + "b.db")]
    names += [_name(SqliteAddress("/y/" + "x/" * 99 + "b.db"))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "address",
    [
        SupabaseAddress("https://abcdefgh.supabase.co"),
        SupabaseAddress("http://[::1]:54321/a b/../c"),
        SqliteAddress("/home/user/Ordner mit Leerzeichen/büro/../x.db"),
        SqliteAddress("/" + "very-long-folder/" * 60 + "x.db"),
    ],
)
def test_a_name_is_a_readable_folder_name_of_bounded_length(address: StoreAddress) -> None:
    """Plain characters only, ending in a hash; every file system takes it."""
    name = _name(address)
    slug, _, digest = name.rpartition("-")
    assert name.isascii()
    assert all(character.isalnum() or character in "._-" for character in name)
    assert slug.endswith("public.content_library")
    assert not name.startswith(".")
    assert (len(digest), len(name) <= 100) == (16, True)


def test_the_name_of_a_known_target_never_changes_between_releases() -> None:
    """A pinned value: another one would lose sight of the journal."""
    assert (
        _name(SupabaseAddress("https://abcdefgh.supabase.co"))
        == "supabase_abcdefgh_public.content_library-40e75ececdcd8c85"
    )
    assert Target(SqliteAddress("/a/b.db"), "public", "texts").label == "sqlite:/a/b.db public.texts"


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
    assert url_fault(url) == ""


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
    fault = url_fault(url)
    assert fault.startswith(reason)
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("store", "path"),
    [("sqlite:a/b.db", "a/b.db"), ("sqlite:", ""), ("supabase", ""), ("SQLITE:a", ""), ("a.sqlite:b", "")],
)
def test_a_sqlite_store_is_named_by_its_path(store: str, path: str) -> None:
    """Anything else has no path."""
    assert sqlite_path(store) == path


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
    assert url_fault(written) == ""
    assert service_url(written) == meant
