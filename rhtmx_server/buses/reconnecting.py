"""A bus over whatever carries it, which connects again and again.

Knows what waits to be sent, and when to connect. Must not know what carries the messages: a
`Carrier` makes connections, and each `Line` is one of them.

The libraries of the carriers connect again by themselves, too, and are not asked to: what they
do meanwhile with messages that wait, and when they give up, differs.

=========  =========================  ==================  ===================  ==========
state      `open`                     a line is lost      a line is made       `close`
=========  =========================  ==================  ===================  ==========
new        connected; away where      -                   -                    closed
           nobody is there; new
           where nothing will help
connected  -                          away, what waits    -                    closed
                                      is dropped
away       -                          -                   connected, `missed`  closed
                                                          is called
closed     -                          -                   -                    closed
=========  =========================  ==================  ===================  ==========
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.buses.backoff import pause
from rhtmx_server.buses.listener import Listener
from rhtmx_server.buses.outbound import Outbound
from rhtmx_server.failures import report

__all__ = ["BusLost", "BusRefused", "Carrier", "Line", "ReconnectingBus"]

log = logging.getLogger("rhtmx_server")

_ROOM = 4 << 20
"""Bytes that may wait to be sent."""

_BATCH = 256 << 10
"""Bytes that are sent before the loop has its turn."""

_ASK_EVERY = 2.0
"""Seconds after which a line on which nothing is sent is asked whether it is still there."""

_STABLE = 10.0
"""Seconds that a line has to last before the next one is tried for at once."""

_CLOSING = 3.0
"""Seconds for a line to be closed."""


class BusLost(Exception):  # noqa: N818 (what happened)
    """There is no connection, or not any more: to be tried again. Its text says why."""


class BusRefused(Exception):  # noqa: N818 (what happened)
    """There is no connection, and no other try will mend it. Its text says what to do."""


class Line(Protocol):
    """One connection, from when it is made until it is lost."""

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries."""

    def alive(self) -> bool:
        """Whether it is there, as far as is known."""

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send messages in this order. With none of them: ask whether it is still there.

        Args:
            messages: each of at most `most_bytes`.

        Raises:
            BusLost: it is not. Some of the messages may have been sent.
        """

    async def close(self) -> None:
        """Let go of it, whatever waits to be sent, within a second or so."""


class Carrier(Protocol):
    """Makes connections."""

    @property
    def most_bytes(self) -> int:
        """The largest message that a connection of it may ever carry."""

    async def connect(self, listener: Listener) -> Line:
        """Make a connection on which `listener` hears the others from now on.

        Raises:
            BusLost: nobody is there, or not in time.
            BusRefused: somebody is, and does not want us.
        """


class ReconnectingBus:
    """A bus over a carrier; see `rhtmx_server.ports.Bus`.

    Args:
        carrier: makes its connections.
        chance: gives a random number from 0 to 1, 1 excluded, each time it is called.
    """

    def __init__(self, carrier: Carrier, chance: Callable[[], float] = random.random) -> None:
        self._carrier = carrier
        self._chance = chance
        self._outbound = Outbound(_ROOM)
        self._wake = asyncio.Event()
        self._line: Line | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._closed = False
        self._dropped = 0
        self._told = ""

    def __repr__(self) -> str:
        return f"<ReconnectingBus {self._carrier!r}>"

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries now."""
        return (self._line or self._carrier).most_bytes

    @property
    def dropped(self) -> int:
        """How many messages have been dropped."""
        return self._dropped

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        """Connect, or go on trying to.

        Raises:
            ValueError: a name that is not spelt as names are.
            RhtmxError: `STORAGE_FAILED`, no other try will mend it.
        """
        listener = Listener(
            cluster,
            node,
            self._guarded(heard, "what another node has told was not taken"),
            self._guarded(missed, "that messages may have been lost was not taken"),
            self._wake.set,
        )
        try:
            self._line = await self._carrier.connect(listener)
        except BusRefused as error:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, str(error)) from error
        except BusLost as error:
            self._away(error)
        if self._closed:  # meanwhile
            await self.close()
        else:
            self._keeping = asyncio.create_task(self._keep(listener))

    def announce(self, message: bytes) -> None:
        """Send a message, or drop it and count that."""
        line = self._line
        if (
            line is not None
            and line.alive()
            and len(message) <= line.most_bytes
            and self._outbound.put(message)
        ):
            self._wake.set()
        else:
            self._dropped += 1

    def ready(self) -> bool:
        """Whether it is connected, as far as is known."""
        return self._line is not None and self._line.alive()

    async def close(self) -> None:
        """Disconnect. Nothing is heard any more."""
        self._closed = True
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])  # it is quick: see `_let_go`
        line, self._line = self._line, None
        if line is not None:  # nobody has begun to use it
            await _let_go(line)

    async def _keep(self, listener: Listener) -> None:
        """Use a line, and make another one when it is lost."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            since = loop.time()
            if self._line is not None:
                await self._use(self._line)
                if loop.time() - since >= _STABLE:
                    failures = 0
            await asyncio.sleep(pause(failures, self._chance()))
            failures += 1
            try:
                self._line = await self._carrier.connect(listener)
            except (BusLost, BusRefused) as error:
                self._away(error)
            else:
                self._told = ""
                log.info("the bus is connected again: %r", self._carrier)
                listener.missed()

    async def _use(self, line: Line) -> None:
        """Send what is announced, until the line is lost."""
        try:
            while True:
                await self._woken()
                await self._send(line)
                await asyncio.sleep(0)  # many messages may be sent without any waiting
        except BusLost as error:
            self._away(error)
        finally:
            self._line = None
            self._dropped += self._outbound.clear()  # too late to be of use to anybody
            await _let_go(line)

    async def _woken(self) -> None:
        """Wait until something is to be sent, the line has ended, or it has to be asked."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ASK_EVERY):
                await self._wake.wait()
        self._wake.clear()

    async def _send(self, line: Line) -> None:
        messages = self._outbound.take(_BATCH)
        if len(self._outbound):
            self._wake.set()
        try:
            await line.send(messages)
        except BaseException:
            self._dropped += len(messages)
            raise

    def _away(self, error: Exception) -> None:
        """Say once why it is not connected."""
        words = str(error)
        if words != self._told:
            log.warning("the bus is not connected, and is tried again: %s", words)
        self._told = words

    def _guarded(self, called: Callable[..., None], failing: str) -> Callable[..., None]:
        """Have a function of the program neither end a connection, nor be called after `close`."""

        def call(*arguments: object) -> None:
            if not self._closed:
                try:
                    called(*arguments)
                except Exception as error:
                    report(error, failing)

        return call


async def _let_go(line: Line) -> None:
    """Close a line, whatever it takes, but not for long."""
    try:
        async with asyncio.timeout(_CLOSING):
            await line.close()
    except TimeoutError:
        log.warning("a connection of the bus was not closed in time")
    except Exception as error:
        report(error, "closing a connection of the bus failed")
