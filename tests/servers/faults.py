"""What a fault hits, and the answer that it dictates (see messages_api.py). Standard library only."""

from __future__ import annotations

from typing import Any

from api_rules import Reply, error_reply  # type: ignore[import-not-found]  # found beside this file when it runs alone


def is_meant(fault: dict[str, Any], method: str, path: str) -> bool:
    """Whether a fault is for requests like this one."""
    if fault.get("method", method) != method:
        return False
    if "path" in fault:
        return path.startswith(fault["path"])
    return path.startswith("/v1/messages") and not path.startswith("/v1/messages/batches")


def scripted(fault: dict[str, Any]) -> Reply | None:
    """Return the answer that a fault dictates, if it dictates one."""
    if "status" in fault:
        kind, code = fault.get("type", ""), fault.get("error_code", "")
        return error_reply(fault["status"], fault.get("message", "scripted"), kind, code, fault.get("headers"))
    if "body" in fault:
        return 200, fault["body"].encode(), {"content-type": fault.get("content_type", "text/html")}
    return None
