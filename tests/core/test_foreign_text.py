"""Of a foreign text, only what is harmless is shown: no part of a key, in whatever coding; sentences stay readable."""

from __future__ import annotations

import base64
import html
import quopri
import textwrap
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.foreign_text import WITHHELD, ForeignText

CLAUDE_KEY = "sk-ant-api03-Kf9-Qz_7LmXw2vPbTn4RcYh8JdUe6GsA1oZi3-FakeFakeAA"
SERVICE_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIiwicmVmIjoiYWJjZGVmZ2gifQ.Zm9yZ2VkLWZha2Utc2ln"
SECRET_KEY = "sb_secret_fAkE7uNd0UgjKTVK-UodkH_fakeMPvz"
PASSWORD = "correct horse/battery"
SECRETS = (CLAUDE_KEY, SERVICE_KEY, SECRET_KEY, PASSWORD)
SHOW = ForeignText(SECRETS)


def _lines(width: int) -> Callable[[str], str]:
    return lambda secret: "\n".join(textwrap.wrap(secret, width, break_on_hyphens=False))


def _joined(pattern: str, between: str = "") -> Callable[[str], str]:
    return lambda secret: between.join(pattern.format(ord(one), one) for one in secret)


def _base64(before: str = "", encode: Callable[[bytes], bytes] = base64.b64encode) -> Callable[[str], str]:
    return lambda secret: encode(f"{before}{secret}{before}".encode()).decode()


def _zig_zag(secret: str) -> str:
    return "".join(one.upper() if place % 2 else one.lower() for place, one in enumerate(secret))


CODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "wrapped": _lines(20),
    "wrapped in short lines": _lines(4),
    "a letter a line": _lines(1),
    "quoted in lines": lambda secret: "> " + _lines(9)(secret).replace("\n", "\n> "),
    "its tail": lambda secret: f"the key ...{secret[-9:]}",
    "its head": lambda secret: f"the key {secret[: len(secret) // 2]}...",
    "its middle": lambda secret: f"the key ***{secret[len(secret) // 2 :][:9]}***",
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in both": _zig_zag,
    "backwards": lambda secret: secret[::-1],
    "base64": _base64(),
    "base64, one further": _base64("x"),
    "base64, two further": _base64("xy"),
    "base64 for addresses": _base64("Bearer ", base64.urlsafe_b64encode),
    "base64 of basic authentication": _base64("somebody:"),
    "base64, wrapped": _base64("abcd", base64.encodebytes),
    "base64 in capitals": lambda secret: _base64()(secret).upper(),
    "base64 of base64": lambda secret: _base64()(_base64()(secret)),
    "base32": _base64("k: ", base64.b32encode),
    "base85": _base64("", base64.b85encode),
    "ascii85": _base64("", base64.a85encode),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal, with colons": lambda secret: secret.encode().hex(":").upper(),
    "percent-encoded": _joined("%{0:02X}"),
    "percent-encoded as needed": lambda secret: quote(secret, safe="").replace("-", "%2D").replace("_", "%5f"),
    "percent-encoded twice": lambda secret: quote(_joined("%{0:02x}")(secret)),
    "escaped as JSON": _joined("\\u{0:04x}"),
    "escaped as JSON, every other": lambda secret: "".join(
        f"\\u{ord(one):04X}" if place % 2 else one for place, one in enumerate(secret)
    ),
    "escaped as Python": _joined("\\x{0:02x}"),
    "escaped as C": _joined("\\{0:03o}"),
    "HTML entities": _joined("&#{0};"),
    "HTML entities, hexadecimal": _joined("&#x{0:x};"),
    "HTML entities as needed": lambda secret: html.escape(secret).replace("-", "&#45;"),
    "quoted-printable": lambda secret: (
        quopri.encodestring(secret.encode(), quotetabs=True).decode().replace("-", "=2D")
    ),
    "decimal numbers": _joined("{0}", ", "),
    "a letter between dots": _joined("{1}", "."),
    "rot13": lambda secret: secret.translate(str.maketrans(_ALPHABET, _ALPHABET[26:] + _ALPHABET[:26])),
}
_ALPHABET = "abcdefghijklmABCDEFGHIJKLMnopqrstuvwxyzNOPQRSTUVWXYZ"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "invalid header value: {}", '{{"authorization": "Bearer {}"}} was refused'])
def test_no_part_of_a_secret_is_shown_in_any_coding(secret: str, coding: str, around: str) -> None:
    """As a whole or in part, as a sentence or as a code."""
    told = CODINGS[coding](secret)
    for said in (SHOW.sentence(around.format(told)), SHOW.code(told)):
        assert stretches(told).isdisjoint(stretches(said)), said
        assert stretches(secret).isdisjoint(stretches(said)), said


