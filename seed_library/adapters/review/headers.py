"""The headers of every answer: nothing is kept, nothing is framed, nothing runs that is not the page's own."""

from __future__ import annotations

_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def headers_of(kind: str, nonce: str = "") -> dict[str, str]:
    """Return the headers of an answer.

    Args:
        kind: its media type.
        nonce: of the script and the style that may run; empty: none may.
    """
    own = f"; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'" if nonce else ""
    return {
        "content-type": f"{kind}; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": _CLOSED + own,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
