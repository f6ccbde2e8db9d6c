"""From a request to a draft: what is asked, what comes back, and how an answer is read.

An answer is read from the raw message as the API sent it (a JSON object), because the raw message is what the
journal keeps. Reading is strict: text blocks are joined, `stop_reason` must be `end_turn`, the text must not be
empty. Thinking blocks never count as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seed_library.core.catalog import Item, RequestSpec, WordRule
from seed_library.core.rate_limits import RateLimits
from seed_library.core.records import is_storable

RawMessage = Mapping[str, Any]
Severity = Literal["error", "warning"]
_COUNTS = ("input_tokens", "output_tokens")
_CACHE_COUNTS = ("cache_creation_input_tokens", "cache_read_input_tokens")
# Twice the largest context of any model: what is above it is no count of tokens.
_MOST_TOKENS = 2_000_000
# Tokens of prose have four or five characters, the longest words of a vocabulary about twenty.
_LONGEST_TOKEN = 32
_API_WORD = re.compile(r"[a-z_]{1,40}")
# Far more than any row is to hold; the gates would take minutes over what is beyond.
_LONGEST_TEXT = 500_000
_LONGEST_LABEL = 200
_KEPT = ("id", "type", "role", "model", "stop_reason", "usage")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The two rendered parts of a request."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request for one item, complete: sending it needs nothing else.

    Attributes:
        fingerprint: hash of everything that determines the answer (see `core.prompts.fingerprint`).
        words: the length the text should have; already said in the prompt, kept for offline writers.
        characters: the same in characters, where the catalog says it so.
    """

    item: Item
    prompt: Prompt
    spec: RequestSpec
    fingerprint: str
    words: WordRule
    characters: WordRule | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the API counts them. `input_tokens` is the part that no cache served.

    Attributes:
        geography: where the request was worked on, in small letters; empty where the answer does not say.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    geography: str = ""

    @property
    def prompt_tokens(self) -> int:
        """All input tokens, cached or not."""
        cached = self.cache_write_5m_tokens + self.cache_write_1h_tokens + self.cache_read_tokens
        return self.input_tokens + cached