def stretches(text: str) -> set[str]:
    """Every six characters in a row, blanks aside, that a reader could put together again."""
    dense = "".join(text.split())
    return {dense[start : start + 6] for start in range(len(dense) - 5)} - _OURS


_OURS: set[str] = set()
_OURS = stretches(f"> the key ...*** {WITHHELD}") | {
    said for prefix in ("sk-ant-api03-", "sb_secret_") for said in stretches(prefix)
}


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for claude-haiku-5-5",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to purchase credits.",
        "messages.0.content: text content blocks must be non-empty",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "This request would exceed your organization's rate limit of 40,000 input tokens per minute",
        "invalid x-api-key",
        'null value in column "tenant" of relation "content_library" violates not-null constraint',
        'insert or update on table "lib" violates foreign key constraint "lib_category_fkey"',
        'invalid input syntax for type uuid: "bazi_year_pillar"',
        'index row size 2712 exceeds btree version 4 maximum 2704 for index "lib_description_idx"',
        "Could not find the 'fooBar' column of 'lib' in the schema cache",
        "operator does not exist: text @> unknown",
        "function public.seed_library_store(p_rows => jsonb) does not exist",
        "Höchstens 80 Wörter – „kürzer“, bitte!",
        "本文は80字までです。「短く」",
        "see https://docs.claude.com/en/docs/about-claude/models for a list",
        "request 550e8400-e29b-41d4-a716-446655440000 timed out after 2.5s",
    ],
)
def test_what_a_service_has_to_say_stays_readable(message: str) -> None:
    """Its reasons are what the reader needs."""
    assert SHOW.sentence(message) == message


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("token 7hQ2kLm9XvB4nZc8RtYw1pGf is bad", "token … is bad"),
        ("two 7hQ2kLm9XvB4nZc8RtYw1pGf 7hQ2kLm9XvB4nZc8RtYw1pGf bad", "two … bad"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("postgres://user:hunter2@db.example.com/x", "postgres://[redacted]@db.example.com/x"),
        ("line one\n\n  line\ttwo", "line one line two"),
        ("a \x1b[31m red\x07 one", "a … one"),
        ("<" * 100, "…"),
        ("so " * 100, f"{'so ' * 66}so..."),
        ("", ""),
        (" \n", ""),
        (None, ""),
        (["sk-ant"], ""),
        (540, ""),
    ],
)
def test_pieces_that_could_be_a_token_of_somebody_are_cut_out(message: object, shown: str) -> None:
    """In one line, and not for ever."""
    assert SHOW.sentence(message) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("invalid_request_error", "invalid_request_error"),
        ("PGRST204", "PGRST204"),
        ("req_011CSHoEeqs5C35K2UUqR7Fy", "req_011CSHoEeqs5C35K2UUqR7Fy"),
        ("msgbatch_013Zva2CMHLNnXjNJJKqJ2EF", "msgbatch_013Zva2CMHLNnXjNJJKqJ2EF"),
        ("22P02", "22P02"),
        (CLAUDE_KEY, ""),
        (f"req_{SECRET_KEY[-10:]}", ""),
        ("../../v1/messages", ""),
        ("two words", ""),
        ("x" * 81, ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_code_is_one_short_word_or_nothing(said: object, shown: str) -> None:
    """Ids are random, so their look cannot decide; that they hold no part of a key can."""
    assert SHOW.code(said) == shown


def test_without_secrets_nothing_is_withheld() -> None:
    """An empty or a very short value gives no trace of anything."""
    assert ForeignText(["", "  ", "abc"]).sentence("abc and so on") == "abc and so on"


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    """Whatever comes: one line, of a bounded length, and it can be shown again without another change."""
    said = SHOW.sentence(text)
    assert "\n" not in said
    assert len(said) <= 203
    assert SHOW.sentence(said) == said or said.endswith("...")
