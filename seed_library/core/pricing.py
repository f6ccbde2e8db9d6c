"""What models cost and can do, and the arithmetic of money.

Money is integer micro-dollars. A price per million tokens in USD is therefore the price of one token in
micro-dollars; all products are rounded up, so that a sum never understates a bill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from seed_library.core.answer_schema import schema_text
from seed_library.core.catalog import RequestSpec
from seed_library.core.drafts import RawMessage, Request, Usage, is_unbilled, says_usage, usage_of

MICRO_PER_USD = 1_000_000
# The request envelope and the system tokens the provider may add; generous, it only widens the worst case.
ENVELOPE_TOKENS = 64
# The system prompt that the provider adds where an answer has a schema: "a few" tokens (platform documentation).
STRUCTURE_TOKENS = 512
# What is worked on in the United States costs a tenth more, in every respect. A workspace may be bound to that, and
# only the usage of an answer says so: the worst case therefore always has it, the first request's as well. A place
# that is not known is taken for the dearest; older models have none and say so.
DEAREST_PLACE = Decimal("1.1")
_AT_BASE_PRICE = {"", "global", "not_available"}
# German prose on the current tokenizer: about 2.7 characters a token (measured: 2.26 tokens a word on the older
# tokenizer, 1.3 times that on the current one). Used for estimates only, never for the ceiling.
CHARACTERS_PER_TOKEN = Decimal("2.7")
TOKENS_PER_WORD = Decimal("2.95")
_TOKENS_AROUND_COLUMN = 6  # its name and its quotation marks in the object

Lifecycle = Literal["active", "deprecated", "retired", "unknown"]
ThinkingType = Literal["between_tools", "disabled", "adaptive"]


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, which is micro-dollars per token."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal


FREE = Price(Decimal(0), Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class LongPromptPrice:
    """The price of a whole request whose prompt has more than `above` tokens."""

    above: int
    price: Price


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model, from the server where it says so, else from the dated table.

    Attributes:
        thinking_types: the `thinking.type` values the model accepts.
        efforts: the effort levels it accepts; empty means it takes none.
        retires: the earliest retirement date (ISO) or empty.
        source: where this comes from, in words for a person.
    """

    id: str
    lifecycle: Lifecycle
    thinking_types: tuple[str, ...]
    efforts: tuple[str, ...]
    max_output_tokens: int
    price: Price
    long_prompt: LongPromptPrice | None = None
    retires: str = ""
    source: str = ""

    @property
    def thinking_off(self) -> ThinkingType | None:
        """The `thinking.type` that turns thinking off, or None where it cannot be turned off."""
        if "between_tools" in self.thinking_types:
            return "between_tools"
        return "disabled" if "disabled" in self.thinking_types else None


def at_batch_rate(model: ModelFacts) -> ModelFacts:
    """Return the model at the prices of the Message Batches API: half of everything (platform documentation)."""
    long_prompt = model.long_prompt and replace(model.long_prompt, price=_halved(model.long_prompt.price))
    return replace(model, price=_halved(model.price), long_prompt=long_prompt)


def _halved(price: Price) -> Price:
    return Price(
        price.input / 2, price.output / 2, price.cache_write_5m / 2, price.cache_write_1h / 2, price.cache_read / 2
    )


def max_tokens(spec: RequestSpec, model: ModelFacts) -> int:
    """Return the `max_tokens` to send: thinking counts against it wherever it is on."""
    thinks = spec.thinking == "on" or model.thinking_off is None
    return min(spec.max_tokens + (spec.thinking_tokens if thinks else 0), model.max_output_tokens)


def usage_cost(usage: Usage, model: ModelFacts) -> int:
    """Return what tokens cost, in micro-dollars, rounded up."""
    price = _price_for(model, usage.prompt_tokens)
    total = (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_write_5m_tokens * price.cache_write_5m
        + usage.cache_write_1h_tokens * price.cache_write_1h
        + usage.cache_read_tokens * price.cache_read
    )
    return _ceil(total if usage.geography in _AT_BASE_PRICE else total * DEAREST_PLACE)


def billed(message: RawMessage, model: ModelFacts, worst: int) -> int:
    """Return what an answer cost, in micro-dollars: by its usage, or `worst` where that cannot be believed.

    It cannot where the price is not known either, or where more was written than the model can write.
    """
    if is_unbilled(message):
        return 0
    usage = usage_of(message)
    if model.price == FREE or not says_usage(message) or usage.output_tokens > model.max_output_tokens:
        return worst
    return usage_cost(usage, model)


def worst_cost(request: Request, model: ModelFacts, *, more_tokens: int = 0) -> int:
    """Return the most a request can cost, in micro-dollars.

    A token holds at least one byte, so the bytes of all that is sent bound its tokens; the dearest input price is that
    of a cache write; the answer is bounded by `max_tokens`. `more_tokens` may be added to the prompt.
    """
    tokens = sent_bytes(request) + ENVELOPE_TOKENS + more_tokens
    tokens += STRUCTURE_TOKENS if request.spec.generated else 0
    price = _price_for(model, tokens)
    total = tokens * max(price.input, price.cache_write_5m) + max_tokens(request.spec, model) * price.output
    return _ceil(total * DEAREST_PLACE)


def sent_bytes(request: Request) -> int:
    """Return how many bytes of a request's own are sent: both prompts, and the schema of its answer."""
    return sum(len(part.encode()) for part in (request.prompt.system, request.prompt.user, schema_text(request)))


def likely_cost(prompt_tokens: int, words: int, spec: RequestSpec, model: ModelFacts) -> int:
    """Return what a request probably costs, in micro-dollars: its prompt, a text of `words` words, no cache.

    Where thinking cannot be turned off, a fifth of its allowance is assumed. Nothing is longer than `max_tokens`.
    """
    price = _price_for(model, prompt_tokens)
    thinks = spec.thinking == "on" or model.thinking_off is None
    output = words * TOKENS_PER_WORD + (Decimal(spec.thinking_tokens) / 5 if thinks else 0)
    return _ceil(prompt_tokens * price.input + min(output, Decimal(max_tokens(spec, model))) * price.output)


def likely_words(request: Request) -> int:
    """Return how many words an answer probably has, all its columns together; what names them counts as words."""
    words = (request.words.low + request.words.high) // 2
    for one in request.spec.generated:
        words += (one.at_least + one.at_most) // 2 + _ceil(_TOKENS_AROUND_COLUMN / TOKENS_PER_WORD)
    return words


def estimated_tokens(request: Request) -> int:
    """Estimate the tokens of all that is sent from its length, for plans made without a key."""
    prompt = request.prompt
    characters = len(prompt.system) + len(prompt.user) + len(schema_text(request))
    structure = STRUCTURE_TOKENS // 4 if request.spec.generated else 0
    return _ceil(characters / CHARACTERS_PER_TOKEN) + ENVELOPE_TOKENS // 4 + structure


def usd(micro: int) -> float:
    """Return micro-dollars as dollars, for JSON."""
    return micro / MICRO_PER_USD


def _price_for(model: ModelFacts, prompt_tokens: int) -> Price:
    if model.long_prompt is not None and prompt_tokens > model.long_prompt.above:
        return model.long_prompt.price
    return model.price


def _ceil(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))
