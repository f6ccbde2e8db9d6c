"""The addresses of the two services: what can be used, and what is another address that people copy by mistake.

A key goes to what is set, so an address is judged before anything is sent: by its form, and by what is known of the
addresses around the right one (a dashboard, a database, a path that the client adds itself). Where the right one
follows from the wrong one, it is named. Nothing is quoted of an address but its host: it may hold a password.
"""

from __future__ import annotations

import re
from unicodedata import normalize
from urllib.parse import SplitResult, urlsplit, urlunsplit

from seed_library.core.hosts import is_loopback, plain_host

CLAUDE_URL = "https://api.anthropic.com"
PROJECT_URL = "https://PROJECT.supabase.co"
_WEBSITES = re.compile(r"((www|console|platform|docs|support)\.)?(anthropic\.com|claude\.com|claude\.ai)")
_CLAUDE_PATH = re.compile(r"(?P<before>.*?)/v1(/(messages|models|complete)\b.*)?")
_DASHBOARDS = ("supabase.com", "www.supabase.com", "app.supabase.com", "app.supabase.io", "api.supabase.com")
_PROJECT_IN_PATH = re.compile(r".*/projects?/(?P<ref>(?!default\b)[A-Za-z0-9]{3,40})(/.*)?")
_HOSTED = re.compile(r"(?P<database>db\.)?(?P<ref>[a-z0-9]{6,40})\.supabase\.(co|in|net)")
_POOLED = re.compile(r"postgres\.(?P<ref>[a-z0-9]{6,40})")
_SUPABASE_PATH = re.compile(r"(?P<before>.*?)/(rest|auth|storage|functions|realtime|graphql|pg)(/v\d+)?(/.*)?")
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_LONGEST_HOST = 253  # characters (RFC 1035)


def claude_url_fault(url: str) -> str:
    """Say why a URL cannot be the address of the Claude API; empty when it can."""
    parts = _parts(url)
    if _WEBSITES.fullmatch(parts.hostname or ""):
        return f"is the address of a website; the API's is {CLAUDE_URL}"
    if found := _CLAUDE_PATH.fullmatch(parts.path.rstrip("/")):
        return f"must end before /v1, which every request adds to it: {_without_path(parts, found['before'])}"
    return url_fault(url, CLAUDE_URL)


def supabase_url_fault(url: str) -> str:
    """Say why a URL cannot be the address of a project's API; empty when it can."""
    parts = _parts(url)
    host, path = parts.hostname or "", parts.path.rstrip("/")
    hosted = _HOSTED.fullmatch(host)
    if host in _DASHBOARDS:
        found = _PROJECT_IN_PATH.fullmatch(path)
        return f"is the address of the dashboard; the project's own is {_project(found['ref'] if found else '')}"
    if (hosted and hosted["database"]) or parts.scheme in {"postgres", "postgresql"}:
        found = hosted or _POOLED.fullmatch(parts.username or "")
        return f"is the address of a database; the project's own is {_project(found['ref'] if found else '')}"
    if hosted and path:
        return f"must be the project's own address, without a path: {_project(hosted['ref'])}"
    if found := _SUPABASE_PATH.fullmatch(path):
        return f"must be the project's own address, without a path of the API: {_without_path(parts, found['before'])}"
    if ref := re.fullmatch(r"([a-z]{20})(\.supabase\.co)?(/.*)?", url):
        return f"must be a URL: {_project(ref[1])}"
    return url_fault(url, PROJECT_URL)


def _parts(url: str) -> SplitResult:
    """Split a URL; what is none has no parts."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _project(ref: str) -> str:
    return f"https://{ref.lower()}.supabase.co" if ref else PROJECT_URL


def _without_path(parts: SplitResult, path: str) -> str:
    """Return an address with another path, without what may be secret in it."""
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port is not None else ""
    scheme = parts.scheme if is_loopback(host) else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{port}{path}"


def url_fault(url: str, example: str) -> str:
    """Say what is wrong with the form of a service URL; empty when it can be used.

    Keys travel to this address, so plain http is accepted for this machine only.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        plain = host.encode("idna").decode()
    except ValueError:
        return "is not a URL"
    is_url = parts.scheme in {"http", "https"} and host
    has_odd = not url.isprintable() or "\\" in url or not _is_host(host, plain)
    in_clear = parts.scheme == "http" and not is_loopback(host)
    faults = (
        (not is_url, f"must be a URL such as {example}"),
        ("@" in parts.netloc, "must not contain a user name or password"),
        (any(map(str.isspace, url)), "contains white space"),
        (has_odd, "contains characters that no URL has"),
        (parts.query or parts.fragment, "must end before the ? or #"),
        (in_clear, f"must start with https:// (http is accepted for this machine only, not for {host})"),
    )
    return next((fault for is_so, fault in faults if is_so), "")


def service_url(url: str) -> str:
    """Return a URL that `url_fault` has nothing against in the one spelling that every library and server understands.

    The vendors' clients know `http` in small letters only, few systems find `localhost.`, and servers compare the host
    that they are called by.
    """
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit((parts.scheme, plain_host(parts.hostname or "") + port, parts.path.rstrip("/"), "", ""))


def _is_host(host: str, plain: str) -> bool:
    """Whether a host is a name or an address; `plain` is its spelling in ASCII."""
    if ":" in host:
        return re.fullmatch(r"[0-9a-f:.]+", host) is not None
    is_normal = normalize("NFKC", host) == host  # of others the HTTP libraries make no host
    return is_normal and len(plain) <= _LONGEST_HOST and _HOST_NAME.fullmatch(host) is not None
