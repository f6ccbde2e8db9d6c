"""Legacy Supabase keys for tests: tokens whose claims can be read and whose signature is none."""

from __future__ import annotations

import base64
import json
from typing import Any


def token(**claims: Any) -> str:
    """Return a token with these claims."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "fakesignature"])
