"""Facts about `rhtmx_server.transports.grpc.link`."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from h2.exceptions import StreamClosedError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.grpc import link as link_module
from rhtmx_server.transports.grpc.link import StreamLink
from tests.support.state_tables import NOTHING, state_table
from tests.unit.rhtmx_server.transports.grpc.peers import Call

LIMIT = 1000


class Told:
    """A connection that notes what its link says."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def overfull(self) -> None:
        self.notes.append("overfull")

    def drained_enough(self) -> None:
        self.notes.append("drained")

    def alive(self) -> None:
        self.notes.append("alive")


class Line:
    """A link, its stream and its connection."""

    def __init__(self, patience: float = 10.0) -> None:
        self.call, self.told = Call(), Told()
        self.source = self.call._stream
        self.link = StreamLink(self.call.stream, LIMIT, patience)
        told: Any = self.told
        self.link.attach(told)
        self.task = asyncio.create_task(self.link.run())

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    @property
    def sent(self) -> list[bytes]:
        return self.source._h2_connection.sent


async def test_what_fits_into_the_window_goes_out_at_once() -> None:
    line = Line()
    await line.settle()
    line.link.write(b"abc")
    assert (line.sent, line.link.waiting()) == ([b"abc"], 0)
    line.task.cancel()


async def test_nothing_goes_out_before_the_headers() -> None:
    line = Line()
    line.link.write(b"abc")
    assert (line.sent, line.link.waiting()) == ([], 3)
    await line.settle()
    assert line.source.taken == [b"abc"]
    assert line.call.began
    line.task.cancel()


@pytest.mark.parametrize("reason", ["window", "frame", "socket"])
async def test_what_does_not_fit_waits_for_its_turn(reason: str) -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    data = b"x" * 10
    if reason == "window":
        line.source._h2_connection.window = 5
    elif reason == "frame":
        line.source._h2_connection.max_outbound_frame_size = 5
    else:
        line.source.connection.write_ready.clear()
    line.link.write(data)
    line.source._h2_connection.window = 1000
    line.link.write(b"later")  # never before what waits
    assert line.link.waiting() == 15
    line.source.takes.set()
    await line.settle()
    assert (line.source.taken, line.sent) == ([data, b"later"], [])
    line.task.cancel()


async def test_the_connection_is_told_of_a_slow_peer_and_when_it_has_read() -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"x" * LIMIT)
    assert line.told.notes == []
    line.link.write(b"x")
    assert line.told.notes == ["overfull"]
    line.source.takes.set()
    await line.settle()
    assert line.told.notes[-1] == "drained"
    line.task.cancel()


async def test_it_ends_well_when_all_is_sent() -> None:
    line = Line()
    await line.settle()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.end()
    await line.task
    assert line.source.taken == [b"rest"]


async def test_a_close_code_becomes_the_error_that_it_stands_for() -> None:
    line = Line()
    line.link.close(4000, "the server is stopping")
    with pytest.raises(RhtmxError, match="the server is stopping") as caught:
        await line.task
    assert caught.value.code is ErrorCode.SHUTTING_DOWN


async def test_a_peer_that_takes_nothing_has_its_time_at_the_end() -> None:
    line = Line(patience=0.01)
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.close(4000, "bye")
    with pytest.raises(RhtmxError, match="bye"):
        await line.task
    assert line.source.taken == []


async def test_cut_off_it_is_told_so_if_only_its_stream_is_stuck() -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"rest")
    line.link.abort()
    with pytest.raises(RhtmxError) as caught:
        await line.task
    assert caught.value.code is ErrorCode.STALLED
    assert not line.source._transport.aborted


async def test_cut_off_it_is_dropped_if_the_socket_is_stuck() -> None:
    line = Line()
    await line.settle()
    line.source.connection.write_ready.clear()
    line.link.abort()
    assert line.source._transport.aborted
    line.task.cancel()


async def test_messages_wait_while_the_connection_takes_none() -> None:
    line = Line()
    line.link.pause()
    reading = asyncio.create_task(line.link.readable())
    await line.settle()
    assert not reading.done()
    line.link.resume()
    await reading
    line.task.cancel()


async def test_signs_of_life_are_http2s_business() -> None:
    line = Line()
    line.link.ping()
    assert line.told.notes == ["alive"]
    line.task.cancel()


async def test_what_waits_counts_against_the_room_of_all_streams() -> None:
    line = Line()
    await line.settle()
    room = line.source.connection.pages
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"x" * 30)
    line.link.write(b"x" * 12)
    assert room.kept == 42
    line.source.takes.set()
    await line.settle()
    assert room.kept == 0
    line.task.cancel()


