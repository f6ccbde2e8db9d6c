"""How requests with a key leave this machine: through which proxy, trusting which certificates, and to whom at most.

Invariant. A key goes to the address of its own setting and nowhere else, and in clear only within this machine. Four
things hold it: plain http to another machine is refused before a client is made; no proxy stands before this machine
(before others it sees an encrypted tunnel); redirects are not followed; and a request to another origin than the
setting's does not leave, whoever has made it.

The HTTP libraries would read the same variables by themselves, fail at some of them with a traceback, and send what
goes to this machine through a proxy. So they are told to read nothing, and what they need is found here.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from seed_library.core.errors import SettingsInvalid
from seed_library.core.hosts import is_loopback
from seed_library.core.proxies import password_in, proxy_fault, proxy_for

_SYSTEM = "the system"  # whose own settings name proxies on macOS and Windows
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_ELSEWHERE = "Nothing was sent: a key goes to the address of its setting only, and never in clear to another machine."


def client_options(library: ModuleType, url: str, setting: str) -> dict[str, Any]:
    """Return what a client of an address is made with.

    Args:
        library: httpx, or httpx2: the vendors' clients are built on one each.
        url: the address, which `core.service_urls` has nothing against.
        setting: the one that it comes from.

    Raises:
        SettingsInvalid: the address is not safe for a key, or a variable that is needed on the way to it is wrong.
    """
    origin = _origin(library, url, setting)
    faults = faults_on_the_way([url])
    if faults:
        raise SettingsInvalid(
            "\n".join(f"{name} {fault}." for name, fault in faults.items()),
            hint="Mend it in the environment, or take it away. Nothing was sent.",
        )

    async def stay(request: Any) -> None:
        if _origin_of(request.url) != origin:
            raise SettingsInvalid(f"A request of {setting} would have gone to another address.", hint=_ELSEWHERE)

    trust = _trust(library)
    return {
        "trust_env": False,
        "verify": trust,
        "proxy": _proxy(library, url, trust),
        "follow_redirects": False,
        "event_hooks": {"request": [stay]},
    }


def faults_on_the_way(urls: Iterable[str]) -> dict[str, str]:
    """Return the variables of the environment that keep us from addresses: name -> what is wrong with it."""
    faults: dict[str, str] = {}
    for url in urls:
        variable, address = chosen_proxy(url)
        if fault := address and proxy_fault(address, with_socks=find_spec("socksio") is not None):
            faults[variable] = fault
        faults |= _certificate_faults()
    return faults


def proxy_secrets() -> tuple[str, ...]:
    """Return the passwords of all proxies that are set, whether they are used or not."""
    return tuple(secret for address in getproxies().values() for secret in password_in(address))


def chosen_proxy(url: str) -> tuple[str, str]:
    """Return the variable that names the proxy before an address, and the proxy; both empty where none stands there."""
    scheme, address = proxy_for(url, getproxies())
    if not address or proxy_bypass(urlsplit(url).hostname or ""):  # macOS and Windows have exceptions of their own
        return "", ""
    named = sorted((name for name in os.environ if name.lower() == f"{scheme}_proxy"), reverse=True)
    return (named or [_SYSTEM])[0], address  # the small letters win, as in urllib


def _proxy(library: ModuleType, url: str, trust: ssl.SSLContext) -> Any:
    _, address = chosen_proxy(url)
    if not address:
        return None
    parts = urlsplit(address)
    auth = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return library.Proxy(place, auth=auth, ssl_context=trust if parts.scheme == "https" else None)


def _trust(library: ModuleType) -> ssl.SSLContext:
    """Return whose certificates count; by the variables that OpenSSL and most programs read, else by the library."""
    file, folder = (os.environ.get(name) or None for name in _CERTIFICATES)
    if file or folder:
        return ssl.create_default_context(cafile=file, capath=None if file else folder)
    context: ssl.SSLContext = library.create_ssl_context(trust_env=False)
    return context


def _certificate_faults() -> dict[str, str]:
    file, folder = (os.environ.get(name, "") for name in _CERTIFICATES)
    if file:
        fault = _file_fault(file)
        return {_CERTIFICATES[0]: fault} if fault else {}
    if folder and not any(Path(part).is_dir() for part in folder.split(os.pathsep)):
        return {_CERTIFICATES[1]: "names no folder with certificates"}
    return {}


def _file_fault(file: str) -> str:
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return "names a file that holds no certificates (PEM)"
    except (OSError, ValueError) as error:
        return f"names a file that cannot be read ({getattr(error, 'strerror', '') or 'no file has such a name'})"
    return ""


def _origin(library: ModuleType, url: str, setting: str) -> tuple[str, str, int | None]:
    """Return the one origin that a key may be sent to.

    Raises:
        SettingsInvalid: the library makes no address of the URL, or it is another machine, over plain http.
    """
    try:
        origin = _origin_of(library.URL(url))
    except (ValueError, library.InvalidURL):
        origin = ("", "", None)
    scheme, host, _ = origin
    if scheme not in {"http", "https"} or not host:
        raise SettingsInvalid(f"{setting} is not a URL that can be asked.", hint=_ELSEWHERE)
    if scheme == "http" and not is_loopback(host):
        raise SettingsInvalid(f"{setting} must start with https://: {host} is another machine.", hint=_ELSEWHERE)
    return origin


def _origin_of(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
