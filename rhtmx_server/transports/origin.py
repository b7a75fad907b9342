"""Which pages may open a WebSocket. The rule is pure.

Knows the headers by which browsers say where a page comes from (RFC 6454).
Must not know paths or tokens.

Browsers let any page open a WebSocket to any server, with the cookies that the
user has there. So the server has to look at who asks: a page of its own origin
may, others only if they were named, exactly. What sends no `Origin` is no
browser, unless it brings a cookie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.metrics import Metrics
from rhtmx_server.transports.answers import refuse
from rhtmx_server.transports.heads import HeaderValues
from rhtmx_server.transports.notices import Once

__all__ = ["Origins", "normalise", "refusal"]

_HOST = r"\[[0-9a-f:.]+\]|[a-z0-9._-]+"
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]*)://({_HOST})(?::([0-9]{{1,5}}))?")
_AUTHORITY = re.compile(rf"({_HOST})(?::([0-9]{{1,5}}))?")
_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
_MAX_ECHO = 80
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names by which pages of this machine are called."""


def refusal(
    headers: HeaderValues, allowed: frozenset[str], option: str = "--origin {}"
) -> str | None:
    """Say why a handshake must not be accepted.

    Args:
        headers: of the request.
        allowed: origins besides the server's own, each as `normalise` has it.
        option: by which an operator allows one, with `{}` where it stands.

    Returns:
        The reason, in words; `None` if nothing is wrong.

    Example:
        >>> headers = Headers(Host="localhost:3000", Origin="http://localhost:3000")
        >>> refusal(headers, frozenset()) is None
        True
    """
    origins = headers.get_all("Origin")
    if not origins:
        if "Cookie" in headers:
            return "a cookie without an Origin header: browsers send Origin, others no cookie"
        return None
    if len(origins) > 1:
        return "more than one Origin header"
    # Every file and every sandboxed frame has this one: to allow it would allow them all.
    if origins[0] == "null":
        return (
            "the page has no origin ('null': a file, a sandboxed frame or a data: URL): "
            "serve it over HTTP"
        )
    try:
        origin = normalise(origins[0])
    except ValueError as error:
        return str(error)
    if origin in allowed or _is_own(origin, headers.get_all("Host")):
        return None
    return f"pages from {origin} may not connect: {option.format(origin)} allows it"


def normalise(origin: str) -> str:
    """Write an origin in the one way to compare: lower case, no default port.

    Raises:
        ValueError: it is not one. A path, a wildcard or a user name has no
            place in an origin.

    Example:
        >>> normalise("HTTPS://Example.com:443")
        'https://example.com'
    """
    match = _ORIGIN.fullmatch(origin.lower())
    if match is None:
        raise ValueError(
            f"{origin[:_MAX_ECHO]!r} is not an origin: "
            "scheme, host and port expected, as in https://example.com"
        )
    scheme, host, port = match.groups()
    if port is None or int(port) == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}"


def _is_own(origin: str, hosts: list[str]) -> bool:
    """Whether the page comes from the address that the request was sent to.

    The scheme is not compared: behind a proxy that ends TLS, the server sees
    plain HTTP where the browser saw HTTPS.
    """
    scheme = origin.partition("://")[0]
    # Two `Host` headers: whoever stands in between may have read the other one.
    if scheme not in _DEFAULT_PORTS or len(hosts) != 1:
        return False
    host = hosts[0].lower()
    return _AUTHORITY.fullmatch(host) is not None and origin == normalise(f"{scheme}://{host}")


