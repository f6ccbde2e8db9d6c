"""No secret leaves, in whatever form a library echoes it; ordinary text stays as it is."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.redaction import REDACTED, Redactor

KEY = "fäke key'with\\everything/+=&%\n"
NESTED = "fake-secret"
LONGER = "fake-secret-and-more"
FOREIGN = (
    "sk-ant-api03-fake_FAKE-fake",
    "sb_secret_fakefakefakefakefakefa_fakefake",
    "sb_publishable_fakefakefakefakefakefa_fakefake",
    "sbp_0123456789fake0123456789",
    "eyJmYWtlIjoiZmFrZSJ9.eyJyb2xlIjoiYW5vbiJ9.fakesignature",
    "eyJmYWtlIjoiZmFrZSJ9.eyJyb2xlIjoiYW5vbiJ9.",
)


@pytest.mark.parametrize(
    "form",
    [KEY, KEY.strip(), quote(KEY.strip(), safe=""), repr(KEY), repr(KEY.encode()), f"{{'apikey': {KEY!r}}}"],
    ids=["as it is", "stripped", "in a URL", "as Python shows it", "as bytes", "in a dictionary"],
)
def test_a_known_secret_goes_in_every_form(form: str) -> None:
    """The forms in which headers and URLs appear in foreign error messages."""
    said = Redactor([KEY])(f"failed: {form}; see above")
    assert REDACTED in said
    assert "everything" not in said
    assert said.startswith("failed: ")
    assert said.endswith("; see above")


def test_a_secret_inside_a_longer_one_leaves_no_rest() -> None:
    """The longest goes first."""
    assert Redactor([NESTED, LONGER])(f"{LONGER} {NESTED}") == f"{REDACTED} {REDACTED}"


@pytest.mark.parametrize("key", FOREIGN)
def test_keys_that_nobody_told_us_are_known_by_their_shape(key: str) -> None:
    """A key inside a foreign error message, wherever it stands."""
    for text in (key, f'"{key}"', f"key={key}&x=1", f"Authorization: Bearer {key}\n", f"({key})"):
        said = Redactor()(text)
        assert REDACTED in said
        assert not any(part in said for part in key.split(".") if part)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgres://user:hunter2@db.example.com/x", f"postgres://{REDACTED}@db.example.com/x"),
        ("authorization: bearer any-token,sk-ant-fake;x y", f"authorization: bearer {REDACTED} y"),
        ("Bearer sk-ant-fake,rest", f"Bearer {REDACTED}"),
    ],
)
def test_passwords_in_addresses_and_bearer_tokens_go(text: str, said: str) -> None:
    """Whatever follows a key in a header goes with it."""
    assert Redactor()(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "Keys start with sk-ant- or sb_secret_ or eyJ...",
        "https://abcdefgh.supabase.co/rest/v1/content_library?select=key",
        "at 12:30@home, ratio 1:2",
        "msg_01FakeFakeFake req_011FakeFake claude-sonnet-5-5 7d4988f560a06a701826cd23fcebf51f",
        "Größe – „Wächter“",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Ids, prefixes and addresses are needed to understand an error; short values would blacken words."""
    redact = Redactor(["", "   ", "short", "the"])
    assert redact(text) == text


PIECES = [
    KEY,
    NESTED,
    LONGER,
    *FOREIGN,
    "Bearer ",
    "bearer",
    "://",
    "user:pass@",
    ",",
    " ",
    "\n",
    "sk-ant-",
    "eyJ",
    "ä",
]


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_redacting_twice_changes_nothing_and_no_known_secret_survives(text: str) -> None:
    """Text passes more than one redactor on its way out."""
    redact = Redactor([KEY, NESTED, LONGER])
    once = redact(text)
    assert redact(once) == once
    assert not any(secret.strip() in once for secret in (KEY, NESTED, LONGER))
