"""The writer that asks Claude: one request, one answer. The journal keeps it before anything is parsed or validated."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from seed_library.adapters.claude_connection import SILENCE_SECONDS, ClaudeConnection, RawAnswer, Refused
from seed_library.adapters.claude_errors import ApiError, translated, unreadable
from seed_library.adapters.models import ModelsTable
from seed_library.core import foreign_json
from seed_library.core.answer_schema import schema_of
from seed_library.core.drafts import Answer, Request
from seed_library.core.errors import RunBlocked, ServiceUnreachable, WriteFailed
from seed_library.core.pricing import FREE, ModelFacts, max_tokens
from seed_library.ports import Check

_LOOK_UP_SECONDS = 20.0
# An answer may take ten minutes, says the vendor's own client; after that, there is none in one piece.
_ANSWER_SECONDS = 660.0
# What a token may take: the vendor's client expects 128,000 of them in an hour, and wants long answers streamed.
_SECONDS_PER_TOKEN = 3600 / 128_000
_STREAMED_FROM_SECONDS = 120.0
_STREAM_AT_MOST = 4.0  # times what its tokens take
# Below the shortest cacheable prefix (512 tokens) a cache mark does nothing; this many characters are about as many.
_CACHEABLE_CHARACTERS = 1500
_THINKING_TYPES = ("between_tools", "disabled", "adaptive")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_BAD_KEY = {401, 403}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NOT_FOUND = 404
_PRICE_HINT = "Name its prices and abilities in a file and set SEED_LIBRARY_MODELS_FILE, or choose a known model."


class ClaudeWriter:
    """Implements the `Writer` port."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        models: ModelsTable,
        *,
        answer_seconds: float = _ANSWER_SECONDS,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.connection = ClaudeConnection(api_key, base_url, silence=silence)
        self._answer_seconds = answer_seconds
        self._models = models
        self._facts: dict[str, ModelFacts] = {}

    async def look_up(self, model: str) -> tuple[ModelFacts, Check]:
        """Ask the API about key and model, free of charge; abilities come from it, prices from the dated table."""
        known = self._models.facts(model)
        facts = known or ModelFacts(model, "unknown", (), (), 0, FREE)
        if model in self._models.retired:
            return facts, _retired_check(model, self._models.retired[model])
        try:
            found = await self._retrieve(model)
        except Refused as refusal:
            return facts, self._refusal_check(facts, refusal.error)
        except (WriteFailed, ServiceUnreachable) as failure:
            hint = failure.hint or "Check the network and ANTHROPIC_BASE_URL, then try again."
            return facts, Check("claude", ok=False, message=failure.message, hint=hint)
        except RunBlocked as refusal:
            return facts, Check("claude key", ok=False, message=refusal.message, hint=refusal.hint)
        if known is None:
            message = f"the price of {model!r} is not known (table of {self._models.as_of})"
            return facts, Check("model", ok=False, message=message, hint=_PRICE_HINT)
        self._facts[model] = _with_abilities(known, found)
        return self._facts[model], _lifecycle_check(self._facts[model])

    async def count_tokens(self, request: Request) -> int | None:
        """Return the exact input tokens, free of charge; None where the API does not say."""
        parameters = self.parameters(request)
        del parameters["max_tokens"]
        try:
            raw = await self.connection.send(
                lambda client: client.messages.with_raw_response.count_tokens(**parameters), within=_LOOK_UP_SECONDS
            )
            return int(json.loads(raw.body)["input_tokens"])
        except (Refused, WriteFailed, RunBlocked, ValueError, KeyError, TypeError):
            return None

    async def write(self, request: Request) -> Answer:
        """Send one request, once, and return the raw message. One that may take long comes as a stream."""
        parameters = self.parameters(request)
        expected = parameters["max_tokens"] * _SECONDS_PER_TOKEN
        try:
            if expected >= _STREAMED_FROM_SECONDS:
                within = max(self._answer_seconds, expected * _STREAM_AT_MOST)
                answer = await self.connection.stream(parameters, within=within)
                raw, message = answer.raw, answer.message or _message(answer.raw)
            else:
                raw = await self.connection.send(
                    lambda client: client.messages.with_raw_response.create(**parameters), within=self._answer_seconds
                )
                message = _message(raw)
        except Refused as refusal:
            raise translated(refusal.error, datetime.now(UTC)) from None
        return Answer(message, raw.request_id, raw.workspace, raw.limits)

    async def aclose(self) -> None:
        """Free the connections."""
        await self.connection.aclose()

    def parameters(self, request: Request) -> dict[str, Any]:
        """Return what is sent: the same, whether as a message or in a batch.

        Raises:
            RunBlocked: nothing is known of the model.
        """
        spec = request.spec
        facts = self._facts.get(spec.model) or self._models.facts(spec.model)
        if facts is None:
            raise RunBlocked(f"Nothing is known of the model {spec.model!r}.", hint=_PRICE_HINT)
        system: dict[str, Any] = {"type": "text", "text": request.prompt.system}
        if len(request.prompt.system) >= _CACHEABLE_CHARACTERS:
            system["cache_control"] = {"type": "ephemeral"}
        parameters: dict[str, Any] = {
            "model": spec.model,
            "max_tokens": max_tokens(spec, facts),
            "system": [system],
            "messages": [{"role": "user", "content": request.prompt.user}],
        }
        if thinking := _thinking(spec.thinking, facts):
            parameters["thinking"] = {"type": thinking}
        if output := _output(request):
            parameters["output_config"] = output
        return parameters

    async def _retrieve(self, model: str) -> dict[str, Any]:
        raw = await self.connection.send(
            lambda client: client.models.with_raw_response.retrieve(model), within=_LOOK_UP_SECONDS
        )
        try:
            found = json.loads(raw.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise unreadable("no JSON object about the model", raw.request_id)
        return found

    def _refusal_check(self, facts: ModelFacts, error: ApiError) -> Check:
        refused = translated(error, datetime.now(UTC))
        message, hint = str(refused), getattr(refused, "hint", "")
        if error.status in _BAD_KEY:
            return Check("claude key", ok=False, message=message, hint=hint)
        if error.status != _NOT_FOUND:
            return Check("claude", ok=False, message=message, hint=hint or "Try again later.")
        if facts.lifecycle == "active":
            note = f"{facts.id} is not listed by this API; going by the {facts.source}"
            return Check("model", ok=True, message=note)
        return Check("model", ok=False, message=f"the API does not know {facts.id!r}", hint=hint)


def _output(request: Request) -> dict[str, Any]:
    spec = request.spec
    effort: dict[str, Any] = {"effort": spec.effort} if spec.effort else {}
    if not spec.generated:
        return effort
    return {**effort, "format": {"type": "json_schema", "schema": schema_of(spec, request.words, request.characters)}}


def _thinking(wish: Literal["off", "on"], facts: ModelFacts) -> str | None:
    """Choose the `thinking.type`: there is no single value for "off", each model accepts its own."""
    if wish == "off" and facts.thinking_off is not None:
        return facts.thinking_off
    return "adaptive" if "adaptive" in facts.thinking_types else None


def _with_abilities(known: ModelFacts, found: dict[str, Any]) -> ModelFacts:
    """Lay what the API says over the table; where it says nothing (proxies do), the table stands."""
    capabilities = found.get("capabilities")
    thinking = _supported(capabilities, ("thinking", "types"), _THINKING_TYPES)
    efforts = _supported(capabilities, ("effort",), _EFFORTS)
    lifecycle = found.get("lifecycle")
    ceiling = found.get("max_tokens")
    retires = found.get("retires_at")
    return replace(
        known,
        lifecycle=lifecycle if lifecycle in {"active", "deprecated", "retired"} else known.lifecycle,
        thinking_types=known.thinking_types if thinking is None else thinking,
        efforts=known.efforts if efforts is None else efforts,
        max_output_tokens=ceiling if isinstance(ceiling, int) and ceiling > 0 else known.max_output_tokens,
        retires=date[0] if (date := _DATE.match(str(retires))) else known.retires,
        source=known.source if thinking is None else "the API",
    )


def _supported(holder: Any, path: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the names that are marked as supported; None where the API does not say."""
    for part in path:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        return None
    return tuple(name for name in names if isinstance(holder.get(name), dict) and holder[name].get("supported"))


def _lifecycle_check(facts: ModelFacts) -> Check:
    if facts.lifecycle == "retired":
        return _retired_check(facts.id, facts.retires)
    if facts.lifecycle == "deprecated":
        until = f" and may be switched off from {facts.retires}" if facts.retires else ""
        message = f"{facts.id} is deprecated{until}"
        return Check("model", ok=True, message=message, hint="Choose a newer one with --model.")
    return Check("model", ok=True, message=f"{facts.id} is {facts.lifecycle} (by {facts.source})")


def _retired_check(model: str, since: str) -> Check:
    message = f"{model} is retired{f' since {since}' if since else ''}; requests to it fail"
    return Check("model", ok=False, message=message, hint="Choose another one with --model or SEED_LIBRARY_MODEL.")


def _message(raw: RawAnswer) -> dict[str, Any]:
    """Decode a 200. A proxy's HTML page or half an answer is no message, although it may have been paid for."""
    try:
        message = foreign_json.loads(raw.body)
    except ValueError:
        raise unreadable(f"{len(raw.body)} bytes that are not JSON", raw.request_id) from None
    if not isinstance(message, dict) or message.get("type") != "message":
        raise unreadable("JSON of another kind", raw.request_id)
    return message
