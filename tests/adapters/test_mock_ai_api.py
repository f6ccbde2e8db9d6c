"""A Messages API server that we did not write agrees with the Claude writer."""

from __future__ import annotations

from adapters.claude_requests import SONNET, claude, request_for
from servers.processes import MockAiApi

from seed_library.core.drafts import reading_fault, text_of, usage_of


async def test_an_independent_server_is_looked_up_counted_and_written_with(mock_ai_api: MockAiApi) -> None:
    """It lists no current model, sends no request id and answers in English: all of that must do."""
    async with claude(mock_ai_api.url) as writer:
        facts, check = await writer.look_up(SONNET)
        tokens = await writer.count_tokens(request_for())
        answer = await writer.write(request_for())
    assert check.ok, check.message
    assert facts.price.input == 2
    assert tokens is not None
    assert tokens > 0
    assert reading_fault(answer.message) == ""
    assert text_of(answer.message)
    assert usage_of(answer.message).output_tokens > 0