@dataclass(frozen=True, slots=True)
class Answer:
    """What a writer returned: the raw message, and the ids that identify the payment.

    Attributes:
        message: the message object exactly as it came.
        request_id: the provider's id of the HTTP request, empty where there is none.
        workspace: the provider's workspace or organization the request was billed to, empty where unknown.
        limits: what it tells of the account's rate limits.
    """

    message: RawMessage
    request_id: str = ""
    workspace: str = ""
    limits: RateLimits = field(default_factory=RateLimits)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a gate has against a draft. `error` rejects it, `warning` only flags it."""

    gate: str
    severity: Severity
    message: str
    span: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A draft's findings; accepted when none of them is an error."""

    findings: tuple[Finding, ...] = field(default=())

    @property
    def accepted(self) -> bool:
        """Whether the text may be stored."""
        return not any(finding.severity == "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Diversity:
    """How varied a corpus is (`core.gates.diversity` works it out).

    Attributes:
        words: mean length in words.
        distinct_2, distinct_3: share of the runs of two and three words that are different ones.
        self_repetition: share of texts' four-word runs that another text holds, too.
        openings: share of the texts whose first three words begin another one as well.
    """

    texts: int
    words: float
    distinct_2: float
    distinct_3: float
    self_repetition: float
    openings: float


def text_of(message: RawMessage) -> str:
    """Return the joined text blocks, stripped; empty when there are none."""
    blocks = message.get("content")
    if not isinstance(blocks, list):
        return ""
    parts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    return "".join(part for part in parts if isinstance(part, str)).strip()


def reading_fault(message: RawMessage) -> str:
    """Say why this message holds no usable text; empty when it does.

    Rules: `facts/claude-api` section 2: `refusal` and `max_tokens` arrive as HTTP 200 and void the text.
    """
    reason = message.get("stop_reason")
    if reason == "refusal":
        details = message.get("stop_details")
        category = details.get("category") if isinstance(details, dict) else None
        return f"the model refused to answer ({_word(category) or 'no category given'})"
    if reason == "max_tokens":
        return "the answer was cut off at max_tokens"
    if reason != "end_turn":
        named = None if reason is None else _word(reason) or "of another form"
        return f"the answer ended with stop_reason {named!r} instead of 'end_turn'"
    text = text_of(message)
    if not text:
        return "the answer holds no text"
    if len(text) > _LONGEST_TEXT:
        return f"the answer has {len(text):,} characters; the limit is {_LONGEST_TEXT:,}"
    return unstorable(text)


def _word(said: object) -> str | None:
    """Return one of the API's own words; None for anything else, which could be anybody's."""
    return said if isinstance(said, str) and _API_WORD.fullmatch(said) else None


def label(value: object) -> str:
    """Return a short text of an answer, such as its id, as it may be stored and shown; empty where it is none."""
    return value if isinstance(value, str) and len(value) <= _LONGEST_LABEL and is_storable(value) else ""


def trimmed(message: RawMessage) -> dict[str, Any]:
    """Return the parts of a message that are read, where the whole is too long to be kept.

    It is judged like the whole: a text that is too long for a row is left out, and then there is none.
    """
    text = text_of(message)
    content = [{"type": "text", "text": text}] if len(text) <= _LONGEST_TEXT else []
    kept = {name: message[name] for name in _KEPT if name in message and len(repr(message[name])) <= _LONGEST_TEXT}
    return {**kept, "content": content}


def unstorable(text: str) -> str:
    """Say what in a text no table takes; empty where it can be stored."""
    return "" if is_storable(text) else "the answer holds a NUL or half of a surrogate pair"


def is_unbilled(message: RawMessage) -> bool:
    """Whether this is a refusal before any output: it is not billed, though its usage shows tokens (documentation)."""
    return message.get("stop_reason") == "refusal" and not message.get("content")


def says_usage(message: RawMessage) -> bool:
    """Whether a message says what it cost in a way that can be believed.

    Both counts that the API always gives are there, no figure is one that no answer can have, something was read, and
    the output has at least as many tokens as its characters make: nobody writes for nothing.
    """
    usage = message.get("usage")
    if not isinstance(usage, dict) or not all(_is_count(usage.get(name)) for name in _COUNTS):
        return False
    detail = usage.get("cache_creation")
    beside = [usage.get(name) for name in _CACHE_COUNTS]
    if detail is not None:
        beside += detail.values() if isinstance(detail, dict) else [detail]
    if not all(figure is None or _is_count(figure) for figure in beside):
        return False
    read, written = usage_of(message).prompt_tokens, usage["output_tokens"]
    return 0 < read <= _MOST_TOKENS and written * _LONGEST_TOKEN >= _size_of(message)


def usage_of(message: RawMessage) -> Usage:
    """Read the billed tokens of a message; absent figures, and those that are no count, are zero."""
    usage = message.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    detail = usage.get("cache_creation")
    hour = _count(detail, "ephemeral_1h_input_tokens")
    return Usage(
        input_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        cache_write_5m_tokens=max(_count(usage, "cache_creation_input_tokens") - hour, 0),
        cache_write_1h_tokens=hour,
        cache_read_tokens=_count(usage, "cache_read_input_tokens"),
        geography=_geography(usage.get("inference_geo")),
    )


def _size_of(message: RawMessage) -> int:
    """Return how many characters a message holds at least; a block without any, such as hidden thoughts, has one."""
    blocks = message.get("content")
    if not isinstance(blocks, list):
        return 0
    texts = [block.get(str(block.get("type"))) if isinstance(block, dict) else None for block in blocks]
    return sum(max(1, len(text)) if isinstance(text, str) else 1 for text in texts)


def _geography(said: object) -> str:
    if said is None:
        return ""
    return said.strip().lower() if isinstance(said, str) else "unreadable"


def _count(holder: object, name: str) -> int:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if type(value) is int and _is_count(value) else 0


def _is_count(figure: object) -> bool:
    return type(figure) is int and 0 <= figure <= _MOST_TOKENS
