"""The test server is as strict as PostgREST 14.12 was seen to be. Each test quotes the fact that it holds."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from toolchain import SERVER

from servers.supabase import MIGRATIONS, Postgres, Supabase

_GRANT = "grant select, insert, update, delete on all tables in schema public to service_role;"
LIB = """
create table public.lib (id bigint generated always as identity primary key, category text not null, key text not null,
  locale text not null, title text not null default '', provenance jsonb);
create unique index on public.lib (category, key, locale);
"""
_FAILING = (
    "create or replace function public.fail() returns trigger language plpgsql as"
    " $$ begin raise 'said so' using errcode = '{state}'; end $$"
)
# What people, languages and encodings bring into keys; none of it may be read as syntax.
ODD_KEYS = (
    *("", " ", " k", "k ", "  ", "\t", "a b", "a,b", "a, b", "(a)", "a)", "(", '"', '"a"', 'a"b', "''", "a'b", "\\"),
    *(
        "a\\b",
        '\\"',
        "{a}",
        "{}",
        "[x]",
        "a.b",
        "eq.a",
        "in.(a)",
        "null",
        "NULL",
        "not_null",
        "true",
        "false",
        "unknown",
    ),
    *(
        "unknown",
        "1",
        "01",
        "-1",
        "1e3",
        "0x1f",
        "ff",
        "%",
        "%25",
        "a+b",
        "a&b=c",
        "*",
        "_",
        "ü",
        "日本",
        "e\u0301",
        "\u200d",
    ),
)


@pytest.fixture(scope="module")
def world(module_project: Callable[..., Supabase]) -> Supabase:
    """A project in which every test makes its own tables."""
    return module_project(*MIGRATIONS, LIB, _GRANT)


@pytest.fixture
def api(world: Supabase) -> Iterator[httpx.Client]:
    """The API with the secret key; the tables are as at the start."""
    with httpx.Client(base_url=f"{world.url}/rest/v1", headers=_keys(world.secret)) as client:
        yield client
    world.faults()
    world.sql("truncate public.lib")


def _keys(key: str, bearer: str = "") -> dict[str, str]:
    return {"apikey": key, "authorization": f"Bearer {bearer or key}"}


def _row(key: str, **more: Any) -> dict[str, Any]:
    return {"category": "c", "key": key, "locale": "en", **more}


def _upsert(api: httpx.Client, *rows: dict[str, Any], table: str = "lib", **prefer: str) -> httpx.Response:
    wanted = {"resolution": "merge-duplicates", "return": "minimal", **prefer}
    headers = {"prefer": ",".join(f"{name}={value}" for name, value in wanted.items())}
    return api.post(f"/{table}", params={"on_conflict": "category,key,locale"}, json=list(rows), headers=headers)


def _found(api: httpx.Client, key: str) -> list[str]:
    return [row["key"] for row in api.get("/lib", params={"select": "key", "key": key, "order": "key"}).json()]


def test_the_twin_upsert_is_one_statement_that_leaves_one_error_in_the_log(
    api: httpx.Client, world: Supabase, postgres: Postgres
) -> None:
    """[M] One INSERT with ON CONFLICT; nothing is de-duplicated or checked before, except columns. One ERROR line."""
    before = postgres.log().count("cannot affect row a second time")
    answer = _upsert(api, _row("a"), _row("a"))
    assert (answer.status_code, answer.json()["code"]) == (500, "21000")
    assert world.sql("select * from public.lib") == []
    assert postgres.log().count("cannot affect row a second time") == before + 1
    unknown = _upsert(api, _row("a", nosuch=1), _row("a", nosuch=1))
    assert (unknown.status_code, unknown.json()["code"]) == (400, "PGRST204")


@pytest.mark.parametrize(
    "sql",
    [
        "alter table public.lib add foreign key (category) references public.cats (slug)",
        "create unique index other on public.lib (title)",
        "create trigger after_row after insert on public.lib for each row execute function public.fail()",
    ],
    ids=["a foreign key", "a title that two rows to come share", "an AFTER trigger"],
)
def test_the_twin_upsert_does_not_reach(api: httpx.Client, world: Supabase, sql: str) -> None:
    """[M] Foreign keys, other unique indexes and AFTER triggers are not reached by the twin upsert."""
    world.sql("create table if not exists public.cats (slug text primary key)")
    world.sql(f"{_FAILING.format(state='P0001')}")
    world.sql(sql)
    try:
        assert _upsert(api, _row("a"), _row("a")).json()["code"] == "21000"
    finally:
        world.sql("drop index if exists public.other; drop trigger if exists after_row on public.lib")
        world.sql("alter table public.lib drop constraint if exists lib_category_fkey")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        *(("42501", 403), ("42P10", 400), ("23502", 400), ("23514", 400), ("23503", 409), ("23505", 409)),
        *(("P0001", 400), ("57014", 500), ("40001", 500), ("40P01", 500), ("53200", 503), ("25006", 405)),
        *(("54000", 500), ("55000", 500), ("57P01", 503), ("PT409", 409), ("PT418", 418), ("22001", 400)),
    ],
)
def test_every_error_of_the_database_has_its_status(
    api: httpx.Client, world: Supabase, state: str, status: int
) -> None:
    """[M, S] SQLSTATE to status, the code and the message passed on."""
    world.sql(_FAILING.format(state=state))
    world.sql("create trigger failing before insert on public.lib for each row execute function public.fail()")
    try:
        answer = _upsert(api, _row("a"))
    finally:
        world.sql("drop trigger failing on public.lib")
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (status, state, "said so")
    assert answer.headers["proxy-status"] == f"PostgREST; error={state}"


def test_a_missing_privilege_is_401_to_the_anonymous_role(world: Supabase) -> None:
    """[M] 42501 -> 403 (401 for anon)."""
    with httpx.Client(base_url=f"{world.url}/rest/v1", headers=_keys(world.publishable)) as anonymous:
        answer = anonymous.get("/lib")
    assert (answer.status_code, answer.json()["code"]) == (401, "42501")


def test_a_deferrable_unique_constraint_takes_no_upsert(api: httpx.Client, world: Supabase) -> None:
    """[M] A deferrable unique constraint gives 55000 -> 500: permanent, not "later"."""
    world.sql(
        "create table public.later (category text, key text, locale text,"
        f" unique (category, key, locale) deferrable); {_GRANT}"
    )
    answer = _upsert(api, _row("a"), table="later")
    assert (answer.status_code, answer.json()["code"]) == (500, "55000")


@pytest.mark.parametrize(
    ("given", "met"),
    [
        ("in.( k)", ["k"]),
        ("in.(x,   k)", ["k"]),
        ('in.(" k")', [" k"]),
        ('in.( " k")', [" k"]),
        ('in.("")', []),
        ("in.()", []),
        ('in.("","")', [""]),
        ("in.(k )", ["k "]),
        ('in.("a,b",k)', ["a,b", "k"]),
        ('in.("a\\"b")', ['a"b']),
        ('in.(a"b)', ['a"b']),
        ("eq. k", [" k"]),
        ("eq.k ", ["k "]),
        ("eq.", [""]),
        ('eq."k"', []),
        ("eq.(k)", []),
    ],
)
def test_a_list_is_read_with_its_blanks_and_quotation_marks(api: httpx.Client, given: str, met: list[str]) -> None:
    """[M] `in.( k)` means `k`; `in.(" k")` is exact; `in.("")` matches nothing; `in.("","")` works; `eq.` is exact."""
    _upsert(api, *map(_row, ("k", " k", "k ", "", "a,b", 'a"b')))
    assert _found(api, given) == met


@pytest.mark.parametrize("given", ["in.(a", "in.a)", "in.(a)b", "in.((a),b)", "is.nothing", "nosuch.a", "a"])
def test_what_is_no_filter_is_refused(api: httpx.Client, given: str) -> None:
    """[S] PGRST100 with the text that could not be read."""
    answer = api.get("/lib", params={"key": given})
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST100")
    assert given in answer.json()["message"]


def test_a_column_named_like_a_parameter_has_to_be_quoted(api: httpx.Client, world: Supabase) -> None:
    """[S] `order=eq.x` is an order; `"order"=eq.x` a filter, as the names of columns may stand in quotation marks."""
    world.sql(f'create table public.named ("order" text, "select" text, "limit" text); {_GRANT}')
    world.sql("insert into public.named values ('x', 'y', 'z')")
    assert api.get("/named", params={"order": "eq.x"}).json()["code"] == "PGRST100"
    for name, value in (("order", "x"), ("select", "y"), ("limit", "z")):
        answer = api.get(
            "/named", params={"select": f'found:"{name}"', f'"{name}"': f"eq.{value}", "order": f'"{name}"'}
        )
        assert answer.json() == [{"found": value}]


@pytest.mark.parametrize("declared", ["text", "integer", "uuid", "boolean", "json", "jsonb", "text[]", "timestamptz"])
def test_a_path_into_a_column_works_on_every_type(api: httpx.Client, world: Supabase, declared: str) -> None:
    """[M, S] `col->>name` works on every type (other types go through `to_jsonb`), since v11."""
    world.sql(f"drop table if exists public.typed; create table public.typed (col {declared}); {_GRANT}")
    world.sql("insert into public.typed values (null)")
    assert api.get("/typed", params={"select": "found:col->>name"}).json() == [{"found": None}]


@pytest.mark.parametrize(
    ("declared", "statuses"),
    [
        ("jsonb", {200}),
        ("text[]", {200}),
        *((declared, {400, 404}) for declared in ("text", "varchar(9)", "integer", "uuid", "boolean", "json")),
    ],
)
def test_only_jsonb_and_arrays_contain_an_empty_thing(
    api: httpx.Client, world: Supabase, declared: str, statuses: set[int]
) -> None:
    """[M] `col=cs.{}`: 200 for jsonb and `text[]`; 42883 or 404 for text, varchar, int, uuid, bool, json."""
    world.sql(f"drop table if exists public.typed; create table public.typed (col {declared}); {_GRANT}")
    answer = api.get("/typed", params={"col": "cs.{}", "limit": "1"})
    assert answer.status_code in statuses
    assert answer.is_success or answer.json()["code"] == "42883"


@pytest.mark.parametrize(
    ("declared", "sent", "back"),
    [
        ("integer", "007", 7),
        ("numeric", "1.50", 1.50),
        ("uuid", str(uuid.UUID(int=11)).upper(), str(uuid.UUID(int=11))),
        ("char(4)", "k", "k   "),
        ("boolean", "yes", True),
        ("date", "20260102", "2026-01-02"),
        ("text", " k", " k"),
    ],
)
def test_a_key_comes_back_in_the_form_of_its_column(
    api: httpx.Client, world: Supabase, declared: str, sent: str, back: object
) -> None:
    """[M] `1` for "1" in an integer column, lower-case uuid, padded `char(n)`."""
    world.sql(f"drop table if exists public.typed; create table public.typed (key {declared} unique); {_GRANT}")
    assert api.post("/typed", json=[{"key": sent}]).status_code == 201
    assert api.get("/typed", params={"key": f"eq.{sent}"}).json() == [{"key": back}]


def test_the_description_marks_only_the_defaults_that_are_json(api: httpx.Client, world: Supabase) -> None:
    """[M] No default for identity, serial, generated, jsonb and array columns. NOT NULL columns are required."""
    world.sql("create type public.mood as enum ('sad', 'glad')")
    world.sql(
        "create table public.described (id bigint generated always as identity primary key, number bigserial,"
        " twice int generated always as (2) stored, meta jsonb not null default '{}',"
        " tags text[] not null default '{}', word text not null default 'a', count int not null default 3,"
        " short varchar(7), sort public.mood default 'sad', made timestamptz not null default now(),"
        " seen boolean not null default false)"
    )
    table = api.get("/").json()["definitions"]["described"]
    marked = {name: column["default"] for name, column in table["properties"].items() if "default" in column}
    assert marked == {"word": "a", "count": 3, "sort": "sad", "made": "now()", "seen": False}
    assert set(table["required"]) == {"id", "number", "meta", "tags", "word", "count", "made", "seen"}
    assert table["properties"]["short"]["maxLength"] == 7
    assert table["properties"]["sort"]["enum"] == ["sad", "glad"]


def test_the_service_role_has_eight_seconds(api: httpx.Client, world: Supabase) -> None:
    """[M] `service_role` runs under the authenticator's statement_timeout: 8 s on a hosted project; 57014 then."""
    world.sql(
        "create function public.limit_() returns text language sql"
        " as $$ select current_setting('statement_timeout') $$;"
        "create function public.slow() returns void language sql as $$ select pg_sleep(60) $$"
    )
    assert api.post("/rpc/limit_", json={}).json() == "8s"
    world.limit("service_role", 100)
    try:
        answer = api.post("/rpc/slow", json={})
    finally:
        world.limit("service_role", 8000)
    assert (answer.status_code, answer.json()["code"]) == (500, "57014")


