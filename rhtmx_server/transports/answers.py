"""Plain HTTP responses, with the headers that all of them carry.

Knows status codes, and which error code means which of them. Must not know
paths, nor why something is answered.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import error_message

__all__ = [
    "JSON",
    "SERVER",
    "TEXT",
    "ErrorResponse",
    "answer",
    "entity_tag",
    "refuse",
    "without_body",
]

SERVER = "rhtmx"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_STATUS: Mapping[ErrorCode, HTTPStatus] = {
    ErrorCode.BAD_MESSAGE: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.UNKNOWN_ENTITY: HTTPStatus.NOT_FOUND,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_SUPPORTED: HTTPStatus.NOT_FOUND,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.TOO_MANY_REQUESTS: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.TIMEOUT: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.STORAGE_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.SHUTTING_DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
}


def answer(
    status: HTTPStatus,
    body: bytes = b"",
    content_type: str = TEXT,
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """Build a response. The library serves one request for each connection.

    Args:
        status: its code.
        body: its content.
        content_type: what that is.
        headers: to send besides those that every response has; a
            `Cache-Control` here takes the place of `no-store`.
    """
    fields = Headers(
        [
            ("Date", formatdate(usegmt=True)),
            ("Connection", "close"),
            ("Server", SERVER),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        ]
    )
    for name, value in headers:
        fields[name] = value
    # Figures and records are of this moment, and of whoever asked.
    if "Cache-Control" not in fields:
        fields["Cache-Control"] = "no-store"
    # A 304 has no body, and a length there would be that of the one left out (RFC 9110, 15.4.5).
    if status is not HTTPStatus.NOT_MODIFIED:
        fields["Content-Type"] = content_type
        fields["Content-Length"] = str(len(body))
    return Response(status.value, status.phrase, fields, body)


@dataclass
class ErrorResponse(Response):
    """A response that reports an error.

    Args:
        error: what it reports, for a door that cannot send a response.
    """

    error: RhtmxError = field(kw_only=True)


def refuse(
    error: RhtmxError,
    status: HTTPStatus | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> ErrorResponse:
    """Build the response for an error: its body is the `error` message as JSON.

    Args:
        error: what went wrong.
        status: its code, where the error's own does not say enough.
        headers: as for `answer`.
    """
    if status is None:
        status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.UNAUTHORIZED:
        headers = [*headers, ("WWW-Authenticate", "Bearer")]
    if error.retry_after is not None:
        headers = [*headers, ("Retry-After", str(math.ceil(error.retry_after)))]
    said = answer(status, wire.encode_json(error_message(error)), JSON, headers)
    return ErrorResponse(said.status_code, said.reason_phrase, said.headers, said.body, error=error)


def without_body(response: Response) -> Response:
    """Turn the response to a GET into the response to a HEAD (RFC 9110 section 9.3.2)."""
    return Response(response.status_code, response.reason_phrase, response.headers)


def entity_tag(body: bytes) -> str:
    """Return the strong entity tag of a body (RFC 9110 section 8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
