"""What stands before a project answers in its place, as users report it: bodies by status."""

from __future__ import annotations

PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head></html>"
GATEWAY_ANSWERS = {
    "an empty 401, also to a good key": (401, ""),
    "a quota": (402, '{"message":"exceed_egress_quota"}'),
    "no connection to the project": (522, PAGE.format(title="522: Connection timed out")),
    "no handshake with the project": (525, PAGE.format(title="525: SSL handshake failed")),
    "a paused project": (540, '{"message":"Project paused"}'),
}
