"""Asking again for a text that the gates refused: the same request, and what was wrong with the last draft.

The request keeps its fingerprint: what comes back is a text for the same prompt, and counts as such. The findings are
quoted as the gates word them, in English; the sentences around them are in the language of the text, so that they do
not pull the answer into another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seed_library.core.drafts import Finding, Prompt, Request

_MOST_FINDINGS = 10
_MOST_SPAN = 200  # characters
# The most that all this adds to a prompt beyond the draft itself, in tokens: the findings with their spans, and the
# sentences around them. A bound for the budget: what would be longer is cut, and a token has a byte at least.
FRAME_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class _Words:
    draft: str
    why: str
    where: str
    again: str


_GERMAN = _Words(
    "Dein letzter Entwurf wurde nicht angenommen:",
    "Was daran nicht stimmt:",
    "Stelle",
    "Schreib den Text neu. Alles, was oben steht, gilt weiter. Antworte nur mit dem neuen Text.",
)
_ENGLISH = _Words(
    "Your last draft was not accepted:",
    "What is wrong with it:",
    "passage",
    "Write the text anew. Everything said above still holds. Answer with the new text only.",
)


def repair_request(request: Request, draft: str, findings: Sequence[Finding]) -> Request:
    """Return the request that asks again and names the broken rules and the offending passages."""
    words = _GERMAN if request.item.id.locale.startswith("de") else _ENGLISH
    wrong = [finding for finding in findings if finding.severity == "error"][:_MOST_FINDINGS]
    lines = "\n".join(f"- {finding.message}{_span(finding, words)}" for finding in wrong)
    room = FRAME_TOKENS - len(_feedback(words, "", "").encode())
    feedback = _feedback(words, draft, lines.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore"))
    return replace(request, prompt=Prompt(request.prompt.system, request.prompt.user + feedback))


def _feedback(words: _Words, draft: str, lines: str) -> str:
    return f"\n\n{words.draft}\n\n<draft>\n{draft}\n</draft>\n\n{words.why}\n{lines}\n\n{words.again}"


def _span(finding: Finding, words: _Words) -> str:
    return f" ({words.where}: “{finding.span[:_MOST_SPAN]}”)" if finding.span else ""
