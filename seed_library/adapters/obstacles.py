"""Why a service cannot be reached, in words, and what to do about it.

Both HTTP libraries tell the kind of a failure and hang the system's own error on it; that one decides. What they quote
of the other side (the reason phrase of a proxy, the name in a certificate) is foreign, and is not repeated. Known of
OpenSSL: the codes of X509_verify_cert_error_string(3), of getaddrinfo(3): EAI_AGAIN means that no name server answered.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from seed_library.adapters.routes import chosen_proxy

_CERTIFICATE_TIMES = {9: "is not valid yet", 10: "has expired"}
_OTHER_NAME = {62, 63, 64}
_UNKNOWN_ISSUER = {2, 18, 19, 20, 21, 24}
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
_NO_NAME = "407"
_REFUSES = {"400", "401", "403", "405"}
_NETWORK_MODULES = ("httpx", "httpcore", "h11", "h2", "anyio", "socksio")
_BEFORE_SENDING = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}  # of both HTTP libraries
_MOST_CAUSES = 20


_SAID = (
    (ConnectionRefusedError, "is there, but nobody listens at that port"),
    (TimeoutError, "takes no connection in time"),
    (ConnectionResetError | BrokenPipeError | EOFError, "cuts the connection off"),
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way.

    Attributes:
        reason: a clause.
        hint: what to do.
        lasting: waiting would not help.
    """

    reason: str
    hint: str
    lasting: bool = False


def is_of_the_network(error: BaseException) -> bool:
    """Whether an error is one of the ways in which a connection fails, wrapped by the HTTP library or not."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_of_the_network, error.exceptions))
    return isinstance(error, OSError | EOFError) or type(error).__module__.startswith(_NETWORK_MODULES)


def never_left(error: BaseException) -> bool:
    """Whether a request has failed before anything of it was sent."""
    return type(error).__name__ in _BEFORE_SENDING or type(error).__module__.startswith("socksio")


def obstacle(error: BaseException, url: str, setting: str) -> Obstacle:
    """Return what an error in reaching a URL means, for the setting that names it."""
    chain = list(_chain(error))
    found = _of_certificates(chain, setting) or _of_tls(chain, setting)
    if found:
        return found
    variable, _ = chosen_proxy(url)
    if said := next((str(one) for one in chain if type(one).__name__ == "ProxyError"), ""):
        return _of_proxy(said, variable)
    if variable:
        reason = f"the proxy that {variable} names {_of_connection(chain)}"
        return Obstacle(reason, f"Check {variable}: is that proxy there, and of that kind?")
    return Obstacle(f"{urlsplit(url).hostname} {_of_connection(chain)}", _hint(chain, url, setting))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    waiting, seen = [error], 0
    while waiting and seen < _MOST_CAUSES:
        one = waiting.pop(0)
        seen += 1
        yield one
        waiting += list(one.exceptions) if isinstance(one, BaseExceptionGroup) else []
        waiting += [cause for cause in (one.__cause__ or one.__context__,) if cause is not None]


def _of_certificates(chain: list[BaseException], setting: str) -> Obstacle | None:
    fault = next((one for one in chain if isinstance(one, ssl.SSLCertVerificationError)), None)
    if fault is None:
        return None
    code = fault.verify_code
    if code in _CERTIFICATE_TIMES:
        hint = f"It has to be renewed where {setting} leads to, unless the clock of this machine is wrong."
        return Obstacle(f"its certificate {_CERTIFICATE_TIMES[code]}", hint, lasting=True)
    if code in _OTHER_NAME:
        return Obstacle("its certificate is for another name", f"Check the host in {setting}.", lasting=True)
    known = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    trusted = f"what {known[0]} names" if known else "what this machine trusts"
    reason = "its certificate is self-signed, or from an issuer whom nobody here knows"
    if code not in _UNKNOWN_ISSUER:
        reason = f"its certificate is not accepted (verify code {code})"
    hint = (
        f"It is not among {trusted}. If a server or a proxy of your own stands there, name the file with its "
        "certificate in SSL_CERT_FILE; if not, somebody reads along."
    )
    return Obstacle(reason, hint, lasting=True)


def _of_tls(chain: list[BaseException], setting: str) -> Obstacle | None:
    fault = next((one for one in chain if isinstance(one, ssl.SSLError)), None)
    if fault is None:
        return None
    if fault.reason in _NO_TLS:
        hint = f"Check scheme and port of {setting}, or of the proxy on the way."
        return Obstacle("what answers there does not speak TLS (https)", hint, lasting=True)
    return Obstacle("the TLS handshake was cut off", f"Check {setting}, the network, and the proxy on the way, if any.")


def _of_proxy(said: str, variable: str) -> Obstacle:
    """Read the error of a tunnel; its status is all that is taken of it."""
    status = said[:3] if re.match(r"\d{3}\b", said) else ""
    where = f"the proxy that {variable} names"
    if status == _NO_NAME:
        hint = f"Put both into {variable}: http://NAME:PASSWORD@HOST:PORT (percent-encoded)."
        return Obstacle(f"{where} wants a name and a password, or others (407)", hint, lasting=True)
    if status in _REFUSES:
        hint = f"Ask who runs it, or set {variable} to another one."
        return Obstacle(f"{where} refuses the way there ({status})", hint, lasting=True)
    answer = f"answers {status}" if status else "fails"
    hint = f"Check {variable}, and whether the proxy has a network."
    return Obstacle(f"{where} {answer} instead of opening a way", hint)


def _of_connection(chain: list[BaseException]) -> str:
    """Say what became of an attempt to reach a host."""
    for one in chain:
        if isinstance(one, socket.gaierror):
            again = one.errno == socket.EAI_AGAIN
            return "cannot be looked up now: no name server answers" if again else "is a name that nobody knows"
        for kinds, said in _SAID:
            if isinstance(one, kinds):
                return said
    numbers = [one.errno for one in chain if isinstance(one, OSError) and one.errno]
    reason = os.strerror(numbers[0]) if numbers else type(chain[0]).__name__
    return f"cannot be connected with ({reason})"


def _hint(chain: list[BaseException], url: str, setting: str) -> str:
    """Say what to do about a host that no proxy stands before."""
    if any(isinstance(one, socket.gaierror) for one in chain):
        paused = " A project that is paused or gone has no name: see the dashboard."
        return f"Check the network, and the host in {setting}.{paused if setting == 'SUPABASE_URL' else ''}"
    if any(isinstance(one, ConnectionRefusedError) for one in chain):
        return f"Check host and port in {setting}, and whether the service is started."
    return silence_hint(url, setting)


def silence_hint(url: str, setting: str) -> str:
    """Say what to do about an address that answers nothing, or nothing that can be read."""
    if urlsplit(url).scheme == "http":
        return f"Check the network, and {setting}: if TLS is spoken at that port, the address begins with https://."
    return f"Check the network, and {setting}."
