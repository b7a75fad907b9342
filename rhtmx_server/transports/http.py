"""The plain HTTP door: health, metrics, files, the schema, and the reads of old clients.

Knows paths and methods. Must not know sockets, nor what a store holds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeAlias

from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire import MAX_INTEGER
from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.request import Request as Peer
from rhtmx_server.connections.checks import check_entity, check_name
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.failures import unexpected
from rhtmx_server.metrics import CONTENT_TYPE
from rhtmx_server.model import Granularity
from rhtmx_server.transports.answers import JSON, answer, refuse, without_body
from rhtmx_server.transports.bearer import bearer
from rhtmx_server.transports.bodies import BodyReaders, Pages, Streamed
from rhtmx_server.transports.deprecation import HEADERS
from rhtmx_server.transports.documents import Documents
from rhtmx_server.transports.legacy_reads import Latest, ReadSince
from rhtmx_server.transports.origin import Origins
from rhtmx_server.transports.requests import FOREIGN_SCOPE, UNKNOWN, Remote, request_of_http
from rhtmx_server.transports.static_files import StaticFile, scripts
from rhtmx_server.transports.target import RequestTarget, parse_target

__all__ = ["Http"]

_NOT_READY = b"not ready: starting, stopping, or unable to write (the log says why)\n"
_METHODS = ("GET", "HEAD")
_VERSION = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and where it came from.

    Args:
        request: the request.
        remote: where it came from.
    """

    request: Request
    remote: Remote


