"""Taking secrets out of text before anyone can read it.

Two nets: the literal values that this process knows, and the shapes of keys that it may not know (a key inside a
foreign error message, for instance).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "[redacted]"
_SHORTEST_SECRET = 6  # a shorter value would blacken ordinary words
_SHAPES = re.compile(
    # What stands around a key, in a header or an address, goes with it; so these two come first.
    r"(?i:(?<=bearer )\S+)"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|sk-ant-[A-Za-z0-9_\-]+"
    r"|sb_(?:secret|publishable)_[A-Za-z0-9_\-]+"
    r"|sbp_[A-Za-z0-9]{20,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"
)


class Redactor:
    """Replaces known secrets and everything shaped like one.

    Attributes:
        secrets: those that it knows.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = tuple(secrets)
        spellings = {form for secret in self.secrets for form in _spellings(secret)}
        # Longest first, so that no rest of a longer secret stays behind a shorter one.
        self._known = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._known:
            text = text.replace(secret, REDACTED)
        return _SHAPES.sub(REDACTED, text)


def _spellings(secret: str) -> list[str]:
    """The value, stripped, URL-quoted and as Python shows it: the forms in which libraries echo a header."""
    stripped = secret.strip()
    raw = secret.encode("utf-8", "surrogatepass")  # a key that is none can hold half a pair
    quoted = quote(stripped, safe="", errors="surrogatepass")
    forms = {secret, stripped, quoted, repr(secret)[1:-1], repr(raw)[2:-1]}
    return [form for form in forms if len(form.strip()) >= _SHORTEST_SECRET]
