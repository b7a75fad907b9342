"""Keeps a session connected.

Knows the loop, the socket and the clock. Must not know the protocol: it carries
messages between a socket and a session, and does what the session says about
time. One task runs everything; a second one writes while there is a socket.

The states are the session's; this is what is done in each, and what ends it:

============  ==================================  ===================================
state         what the task does                  ends with
============  ==================================  ===================================
`CONNECTING`  asks for a token, connects, says    `welcome`; the failure; `offline`
              `hello`
`OPEN`        reads; the second task writes       the socket's end; silence; `offline`
              whenever `to_send` is set
`WAITING`     waits as long as the session says   the time; `_nudge`, by `online` or
                                                  after a sleep of the machine
`OFFLINE`     waits                               `_nudge`, by `online`
`CLOSED`      has ended                           never
============  ==================================  ===================================
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from websockets.exceptions import ConnectionClosed as SocketClosed

from rhtmx.core.build_message import checked_token
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Received, State
from rhtmx.core.newer_notes import NewerNotes
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.runtime.alarm import Alarm, mind_sleep
from rhtmx.runtime.connection_problem import ConnectionProblem
from rhtmx.runtime.endpoint import ClientSocket, Endpoint
from rhtmx.runtime.handshake import (
    DialError,
    hang_up,
    never_opened,
    oversize,
)
from rhtmx.runtime.handshake_deadline import HandshakeDeadline
from rhtmx.runtime.session_driver import SessionDriver
from rhtmx.wire import ClientMessage, Format, ServerMessage, ServerReader, encode

__all__ = ["Connection"]

log = logging.getLogger("rhtmx")


class Connection:
    """The connection of one client, made again whenever it is lost.

    Args:
        driver: is told what happens, and has what is to be sent.
        endpoint: where to connect to.
        become: is told of each new state.
        token: gets the token for the next connection, if it changes.

    Attributes:
        problem: why there is no connection.
    """

    def __init__(
        self,
        driver: SessionDriver,
        endpoint: Endpoint,
        become: Callable[[State], None],
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._driver = driver
        self._session = driver.session
        self._endpoint = endpoint
        self._become = become
        self._token = token
        self._notes = NewerNotes()
        self._loop = asyncio.get_running_loop()
        self._opened = asyncio.Event()
        self._nudge = asyncio.Event()
        self._patient = True
        self._attempting: asyncio.Task[float | None] | None = None
        self._alarm = Alarm(driver, endpoint.shown)
        self._haste = HandshakeDeadline()
        self.problem = ConnectionProblem()
        self._closing = False
        self._farewells: list[bytes] = []
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect for the first time. It is not tried again if it fails.

        Raises:
            ConnectionClosed: it failed.
        """
        self._patient = False
        self._task = self._loop.create_task(self._run())
        self._task.add_done_callback(lambda _: self._opened.set())
        try:
            async with asyncio.timeout(2 * self._endpoint.open_timeout):
                await self._opened.wait()
        except TimeoutError:
            self._session.close(
                ConnectionClosed(f"'{self._endpoint.shown}' did not answer the client's hello")
            )
        except BaseException:
            await self.close()
            raise
        if self._session.error is not None:
            await self.close()
            raise self._session.error.with_traceback(None)

    def start(self) -> None:
        """Connect as soon as that is possible; do not wait for it."""
        self._task = self._loop.create_task(self._run())

    def offline(self) -> None:
        """Let go of the connection, and make none until `online`."""
        self._session.offline(self._loop.time())
        self._become(self._session.state)
        if self._attempting is not None:
            self._attempting.cancel()

    def online(self) -> None:
        """Connect at once; a connection that there is has to prove itself."""
        self._session.online()
        self._rouse()

    async def close(self) -> None:
        """End the session and the connection."""
        if not self._closing:
            self._closing = True
            farewells = self._session.rooms.farewells()
            self._farewells = [encode(each, self._endpoint.format) for each in farewells]
            self._session.close()
            self.end()
        if self._task is not None and not self._task.done():
            # No `gather`: that hands a cancellation on, and what asks for a token may close.
            await asyncio.wait({self._task})

    def end(self) -> None:
        """Let go of the connection, and make no other; wait for nothing."""
        if self._task is not None:
            self._task.cancel()

    def _rouse(self) -> None:
        """What waits for its time connects now, and what is open has to prove itself."""
        self._session.wake(self._loop.time())
        if not self._is_first:
            self._haste.hurry()
        self._nudge.set()
        self._driver.to_send.set()

    async def _run(self) -> None:
        watch = self._loop.create_task(mind_sleep(self._rouse))
        try:
            while self._session.error is None:
                if self._session.state is State.OFFLINE:
                    self._nudge.clear()
                    await self._nudge.wait()
                    continue
                self._session.connecting()
                self._become(State.CONNECTING)
                wait = await self._undisturbed()
                if wait is not None and self._session.state is State.WAITING:
                    self._become(State.WAITING)
                    self._nudge.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self._nudge.wait()
            if not self._closing and not self._is_first:  # else it is raised to whoever asked
                name = self._endpoint.shown
                log.error("the client of '%s' has ended: %s", name, self._session.error)
        except Exception as error:
            log.exception("the client of '%s' failed", self._endpoint.shown)
            self._session.close(ConnectionClosed(f"the client failed: {error!r}"))
        finally:
            # If it was not closed, somebody has cancelled it, as `asyncio.run` does at its end.
            self._session.close(ConnectionClosed("the client has ended: its task was cancelled"))
            watch.cancel()
            self._become(State.CLOSED)

    async def _undisturbed(self) -> float | None:
        """Connect and converse, in a task of its own: going offline cancels only that."""
        self._attempting = self._loop.create_task(self._attempt())
        try:
            await asyncio.wait({self._attempting})
        except BaseException:
            self._attempting.cancel()
            await asyncio.wait({self._attempting})
            raise
        return None if self._attempting.cancelled() else self._attempting.result()

    async def _attempt(self) -> float | None:
        """Connect and converse; returns after how many seconds to do it again, if at all."""
        try:
            self._session.token = await self._fresh_token()
            socket = await self._haste.limit(self._endpoint.dial())
        except DialError as error:
            if error.final or self._is_first:
                self._session.close(ConnectionClosed(str(error), code=error.code))
            # A server that has never been there may as well not have been started.
            passes = error.usual and self._opened.is_set()
            self._trouble(error.code, str(error), logging.INFO if passes else logging.WARNING)
            return self._session.lost(self._loop.time())
        self._session.connected(self._loop.time())
        writer = self._loop.create_task(self._write(socket))
        try:
            code, reason = await self._read(socket)
        finally:
            self._alarm.disarm()
            writer.cancel()
            try:
                (failed,) = await asyncio.gather(writer, return_exceptions=True)
            finally:  # also if the client is closed in this very moment
                is_text = self._endpoint.format is Format.JSON
                await hang_up(socket, self._farewells, text=is_text)
        if isinstance(failed, Exception):
            raise failed
        if self._session.is_open:
            words = f"the connection to '{self._endpoint.shown}' was lost ({code or 1006} {reason}"
            self.problem.note(ErrorCode.UNSPECIFIED, f"{words.rstrip()})", None)
            return self._session.lost(self._loop.time(), code, reason)
        never = self._never_opened(code, reason)
        if self._is_first:
            self._session.close(never)
        wait = self._session.lost(self._loop.time(), code, reason)
        self._trouble(never.code, never.message, logging.WARNING)  # unless that was the end
        return wait

    def _trouble(self, code: ErrorCode, words: str, level: int) -> None:
        self.problem.note(code, words, None if self._session.error else level)

    @property
    def _is_first(self) -> bool:
        """Whether someone waits for the very first connection."""
        return not self._patient and not self._opened.is_set()

    def _never_opened(self, code: int | None, reason: str) -> ConnectionClosed:
        problem = self._session.problem
        if problem is not None:
            return ConnectionClosed(
                f"the server refused this client: {problem.message}", code=problem.code
            )
        return never_opened(self._endpoint, code, reason)

    async def _fresh_token(self) -> str | None:
        if self._token is None:
            return self._session.token
        try:
            return checked_token(await self._token())
        except Exception as error:
            words = error.message if isinstance(error, RhtmxError) else repr(error)
            words = f"no token to connect to '{self._endpoint.shown}' with: {words}"
            raise DialError(words, final=False) from error

    async def _read(self, socket: ClientSocket) -> tuple[int | None, str]:
        """Hand over what arrives; returns close code and reason when nothing more does."""
        reader, is_open = ServerReader(self._notes), False
        try:
            while True:
                data = await socket.recv(decode=False)
                if self._session.error is not None:
                    return None, ""  # it was closed while this was on its way
                slow = self._driver.step(Received(self._decode(reader, data)))
                if not is_open and self._session.is_open:
                    is_open = True
                    self.problem.over()
                    self._become(State.OPEN)
                    self._opened.set()
                for each in slow:
                    await each.make_room()
        except SocketClosed as closed:
            frame = closed.rcvd or closed.sent
            if frame is None:
                return None, ""
            if (error := oversize(closed)) is not None:
                self._session.close(error)
            return frame.code, frame.reason
        except ConnectionClosed as error:
            self._session.close(error)
        except RhtmxError as error:
            log.warning("the connection to '%s' is dropped: %s", self._endpoint.shown, error)
        return None, ""

    async def _write(self, socket: ClientSocket) -> None:
        """Send what the session has to send, whenever there is something."""
        form = self._endpoint.format
        try:
            while True:
                due = self._driver.next_messages()
                # Encoded at once: a message that is sent again may get another number.
                frames = [frame for each in due.messages if (frame := self._frame(each))]
                self._alarm.arm(socket, due.deadline)
                for frame in frames:
                    await socket.send(frame, text=form is Format.JSON)
                await self._driver.to_send.wait()
        except SocketClosed:
            return  # the reader sees it, too
        except Exception:
            socket.transport.abort()  # without a writer the reader would wait for nothing
            raise

    def _frame(self, message: ClientMessage) -> bytes | None:
        """The bytes of a message; none if it is too large for the server, and so refused."""
        frame = encode(message, self._endpoint.format)
        limits = self._session.limits
        if limits is None or len(frame) <= limits.message_bytes:
            return frame
        if self._session.fits(message, len(frame)):
            return frame
        self._driver.step()
        return None

    def _decode(self, reader: ServerReader, data: bytes) -> ServerMessage | None:
        try:
            return reader.json(data) if self._endpoint.format is Format.JSON else reader.proto(data)
        except RhtmxError as error:
            # To go on would leave a hole that nobody sees.
            raise ConnectionClosed(
                f"the server said something that this client does not understand: {error.message}",
                code=ErrorCode.BAD_MESSAGE,
            ) from error
