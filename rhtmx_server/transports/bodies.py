"""Bodies of plain answers, sent page by page as they are taken.

Knows how a body is framed (RFC 9112 sections 6 and 7.1) and when its peer has
taken it. Must not know paths, nor what a body holds.

The `websockets` library sends an answer as one string (17.4,
`Response.serialize`), and keeps what the peer does not read. Here a page is
made when the one before has left this process:

=================  ===========================================================
a reader           …
=================  ===========================================================
wants a page       waits in line: at most so many pages are made at a time
has its page       holds it until it is taken, and nothing else
takes nothing      is cut off after `stall_timeout` seconds, and counted
is gone            is let go without a word
is one too many    is refused (`TOO_MANY_REQUESTS`): see `BodyReaders.enter`
has lost a right   is cut off before the next page, or at once if that is told
                   (`Visit`)
=================  ===========================================================

If a page cannot be made the connection is cut: a body without its end is not
taken for a whole one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.visits import Visit
from rhtmx_server.failures import unexpected

__all__ = ["PAGE_BYTES", "BodyReaders", "BodySender", "Pages", "Streamed"]

log = logging.getLogger("rhtmx_server")

PAGE_BYTES = 64 * 1024
"""About what a page weighs: what each reader may cost that takes nothing."""

READS_AT_A_TIME = 2
"""Pages that are made at a time."""

READERS = 256
"""Readers at a time that are being served."""

_RETRY = 1.0
"""Seconds after which a reader may come again for whom there was no place."""


class Pages(Protocol):
    """What makes a body."""

    done: bool
    """Whether the last page was made."""

    async def next(self) -> bytes:
        """Make the next page.

        Raises:
            RhtmxError: it cannot be made.
        """


class BodyReaders:
    """Those for whom a body is made, and whose turn it is.

    Args:
        most: how many at a time.
        at_a_time: how many pages are made at a time.
    """

    def __init__(self, most: int = READERS, at_a_time: int = READS_AT_A_TIME) -> None:
        self._most = most
        self._turns = asyncio.Semaphore(at_a_time)
        self.present = 0

    def enter(self) -> None:
        """Take one more; `leave` is to be called for it, once.

        Raises:
            RhtmxError: `TOO_MANY_REQUESTS`.
        """
        if self.present >= self._most:
            raise RhtmxError(
                ErrorCode.TOO_MANY_REQUESTS,
                f"{self._most} reads are under way already: try again",
                retry_after=_RETRY,
            )
        self.present += 1

    def leave(self) -> None:
        """One has what it wanted, or is gone."""
        self.present -= 1

    async def page(self, pages: Pages) -> bytes:
        """Make a page when it is its turn."""
        async with self._turns:
            page = await pages.next()
            await asyncio.sleep(0)  # the loop serves everyone else between two pages
            return page


@dataclass
class Streamed(Response):
    """A response to one of the readers; `body` holds the first page.

    Args:
        readers: where it has its place.
        pages: make the rest; `None` if the first page is all of it.
        visit: of its reader.
    """

    readers: BodyReaders | None = None
    pages: Pages | None = None
    visit: Visit | None = None

    @classmethod
    def of(
        cls, first: Response, readers: BodyReaders, pages: Pages, visit: Visit | None = None
    ) -> Streamed:
        """Make one of a response to the first page; its length is known if that is all."""
        if not pages.done:
            del first.headers["Content-Length"]
        more = None if pages.done else pages
        return cls(
            first.status_code,
            first.reason_phrase,
            first.headers,
            first.body,
            readers=readers,
            pages=more,
            visit=visit,
        )

    async def next(self) -> bytes:
        """Make the next page, for a reader who may still have it.

        Raises:
            RhtmxError: it cannot be made, or its reader may not have it any more.
        """
        assert self.readers is not None
        assert self.pages is not None
        if self.visit is not None:
            await self.visit.require()
        return await self.readers.page(self.pages)

    def close(self) -> None:
        """Give the place back. May be called twice."""
        readers, self.readers = self.readers, None
        if readers is not None:
            readers.leave()
        if self.visit is not None:
            self.visit.leave()


class _GoneError(Exception):
    """The peer is gone, or was cut off."""


class BodySender:
    """Sends the answer to one plain request.

    Args:
        socket: where to. It reads nothing meanwhile.
        patience: seconds that the peer may take nothing.
        stalled: is told when it was cut off for that.
    """

    def __init__(
        self, socket: ServerConnection, patience: float, stalled: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._transport = socket.transport
        self._patience = patience
        self._stalled = stalled

    async def send(self, request: Request, response: Response) -> Response:
        """Send a response as it is taken.

        Returns:
            What stands for it at the library, which ends the connection.
        """
        try:
            if self._transport.is_closing():
                raise _GoneError  # uvloop 0.23 sets no limits then, it raises
            # What was taken over by the system is out of this process.
            self._transport.set_write_buffer_limits(high=0)
            if isinstance(response, Streamed) and response.visit is not None:
                response.visit.check()
                response.visit.cut = self._transport.abort
            if isinstance(response, Streamed) and response.pages is not None:
                await self._send_pages(request, response, response.pages)
            else:
                await self._send_whole(response)
        except _GoneError:
            self._transport.abort()
        except Exception as failure:
            self._cut(request, failure)
        finally:
            if isinstance(response, Streamed):
                response.close()
        if not self._transport.is_closing():
            self._transport.resume_reading()  # to see that the peer has hung up
        return _Sent(response.status_code, response.reason_phrase, response.headers)

    async def _send_whole(self, response: Response) -> None:
        body = memoryview(response.body)
        # In pieces, also what is whole: a peer that takes nothing costs one of them, not the body.
        self._put(_head(response) + body[:PAGE_BYTES])
        await self._taken()
        for start in range(PAGE_BYTES, len(body), PAGE_BYTES):
            self._put(body[start : start + PAGE_BYTES])
            await self._taken()

    async def _send_pages(self, request: Request, response: Streamed, pages: Pages) -> None:
        # To an old client the end of the connection is that of the body (RFC 9112 section 6.3).
        chunked = request.protocol != "HTTP/1.0"
        if chunked:
            response.headers["Transfer-Encoding"] = "chunked"
        first, response.body = bytes(response.body), b""
        self._put(_head(response) + (_chunk(first, last=False) if chunked else first))
        del first  # nothing but what the peer has yet to take is kept while it does
        await self._taken()
        while not pages.done:
            page = await response.next()
            self._put(_chunk(page, last=pages.done) if chunked else page)
            del page
            await self._taken()

    def _put(self, data: bytes | memoryview) -> None:
        if self._transport.is_closing() or self._socket.protocol.eof_sent:
            raise _GoneError
        self._transport.write(data)

    async def _taken(self) -> None:
        """Wait until the system has taken over what was written."""
        socket, transport = self._socket, self._transport
        while socket.paused:
            left = transport.get_write_buffer_size()
            try:
                async with asyncio.timeout(self._patience) as timeout:
                    await socket.drain()
            except OSError:  # of the network, or `TimeoutError`
                # It took something: its time begins anew.
                if timeout.expired() and transport.get_write_buffer_size() < left:
                    continue
                if timeout.expired():
                    self._stalled()
                raise _GoneError from None

    def _cut(self, request: Request, failure: Exception) -> None:
        path = request.path.partition("?")[0][:80]
        if isinstance(failure, RhtmxError):
            log.warning("the answer to GET %r was cut off: %s", path, failure.message)
        else:
            unexpected(failure, f"sending the answer to GET {path!r}")
        self._transport.abort()


class _Sent(Response):
    """A response that has been sent already.

    To the library it is an answer like any other: it ends the connection after it.
    """

    def serialize(self) -> bytes:
        return b""


def _head(response: Response) -> bytes:
    return Response(response.status_code, response.reason_phrase, response.headers).serialize()


def _chunk(page: bytes, *, last: bool) -> bytes:
    """Frame a page; an empty chunk would be the end (RFC 9112 section 7.1)."""
    chunk = b"%x\r\n%b\r\n" % (len(page), page) if page else b""
    return chunk + b"0\r\n\r\n" if last else chunk
