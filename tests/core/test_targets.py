"""One target, one name, however it is spelled; and no key travels where it should not."""

from __future__ import annotations

import pytest

from seed_library.core.targets import (
    SqliteAddress,
    StoreAddress,
    SupabaseAddress,
    Target,
    sqlite_path,
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
    ("store", "path"),
    [("sqlite:a/b.db", "a/b.db"), ("sqlite:", ""), ("supabase", ""), ("SQLITE:a", ""), ("a.sqlite:b", "")],
)
def test_a_sqlite_store_is_named_by_its_path(store: str, path: str) -> None:
    """Anything else has no path."""
    assert sqlite_path(store) == path