def test_the_api_is_away_for_longer_than_its_database(api: httpx.Client, world: Supabase) -> None:
    """[M] After a restart of 8 s it answered PGRST002 for 16 s (its own back-off), with Retry-After 0."""
    assert 14 <= world.away(8) <= 16
    answer = api.get("/lib")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "PGRST002", "0")
    assert world.away(0) == 0
    assert api.get("/lib").status_code == 200


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_an_odd_key_is_met_exactly(api: httpx.Client, key: str) -> None:
    """[M] 46 odd keys in eq, gt, upsert: right (the lite server mangles nine of them)."""
    assert len(ODD_KEYS) >= 46
    _upsert(api, *map(_row, dict.fromkeys((*ODD_KEYS, "zz"))))
    assert _upsert(api, _row(key, title="again"), **{"return": "representation"}).json()[0]["key"] == key
    assert _found(api, f"eq.{key}") == [key]
    assert key not in _found(api, f"gt.{key}")
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert _found(api, f'in.("{quoted}","{quoted}")') == [key]


def test_odd_keys_are_paged_under_the_order_of_a_language(
    module_project: Callable[..., Supabase],
) -> None:
    """[M] Paging by key under an ICU collation and a row cap of 1,000 read 1,887 odd keys rightly."""
    keys = sorted({f"{a}{b}{number}" for a, b in itertools.product(ODD_KEYS, ("", "ä", " -")) for number in range(13)})
    server = module_project(
        *MIGRATIONS, 'alter table public.content_library alter column key type text collate "und-x-icu";'
    )
    values = ", ".join(f"('c', {_sql(key)}, 'en', 't', 'd')" for key in keys)
    server.sql(f"insert into public.content_library (category, key, locale, title, description) values {values}")
    read: list[str] = []
    with httpx.Client(base_url=f"{server.url}/rest/v1", headers=_keys(server.secret)) as api:
        while page := api.get(
            "/content_library",
            params={"select": "key", "order": "key", "limit": "5000", **({"key": f"gt.{read[-1]}"} if read else {})},
        ).json():
            assert len(page) <= 1000
            read += [row["key"] for row in page]
    assert len(keys) > 1800
    assert sorted(read) == keys


