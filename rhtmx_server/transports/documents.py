"""The documents about the application's schema, over plain HTTP.

Knows their media types, and how they are kept in caches. Must not know who may read them, nor what
is in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.schema.seen import SeenSchema
from rhtmx_server.transports.answers import JSON, answer, entity_tag, refuse
from rhtmx_server.transports.gzipped import compress
from rhtmx_server.transports.negotiation import choose, takes_gzip
from rhtmx_server.transports.static_files import is_current
from rhtmx_server.transports.target import RequestTarget

__all__ = ["Documents"]

_SCHEMA_JSON = "application/schema+json"
_PROTOBUF = "application/x-protobuf"
_FORMATS = {"json": _SCHEMA_JSON, "protobuf": _PROTOBUF}
_OFFERS = (_SCHEMA_JSON, JSON, _PROTOBUF, "application/protobuf")
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class _Body:
    """A document as it is sent: plain and compressed, each with its entity tag."""

    plain: bytes
    small: bytes
    tag: str

    @classmethod
    def of(cls, content: bytes) -> _Body:
        return cls(content, compress(content, _LEVEL), entity_tag(content))


class Documents:
    """Answers with the documents.

    Args:
        seen: makes them.
        shared: caches of several readers may keep them: nobody is asked who they are.
    """

    def __init__(self, seen: SeenSchema, *, shared: bool) -> None:
        self._seen = seen
        self._cache = "no-cache" if shared else "private, no-cache"
        self._bodies: dict[str, _Body] = {}

    def schema(
        self, request: Request, target: RequestTarget, headers: Iterable[tuple[str, str]]
    ) -> Response:
        """Answer with the schema, in the form that is wanted.

        Args:
            request: says which in `Accept`.
            target: says which in `format`, whatever `Accept` says.
            headers: to send, too.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, the application has no schema; `BAD_MESSAGE`, there is
                no such format.
        """
        if not self._seen.there:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                "this application has no schema: App(schema=…) gives it one that "
                "`rhtmx codegen` has made",
            )
        wanted = _format(target) or choose(request.headers.get_all("Accept"), _OFFERS)
        if wanted is None:
            error = RhtmxError(
                ErrorCode.NOT_SUPPORTED, f"Accept: one of {', '.join(_OFFERS)} expected"
            )
            return refuse(error, HTTPStatus.NOT_ACCEPTABLE, [("Vary", "Accept"), *headers])
        if "protobuf" in wanted:
            return self._send(request, "descriptors", wanted, headers)
        return self._send(request, "json_schema", wanted, headers)

    def asyncapi(self, request: Request, headers: Iterable[tuple[str, str]]) -> Response:
        """Answer with the document of AsyncAPI.

        Args:
            request: it.
            headers: to send, too.
        """
        return self._send(request, "asyncapi", JSON, headers)

    def _send(
        self, request: Request, name: str, content_type: str, headers: Iterable[tuple[str, str]]
    ) -> Response:
        body = self._bodies.get(name) or self._bodies.setdefault(
            name, _Body.of(getattr(self._seen, name))
        )
        small = takes_gzip(request.headers.get_all("Accept-Encoding"))
        # The bytes differ, so the tag does.
        tag = f'{body.tag[:-1]}-gzip"' if small else body.tag
        told = [
            ("ETag", tag),
            ("Cache-Control", self._cache),
            ("Vary", "Accept, Accept-Encoding, Origin"),
            *headers,
        ]
        if is_current(request.headers, tag):
            return answer(HTTPStatus.NOT_MODIFIED, headers=told)
        if small:
            told.append(("Content-Encoding", "gzip"))
        return answer(HTTPStatus.OK, body.small if small else body.plain, content_type, told)


def _format(target: RequestTarget) -> str | None:
    """The media type that a query asks for."""
    values = target.query.get("format")
    if values is None:
        return None
    if len(values) == 1 and values[0] in _FORMATS:
        return _FORMATS[values[0]]
    raise RhtmxError(
        ErrorCode.BAD_MESSAGE,
        f"format: {' or '.join(_FORMATS)} expected, got {', '.join(values)[:40]!r}",
    )