class Http:
    """Answers every request that does not open a WebSocket.

    Args:
        services: the server.
        pages: files besides the scripts for pages: path to content type and body.
        ready: whether the server takes connections.
        origins: who may read; by default whoever asks.

    Raises:
        ValueError: one of the configured origins is not an origin.
    """

    def __init__(
        self,
        services: Services,
        pages: Mapping[str, tuple[str, bytes]],
        ready: Callable[[], bool],
        origins: Origins | None = None,
    ) -> None:
        self._services = services
        self._ready = ready
        self._origins = origins or Origins(services.config.origins, services.metrics)
        self._documents = Documents(services.seen, shared=services.authenticate is None)
        self.readers = BodyReaders()
        self._pages = {path: StaticFile.of(*page) for path, page in pages.items()}
        without = services.config.without
        self._routes = [(path, serve) for path, part, serve in _ROUTES if part not in without]
        if "client" not in without:
            self._pages = {**scripts(), **self._pages}

    async def __call__(self, request: Request, remote: Remote = UNKNOWN) -> Response:
        """Answer a request; never raises.

        Args:
            request: the request.
            remote: where it came from.
        """
        try:
            response = await self._answer(Asked(request, remote))
        except RhtmxError as error:
            response = refuse(error, headers=self._readable(request))
        except Exception as failure:
            response = refuse(unexpected(failure, "answering an HTTP request"))
        # HEAD is answered as GET, and loses its body last: so its headers are the same.
        if request.method != "HEAD":
            return response
        if isinstance(response, Streamed):
            response.close()
        return without_body(response)

    async def _answer(self, asked: Asked) -> Response:
        request = asked.request
        if request.method not in _METHODS:
            error = RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"method: {' or '.join(_METHODS)} expected; writes go over the WebSocket "
                f"{asked.remote.prefix}/api/ws",
            )
            allow = ("Allow", ", ".join(_METHODS))
            return refuse(error, HTTPStatus.METHOD_NOT_ALLOWED, [allow])
        target = parse_target(request.path)
        page = self._pages.get("/" + "/".join(target.segments))
        if page is not None:
            return page.serve(request)
        for pattern, handler in self._routes:
            if _matches(pattern, target.segments):
                return await handler(self, asked, target)
        if "Origin" in request.headers:
            # A page of another site that looks for the socket in the wrong place: first of all
            # it may not have one. It may read that, and not what there is on this server.
            refused = self._origins.explain(request.headers)
            if refused is not None:
                return refused
        where = asked.remote.prefix + target.path
        raise RhtmxError(ErrorCode.NOT_SUPPORTED, f"there is nothing at {where[:80]!r}")

    # What is for operators.

    async def _health(self, asked: Asked, target: RequestTarget) -> Response:
        return answer(HTTPStatus.OK, b"ok\n")

    async def _readiness(self, asked: Asked, target: RequestTarget) -> Response:
        if self._ready():
            return answer(HTTPStatus.OK, b"ready\n")
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_READY)

    async def _metrics(self, asked: Asked, target: RequestTarget) -> Response:
        return answer(HTTPStatus.OK, self._services.metrics.render(), CONTENT_TYPE)

    # What is for programs that know only what they find here.

    async def _schema(self, asked: Asked, target: RequestTarget) -> Response:
        await self._authorise(asked)
        return self._documents.schema(asked.request, target, self._readable(asked.request))

    async def _asyncapi(self, asked: Asked, target: RequestTarget) -> Response:
        await self._authorise(asked)
        return self._documents.asyncapi(asked.request, self._readable(asked.request))

    # What is for old clients.

    async def _records(self, asked: Asked, target: RequestTarget) -> Response:
        return await self._since(asked, target, Granularity.RECORDS)

    async def _fields(self, asked: Asked, target: RequestTarget) -> Response:
        return await self._since(asked, target, Granularity.FIELDS)

    async def _since(
        self, asked: Asked, target: RequestTarget, granularity: Granularity
    ) -> Response:
        def pages(reading: Reading) -> Pages:
            since = _since(target)
            return ReadSince(self._services, reading.entity, since, granularity, reading)

        return await self._read(asked, target, granularity, pages)

    async def _latest(self, asked: Asked, target: RequestTarget) -> Response:
        def pages(reading: Reading) -> Pages:
            entity_id = check_name("entity_id", target.segments[3])
            return Latest(self._services, reading.entity, entity_id, reading)

        return await self._read(asked, target, Granularity.FIELDS, pages)

    async def _read(
        self,
        asked: Asked,
        target: RequestTarget,
        granularity: Granularity,
        pages: Callable[[Reading], Pages],
    ) -> Response:
        """Answer with what whoever asks may read of an entity."""
        grant, until = await self._authorise(asked)
        visit = self._services.visits.enter(grant, until)
        try:
            entity = self._entity(target, granularity)
            visit.reading = await self._services.reading(entity, grant)
            reached = self._services.reached([entity], {entity: _since(target)})
            if reached is not None:
                await reached
            return await self._legacy(asked.request, pages(visit.reading), visit)
        except BaseException:
            visit.leave()
            raise

    async def _authorise(self, asked: Asked) -> tuple[Grant, float | None]:
        """Ask who reads, where the server asks at all (RFC 6750 section 2.1)."""
        request = asked.request
        foreign = self._origins.foreign_host(request.headers)
        if foreign is not None:
            raise RhtmxError(ErrorCode.FORBIDDEN, foreign)
        if self._services.authenticate is None:
            return GUEST, None
        peer = self._peer(asked)
        patience = self._services.config.handshake_timeout
        try:
            async with asyncio.timeout(patience) as timeout:
                return await self._services.grant(peer)
        except TimeoutError:
            if not timeout.expired():
                raise  # the app's own
            raise RhtmxError(
                ErrorCode.TIMEOUT, f"the token could not be checked in {patience:g} s: try again"
            ) from None

    def _peer(self, asked: Asked) -> Peer:
        """What the request says of who reads; its cookies only if they count."""
        request = asked.request
        peer = request_of_http(request, asked.remote, "http")
        if not self._origins.cookies_count(request.headers):
            headers = {name: value for name, value in peer.headers.items() if name != "cookie"}
            # Nor what a host knows of who asks: it knows that by the cookies.
            peer = replace(peer, headers=headers, cookies={}, scope=FOREIGN_SCOPE)
        known_otherwise = peer.cookies or peer.certificate or peer.scope
        if "authorization" not in peer.headers and known_otherwise:
            return peer
        return replace(peer, token=bearer(request.headers.get_all("Authorization")))

    def _entity(self, target: RequestTarget, granularity: Granularity) -> str:
        entity = check_entity("entity", target.segments[2])
        self._services.known(entity, granularity)
        return entity

    async def _legacy(self, request: Request, pages: Pages, visit: Visit) -> Response:
        """Answer with the first page; the others are made when it is taken."""
        self.readers.enter()
        try:
            first = await self.readers.page(pages)
            visit.check()  # its rights may have changed while it waited for its turn
        except BaseException:
            self.readers.leave()
            raise
        self._services.metrics.legacy_user("http")
        headers = [*HEADERS, ("Vary", "Origin"), *self._readable(request)]
        whole = answer(HTTPStatus.OK, first, JSON, headers)
        return Streamed.of(whole, self.readers, pages, visit)

    def _readable(self, request: Request) -> list[tuple[str, str]]:
        """What lets a page of another site read the answer, if that was allowed by name."""
        origin = self._origins.may_read(request)
        return [] if origin is None else [("Access-Control-Allow-Origin", origin)]


def _matches(pattern: str, segments: tuple[str, ...]) -> bool:
    parts = pattern[1:].split("/")
    return len(parts) == len(segments) and all(
        part in ("*", segment) for part, segment in zip(parts, segments, strict=True)
    )


def _since(target: RequestTarget) -> int:
    """Return the `since` of a query; 0 where there is none: the client has nothing."""
    values = target.query.get("since", ["0"])
    value = values[0]
    if len(values) == 1 and _VERSION.fullmatch(value) and int(value) <= MAX_INTEGER:
        return int(value)
    raise RhtmxError(
        ErrorCode.BAD_MESSAGE,
        f"since: one version from 0 to {MAX_INTEGER} expected, got {', '.join(values)[:40]!r}",
    )


_Serve: TypeAlias = Callable[[Http, Asked, RequestTarget], Awaitable[Response]]

_ROUTES: tuple[tuple[str, str, _Serve], ...] = (
    ("/healthz", "health", Http._health),
    ("/readyz", "health", Http._readiness),
    ("/metrics", "metrics", Http._metrics),
    ("/api/schema", "schema", Http._schema),
    ("/api/asyncapi", "schema", Http._asyncapi),
    ("/api/sync/*", "reads", Http._records),
    ("/api/field-sync/*", "reads", Http._fields),
    ("/api/field-sync/*/*/latest", "reads", Http._latest),
)
"""Each with the part of the server that it belongs to (`Config.without`)."""