def _sql(text: str) -> str:
    return f"""E'{text.replace(chr(92), chr(92) * 2).replace("'", "''")}'"""


@pytest.mark.parametrize(
    ("claims", "signed", "status", "code"),
    [
        ({"role": "service_role", "exp": 1}, True, 401, "PGRST303"),
        ({"role": "service_role", "nbf": 4_000_000_000}, True, 401, "PGRST303"),
        ({"role": "service_role"}, False, 401, "PGRST301"),
        ({"role": "nosuchrole"}, True, 401, "22023"),
        ({"role": "service_role"}, True, 200, None),
    ],
    ids=["expired", "not yet valid", "other secret", "unknown role", "right"],
)
def test_a_token_is_judged_by_its_claims(
    api: httpx.Client, world: Supabase, claims: dict[str, Any], signed: bool, status: int, code: str | None
) -> None:
    """[M] Expired 401 PGRST303, other secret PGRST301, not yet valid PGRST303; unknown role 22023 with 401."""
    token = world.token(claims) if signed else world.token(claims, secret="of another project")
    answer = api.get("/lib", headers=_keys(world.secret, token))
    assert (answer.status_code, answer.json()["code"] if code else None) == (status, code)


def test_two_functions_that_take_the_same_arguments_are_300(api: httpx.Client, world: Supabase) -> None:
    """[M] PGRST203 is HTTP 300."""
    world.sql("create function public.two(a int) returns int language sql as 'select 1'")
    world.sql("create function public.two(a text) returns int language sql as 'select 2'")
    answer = api.post("/rpc/two", json={"a": 1})
    assert (answer.status_code, answer.json()["code"]) == (300, "PGRST203")
    assert api.post("/rpc/two", json={"b": 1}).json()["code"] == "PGRST202"


