"""Whose key it is: every key belongs to a workspace, and so does what was made with it. Standard library only."""

from __future__ import annotations

from typing import Any

from api_rules import Reply, error_reply  # type: ignore[import-not-found]  # found beside this file when it runs alone

OWN = "wrkspc_test"
ORGANIZATION = "org_test"


class Workspaces:
    """The keys of the organization.

    Attributes:
        lenient: whether a key may come as x-api-key, as old SDKs send it.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._by_key = {key: OWN}
        self.lenient = False

    def control(self, command: dict[str, Any]) -> None:
        """Obey a control command: {"workspaces": {key: workspace id}} adds keys."""
        if command.get("clear"):
            self._by_key = {self._key: OWN}
        self._by_key.update(command.get("workspaces", {}))
        self.lenient = command.get("lenient", self.lenient)

    def of(self, headers: dict[str, str]) -> str:
        """Return the workspace of a request; empty for a key that nobody knows."""
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if not key and self.lenient:
            key = headers.get("x-api-key", "")
        return self._by_key.get(key, "")

    def refuse(self, headers: dict[str, str]) -> Reply | None:
        """Refuse what every endpoint refuses."""
        if not self.of(headers):
            return error_reply(401, "invalid bearer token")
        if "anthropic-version" not in headers and not self.lenient:
            return error_reply(400, "anthropic-version: header is required")
        return None

    def ids(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers that name whose request it was."""
        workspace = self.of(headers)
        return {"anthropic-organization-id": ORGANIZATION, "anthropic-workspace-id": workspace} if workspace else {}
