"""Files that are served as they are.

Knows caching and what a page may do (Content Security Policy). Must not know
which files there are, but for the scripts that come with the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from rhtmx_server.transports.answers import answer, entity_tag

__all__ = ["StaticFile", "check_pages", "is_current", "scripts"]

_SCRIPTS = ("client.js", "forms.js")
"""The browser client, and its part for pages that only have forms."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file in memory.

    Args:
        content_type: what it is.
        body: its content.
        tag: its entity tag.
    """

    content_type: str
    body: bytes
    tag: str

    @classmethod
    def of(cls, content_type: str, body: bytes) -> StaticFile:
        """Make a page of a file's content."""
        return cls(content_type, body, entity_tag(body))

    def serve(self, request: Request) -> Response:
        """Answer with the file, or that the browser's copy is still good."""
        # `no-cache` may be kept, but is asked about each time: a new client is there after a
        # deploy.
        headers = [("ETag", self.tag), ("Cache-Control", "no-cache")]
        if self.content_type.startswith("text/html"):
            headers.append(("Content-Security-Policy", _policy(request.headers)))
        if is_current(request.headers, self.tag):
            return answer(HTTPStatus.NOT_MODIFIED, headers=headers)
        return answer(HTTPStatus.OK, self.body, self.content_type, headers)


def check_pages(pages: Mapping[str, tuple[str, bytes]]) -> None:
    """Refuse what could not be served.

    Raises:
        TypeError: a page is not its content type and its body.
        ValueError: a path does not begin with `/`.
    """
    for path, page in pages.items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise ValueError(f"pages[{path!r}]: a path from '/' on expected, as in '/about'")
        kinds = [type(each) for each in page] if isinstance(page, tuple) else [type(page)]
        if kinds != [str, bytes]:
            raise TypeError(
                f"pages[{path!r}]: content type and body expected, as in ('text/html', b'…'), "
                f"got {', '.join(kind.__name__ for kind in kinds)}"
            )


def scripts() -> dict[str, StaticFile]:
    """Return the scripts for pages by their paths; without those that were not built."""
    folder = files("rhtmx_server").joinpath("static")
    return {
        f"/api/{name}": StaticFile.of("text/javascript; charset=utf-8", script.read_bytes())
        for name in _SCRIPTS
        if (script := folder.joinpath(name)).is_file()
    }


def is_current(headers: Headers, tag: str) -> bool:
    """Whether the reader's copy has this tag (RFC 9110 section 13.1.2).

    Args:
        headers: of the request.
        tag: of what is there now.
    """
    tags = [each.strip() for value in headers.get_all("If-None-Match") for each in value.split(",")]
    return "*" in tags or any(each.removeprefix("W/") == tag for each in tags)


def _policy(headers: Headers) -> str:
    """Say what a page may load and whom it may talk to: this server only.

    Not every browser takes `'self'` to include WebSockets of the same host, so
    they are named.
    """
    hosts = headers.get_all("Host")
    sockets = ""
    # What stands in `Host` comes from outside: anything else could write into the policy.
    if len(hosts) == 1 and _AUTHORITY.fullmatch(hosts[0]) is not None:
        sockets = f" ws://{hosts[0]} wss://{hosts[0]}"
    return (
        f"default-src 'self'; connect-src 'self'{sockets}; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
