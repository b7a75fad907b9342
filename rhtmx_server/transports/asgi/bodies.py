"""Plain answers, sent by an ASGI server page by page as they are taken.

Knows when a peer has taken a page, and when it is gone. Must not know paths, nor what an answer
holds. The rules are those of `transports/bodies.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from websockets.http11 import Response

from rhtmx.errors import RhtmxError
from rhtmx_server.failures import unexpected
from rhtmx_server.transports.asgi.events import AsgiEvent, Receive, Send, response_events
from rhtmx_server.transports.bodies import PAGE_BYTES, Streamed

__all__ = ["ResponseSender"]

log = logging.getLogger("rhtmx_server")


class ResponseSender:
    """Sends the answer to one plain request.

    Args:
        receive: ASGI's.
        send: ASGI's.
        patience: seconds that the peer may take nothing.
        stalled: is told when it was cut off for that.
        http: the version that is spoken.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        patience: float,
        stalled: Callable[[], None],
        http: str = "1.1",
    ) -> None:
        self._receive = receive
        self._send = send
        self._patience = patience
        self._stalled = stalled
        self._http = http
        self._timeout = asyncio.timeout(None)
        self._patient = True

    async def send(self, response: Response) -> None:
        """Send a response as it is taken. One that is not whole is left without its end."""
        watching: asyncio.Task[None] | None = None
        try:
            async with self._timeout:
                if isinstance(response, Streamed):
                    watching = asyncio.create_task(self._watch())
                    self._attend(response)
                await self._send_all(response)
        except TimeoutError:
            if not self._patient:
                self._stalled()
        except OSError as failure:
            log.debug("the reader of a plain answer is gone: %s", type(failure).__name__)
        except RhtmxError as error:
            log.warning("a plain answer was cut off: %s", error.message)
        except Exception as failure:
            unexpected(failure, "sending a plain answer")
        finally:
            if watching is not None:
                watching.cancel()
            if isinstance(response, Streamed):
                response.close()

    def _attend(self, response: Streamed) -> None:
        """Be cut off with the rights of whoever reads."""
        if response.visit is not None:
            response.visit.check()
            response.visit.cut = self._cut

    async def _send_all(self, response: Response) -> None:
        start, body = response_events(response, "http.response", self._http)
        await self._put(start)
        first: bytes = body["body"]
        response.body = b""
        del body
        pages = response.pages if isinstance(response, Streamed) else None
        # In pieces, also what is whole: see `BodySender`.
        for begin in range(0, len(first) or 1, PAGE_BYTES):
            piece = first[begin : begin + PAGE_BYTES]
            await self._put(
                _piece(piece, more=pages is not None or begin + PAGE_BYTES < len(first))
            )
        del first
        while pages is not None and not pages.done:
            assert isinstance(response, Streamed)
            page = await response.next()
            await self._put(_piece(page, more=not pages.done))

    async def _put(self, event: AsgiEvent) -> None:
        self._patient = False
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._patience)
        await self._send(event)
        # It may be over just now, because the peer has what it wanted and hangs up.
        if not self._timeout.expired():
            self._timeout.reschedule(None)
            self._patient = True

    async def _watch(self) -> None:
        """Some servers go on to take what is sent to nobody."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._cut()

    def _cut(self) -> None:
        self._patient = True  # not for want of progress
        if not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())


def _piece(page: bytes, *, more: bool) -> AsgiEvent:
    return {"type": "http.response.body", "body": page, "more_body": more}
