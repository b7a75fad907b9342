"""Reads the schema that a server serves, over plain HTTP.

Knows the address of the document beside the WebSocket's, and what an answer means. Must not know
what the document says.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from rhtmx.core.address import shown
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["SchemaSource", "schema_url"]

_MOST = 16 * 2**20
"""Bytes of a document."""

_NO_SCHEMA = (
    "the application has no schema, and tools are made from one: write its entities and forms as "
    "protobuf messages, generate code with `rhtmx codegen`, and give it to App(schema=…)"
)


def schema_url(url: str) -> str:
    """Where the schema is: beside the WebSocket.

    Args:
        url: of the WebSocket.

    Example:
        >>> schema_url("wss://ada:pw@example.com/live/api/ws?room=1")
        'https://ada:pw@example.com/live/api/schema?room=1'
    """
    parts = urlsplit(url)
    path = f"{parts.path.rpartition('/')[0]}/schema"
    scheme = "https" if parts.scheme == "wss" else "http"
    return urlunsplit(parts._replace(scheme=scheme, path=path))


class _StaysThere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for this server only."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """Where a schema is read.

    Attributes:
        url: of the WebSocket.
        ssl: what TLS is done with; `None`: with what the system has.
        timeout: seconds to wait for an answer.
    """

    url: str
    ssl: ssl.SSLContext | None
    timeout: float

    async def read(self, token: str | None) -> bytes:
        """Read the document.

        Args:
            token: the bearer token.

        Raises:
            ConnectionClosed: nobody answers there.
            RhtmxError: the server does not give it.
        """
        return await asyncio.to_thread(self._read, token)

    def _read(self, token: str | None) -> bytes:
        parts = urlsplit(schema_url(self.url))
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        headers = {"Accept": "application/schema+json", **_who(parts, token)}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (http or https)
        tls = urllib.request.HTTPSHandler(context=self.ssl)
        opener = urllib.request.build_opener(tls, _StaysThere)
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                text: bytes = answer.read(_MOST + 1)
        except urllib.error.HTTPError as answer:
            with answer:
                self._refuse(answer)
        except (OSError, http.client.HTTPException) as failure:
            reason = getattr(failure, "reason", failure)
            raise ConnectionClosed(
                f"the schema of the application cannot be read from '{shown(url)}': {reason}"
            ) from None
        if len(text) > _MOST:
            raise RhtmxError(
                ErrorCode.TOO_LARGE,
                f"'{shown(url)}': a schema of at most {_MOST} bytes expected",
            )
        return text

    def _refuse(self, answer: urllib.error.HTTPError) -> NoReturn:
        said = _said(answer)
        url = shown(schema_url(self.url))
        # A server of ours says what it has not; anything else has another page there, or none.
        if answer.code == 404 and said.get("code") == "not_supported":
            raise RhtmxError(ErrorCode.NOT_SUPPORTED, f"'{url}': {_NO_SCHEMA}")
        code = {401: ErrorCode.UNAUTHENTICATED, 403: ErrorCode.FORBIDDEN}.get(answer.code)
        words = f": {said['message']}" if said.get("message") else ""
        raise RhtmxError(
            code or ErrorCode.NOT_SUPPORTED,
            f"'{url}', where the schema of the application is looked for, answered HTTP "
            f"{answer.code} {answer.reason}{words}",
        )


def _who(parts: SplitResult, token: str | None) -> dict[str, str]:
    """Who asks: a name and a password in the address, or a token."""
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _said(answer: urllib.error.HTTPError) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.read(65_536))
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return found if isinstance(found, dict) else {}