def test_an_address_with_the_path_of_the_api_is_no_table(api: httpx.Client) -> None:
    """[M] A URL with `/rest/v1` gives PGRST125."""
    answer = api.get("/rest/v1/lib")
    assert (answer.status_code, answer.json()["code"]) == (404, "PGRST125")


def test_a_rollback_that_is_asked_for_is_not_made(api: httpx.Client) -> None:
    """[S] `Prefer: tx=rollback` works only where the operator has allowed the override."""
    answer = _upsert(api, _row("a"), tx="rollback")
    assert (answer.status_code, "preference-applied" in answer.headers) == (201, False)
    assert _found(api, "eq.a") == ["a"]


def test_an_upsert_of_what_is_there_is_200_and_of_something_new_201(api: httpx.Client) -> None:
    """[M] 201 for new rows, 200 where every row was there."""
    statuses = [_upsert(api, *map(_row, keys)).status_code for keys in ("a", "a", "ab", "ab")]
    assert statuses == [201, 200, 201, 200]


def test_a_json_argument_arrives_as_it_was_sent(api: httpx.Client, world: Supabase) -> None:
    """[S] Arguments are read with json_to_record: an object stays one (the lite server makes a string of it)."""
    world.sql("create function public.kind(a jsonb) returns text language sql as 'select jsonb_typeof(a)'")
    assert [api.post("/rpc/kind", json={"a": value}).json() for value in ({"b": 1}, [1], "x")] == [
        "object",
        "array",
        "string",
    ]


