"""What a request to the Messages API asks for, as text. Standard library only."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def user_prompt(body: dict[str, Any]) -> str:
    """Return the text of the last message."""
    content = (body.get("messages") or [{}])[-1].get("content", "")
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def prompt_hash(body: dict[str, Any], user: str) -> str:
    """Return what stands for a prompt in the records."""
    return hashlib.sha256((json.dumps(body.get("system", ""), ensure_ascii=False) + user).encode()).hexdigest()


def token_count(text: str) -> int:
    """Return how many tokens a text is said to have."""
    return len(text) // 3 + 1