@pytest.mark.parametrize("end", ["cut off", "cancelled", "closed"])
async def test_however_it_ends_nothing_of_it_stays(end: str) -> None:
    line = Line(patience=0.0)
    await line.settle()
    room = line.source.connection.pages
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"x" * 500)
    if end == "cancelled":
        line.task.cancel()
    elif end == "closed":
        line.link.close(4000, "bye")
    else:
        line.link.abort()
    await asyncio.gather(line.task, return_exceptions=True)
    line.link.write(b"late")
    assert (room.kept, list(line.link._queue), room._keepers) == (0, [], set())


async def test_its_error_does_not_hold_the_link() -> None:
    async def told(link: StreamLink) -> str:
        try:
            await link.run()
        except RhtmxError as error:
            return error.message
        raise AssertionError

    link = StreamLink(Call().stream, LIMIT, 0.0)
    link.close(4000, "bye")
    gone = weakref.ref(link)
    gc.disable()
    try:
        assert await asyncio.create_task(told(link)) == "bye"
        del link
        assert gone() is None
    finally:
        gc.enable()


async def test_a_stream_that_keeps_others_waiting_counts_as_slow() -> None:
    line = Line()
    await line.settle()
    line.source.takes.clear()
    line.source._h2_connection.window = 0
    line.link.write(b"x")
    room = line.source.connection.pages
    assert line.told.notes == []
    room.keep(room.limit)
    assert line.told.notes == ["overfull"]
    line.source.takes.set()
    await line.settle()
    assert line.told.notes[-1] == "drained"
    line.link.crowded()
    assert line.told.notes[-1] == "overfull"
    line.task.cancel()


async def test_no_page_is_read_before_the_window_is_open() -> None:
    line = Line()
    await line.settle()
    line.source._h2_connection.window = 0
    page = line.link.page()
    reading = asyncio.create_task(page.__aenter__())
    await line.settle()
    assert (reading.done(), line.told.notes) == (False, ["overfull"])
    line.source._h2_connection.window = 1
    line.source.window_updated.set()
    await reading
    assert line.told.notes == ["overfull", "drained"]
    await page.__aexit__(None, None, None)
    line.task.cancel()


async def test_of_all_streams_one_reads_a_page_at_a_time() -> None:
    line = Line()
    async with line.link.page():
        other = asyncio.create_task(line.link.page().__aenter__())
        await line.settle()
        assert not other.done()
    await line.settle()
    assert other.done()
    line.task.cancel()


async def test_for_a_stream_that_is_over_nothing_is_read_and_nothing_said() -> None:
    """It may have been reset a moment ago, and wakes because another window has grown."""
    line = Line()

    def over() -> int:
        raise StreamClosedError(1)

    line.source.window = over  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        async with line.link.page():
            raise AssertionError
    line.task.cancel()


# The table.


def state_of(link: StreamLink) -> str:
    """Where a link is; that its flags are one of the states is part of the fact."""
    return {
        (False, False, False): "waiting",
        (True, False, False): "open",
        (False, True, False): "doomed",
        (True, True, False): "ending",
        (False, True, True): "over",
    }[link._open, link._ended, link._over]


async def come_to(line: Line, state: str) -> None:
    """Bring a link whose task has not begun into a state, with something unsent to end for."""
    if state in ("open", "ending", "over"):
        await line.settle()
    if state in ("ending", "doomed"):
        line.source._h2_connection.window = 0
        line.link.write(b"kept")
    if state in ("ending", "doomed", "over"):
        line.link.end()
    if state == "over":
        await line.task


async def happen(line: Line, event: str) -> None:
    if event == "write":
        line.link.write(b"a")
    elif event == "end":
        line.link.end()
    elif event == "run":
        await line.settle()
    elif event == "all is sent":
        line.source.takes.set()
        await line.settle()
    elif event == "time is over":
        await asyncio.wait([line.task], timeout=None if line.link._ended else 0)


CELLS = [cell for cell in state_table(link_module).items() if cell[1] != NOTHING]


@pytest.mark.parametrize(("cell", "state"), CELLS, ids=str)
async def test_the_table_is_what_happens(cell: tuple[str, str], state: str) -> None:
    before, event = cell
    line = Line(patience=0.0 if event == "time is over" else 10.0)
    line.source.takes.clear()
    await come_to(line, before)
    assert state_of(line.link) == before
    await happen(line, event)
    assert state_of(line.link) == state
    line.source.takes.set()
    line.link.end()
    await line.task