def test_the_list_of_facts_names_tests_that_exist() -> None:
    """tests/server/README.md says which test holds which fact."""
    listed = re.findall(r"`(test_\w+)`", (SERVER / "README.md").read_text("utf-8"))
    own = {name for name in globals() if name.startswith("test_")} - {"test_the_list_of_facts_names_tests_that_exist"}
    assert set(listed) == own


@pytest.mark.parametrize(
    "asked",
    [
        {"select": "key,title", "order": "key"},
        {"select": "name:key", "order": "key.desc", "limit": "2"},
        {"key": "eq.a", "select": "*"},
        {"key": 'in.("a","b")', "order": "key", "select": "key"},
        {"key": "gt.a", "order": "key", "offset": "1", "select": "key"},
        {"title": "is.null"},
        {"key": "like.*b*", "select": "key"},
        {"select": "nosuch"},
        {"nosuch": "eq.1"},
        {"select": "provenance->>writer", "key": "eq.a"},
    ],
    ids=str,
)
def test_both_halves_agree_where_both_are_right(api: httpx.Client, asked: dict[str, str]) -> None:
    """Lite was written by others from the same documents: an independent check of the strict half."""
    _upsert(api, *(_row(key, title=key.upper(), provenance={"writer": key}) for key in ("a", "b", "bb")))
    ours, lites = (api.get("/lib", params=asked, headers=how) for how in ({}, {"x-answered-by": "lite"}))
    assert ours.status_code == lites.status_code
    if ours.is_success:
        assert ours.json() == lites.json()
    else:
        assert ours.json()["code"] == lites.json()["code"]


def test_somebody_else_can_be_at_work_just_when_a_request_has_arrived(api: httpx.Client, world: Supabase) -> None:
    """Before it is carried out; what the database refuses them is in the log, and no matter of the request."""
    world.log()
    insert = "insert into public.lib (category, key, locale) values ('c', 'theirs', 'en')"
    world.faults({"match": "POST /rest/v1/lib", "sql": insert, "times": 2})
    for key in ("ours", "ours too"):
        assert _upsert(api, _row(key)).status_code == 201
    keys = [row["key"] for row in world.sql("select key from public.lib order by id")]
    assert keys == ["theirs", "ours", "ours too"]
    assert [entry["meanwhile"] for entry in world.log()] == ["done", "23505"]