class Origins:
    """Refuses the handshakes of pages that may not connect.

    Args:
        allowed: origins besides the server's own.
        metrics: counts the refused ones.
        local: the server listens on this machine only. A page elsewhere whose
            name was made to point here (DNS rebinding) has the server's own
            origin, as far as headers tell: so only local names count as own.
        option: by which an operator allows an origin, with `{}` where it stands.

    Raises:
        ValueError: one of `allowed` is not an origin.
    """

    def __init__(
        self,
        allowed: Iterable[str],
        metrics: Metrics,
        *,
        local: bool = False,
        option: str = "--origin {}",
    ) -> None:
        self._allowed = frozenset(normalise(origin) for origin in allowed)
        self._metrics = metrics
        self._local = local
        self._option = option
        self._refused = Once("origins")

    def fine(self, headers: HeaderValues) -> bool:
        """Whether a handshake with these headers is not refused. Nothing is counted or logged."""
        return self._words(headers) is None

    def refuse(self, request: Request) -> Response | None:
        """Return the response that refuses a handshake, `None` if it is fine."""
        words = self._words(request.headers)
        if words is None:
            return None
        self._metrics.handshake_refused("origin")
        origin = ", ".join(request.headers.get_all("Origin"))
        self._refused.warn(origin, f"a handshake was refused: {words}")
        return refuse(RhtmxError(ErrorCode.FORBIDDEN, words))

    def explain(self, headers: Headers) -> Response | None:
        """Return what tells a page why its handshakes are refused, `None` if they are not.

        A browser tells a page nothing about a handshake that failed, so it asks by a plain
        request. Any page may read the answer: it holds what the handshake says to anyone
        who is no page, and no more. It is not counted as a handshake.

        A browser sends no `Origin` when it reads from the page's own address: `Referer` has
        it then, and would allow nothing here.

        Args:
            headers: of the plain request.
        """
        origins = headers.get_all("Origin")
        referers = headers.get_all("Referer")
        referred = _ORIGIN.match(referers[0].lower()) if len(referers) == 1 else None
        if not origins and referred is not None:
            origins = [referred[0]]
        asked = Headers()
        for name, values in (("Host", headers.get_all("Host")), ("Origin", origins)):
            for value in values:
                asked[name] = value
        words = self._words(asked)
        if words is None:
            return None
        readable = ("Access-Control-Allow-Origin", "*")
        return refuse(RhtmxError(ErrorCode.FORBIDDEN, words), headers=[readable])

    def _words(self, headers: HeaderValues) -> str | None:
        return refusal(headers, self._allowed, self._option) or self._rebound(headers)

    def _rebound(self, headers: HeaderValues) -> str | None:
        if not self._local or "Origin" not in headers:
            return None
        origin = normalise(headers.get_all("Origin")[0])
        match = _ORIGIN.fullmatch(origin)
        if origin in self._allowed or (match and match[2] in LOCAL_HOSTS):
            return None
        return f"{origin} is no name of this machine: {self._option.format(origin)} allows the page"

    def foreign_host(self, headers: Headers) -> str | None:
        """Say why a plain read must not be answered: pages send no `Origin` with those.

        A page whose name was made to point here asks for itself, as far as its
        browser can tell; the name stands in `Host`.
        """
        hosts = headers.get_all("Host")
        match = _AUTHORITY.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if not self._local or (match and match[1] in LOCAL_HOSTS):
            return None
        if any(_is_own(origin, hosts) for origin in self._allowed):
            return None
        host = hosts[0][:_MAX_ECHO] if hosts else ""
        option = self._option.format(f"https://{host}")
        words = f"Host {host!r} is no name of this machine: {option} allows it"
        self._refused.warn(f"Host {host}", f"a read was refused: {words}")
        return words

    def cookies_count(self, headers: Headers) -> bool:
        """Whether the cookies of a plain read say who reads.

        Browsers send them also when a page of another site asks. Most tell where the
        page is (`Sec-Fetch-Site`, or `Origin` where it wants to read the answer).
        """
        if "Origin" in headers:
            return (refusal(headers, self._allowed) or self._rebound(headers)) is None
        sites = headers.get_all("Sec-Fetch-Site")
        return all(site in ("none", "same-origin") for site in sites)

    def may_read(self, request: Request) -> str | None:
        """Return the origin of another site's page that was allowed by name.

        That page may also read plain HTTP responses (CORS); pages of the
        server's own origin need no permission.
        """
        origins = request.headers.get_all("Origin")
        try:
            named = len(origins) == 1 and normalise(origins[0]) in self._allowed
        except ValueError:
            return None
        return origins[0] if named else None
