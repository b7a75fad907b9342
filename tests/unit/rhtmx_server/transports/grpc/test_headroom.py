"""Facts about `rhtmx_server.transports.grpc.headroom`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rhtmx.errors import ErrorCode
from rhtmx_server.transports.grpc.headroom import Headroom, StalledError


class Reader:
    """Reads once it has its turn, until it is told to end."""

    def __init__(self, room: Headroom, size: int = 0) -> None:
        self._room, self._size = room, size
        self.began, self.end = False, asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with self._room.turn():
            self.began = True
            await self.end.wait()
            self._room.keep(self._size)


class Keeper:
    """Notes that others wait."""

    def __init__(self) -> None:
        self.told = 0

    def crowded(self) -> None:
        self.told += 1


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_read_at_a_time_and_in_order() -> None:
    room = Headroom(100, 2, 10.0)
    readers = [Reader(room) for _ in range(5)]
    await settle()
    assert [each.began for each in readers] == [True, True, False, False, False]
    readers[1].end.set()
    await settle()
    assert [each.began for each in readers] == [True, True, True, False, False]
    for each in readers:
        each.end.set()
    await asyncio.gather(*(each.task for each in readers))


async def test_nobody_reads_while_more_waits_than_may() -> None:
    room = Headroom(100, 1, 10.0)
    first, second = Reader(room, 101), Reader(room)
    await settle()
    first.end.set()
    await settle()
    assert (room.full, second.began) == (True, False)
    room.free(1)
    await settle()
    assert (room.full, second.began) == (False, True)
    second.task.cancel()


@pytest.mark.parametrize("given", [False, True])
async def test_who_is_gone_takes_no_turn_with_it(given: bool) -> None:
    room = Headroom(100, 1, 10.0)
    first, second, third = Reader(room), Reader(room), Reader(room)
    await settle()
    if given:
        first.end.set()
        await asyncio.sleep(0)  # the second one has its turn, and does not know yet
        assert (first.task.done(), second.began) == (True, False)
    second.task.cancel()
    first.end.set()
    await settle()
    assert (second.began, third.began) == (False, True)
    third.end.set()
    await third.task


async def test_those_that_something_waits_for_are_told_when_there_is_no_room() -> None:
    room = Headroom(100, 1, 10.0)
    one, two, gone = Keeper(), Keeper(), Keeper()
    room.keep(50, one)
    room.keep(10, gone)
    room.leave(gone)
    assert one.told == 0
    room.keep(50, two)
    assert (one.told, two.told, gone.told) == (1, 1, 0)
    room.keep(1, two)
    assert (one.told, two.told) == (1, 2)  # each is told once, or with a thousand it takes long
    room.free(100)
    room.keep(100, two)
    assert one.told == 2


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[None]:
    """Whoever waits loses patience when something is put here, not by the clock."""
    over: asyncio.Queue[None] = asyncio.Queue()

    async def wait(futures: object, **how: object) -> None:
        await over.get()

    monkeypatch.setattr("rhtmx_server.transports.grpc.headroom.asyncio.wait", wait)
    return over


async def test_who_waits_in_vain_is_stalled(patience: asyncio.Queue[None]) -> None:
    room = Headroom(100, 1, 10.0)
    room.keep(101)
    patience.put_nowait(None)
    with pytest.raises(StalledError) as caught:
        async with room.turn():
            raise AssertionError
    assert caught.value.code is ErrorCode.STALLED
    room.drop(101)
    async with room.turn():
        pass


@pytest.mark.parametrize(("way", "stalled"), [(Headroom.free, False), (Headroom.drop, True)])
async def test_what_is_taken_is_progress_and_what_is_dropped_is_none(
    patience: asyncio.Queue[None], way: Callable[[Headroom, int], None], stalled: bool
) -> None:
    room = Headroom(100, 1, 10.0)
    room.keep(1000)
    reader = Reader(room)
    await settle()
    way(room, 10)
    patience.put_nowait(None)
    await settle()
    assert reader.task.done() is stalled
    if stalled:
        assert isinstance(reader.task.exception(), StalledError)
    reader.task.cancel()


async def test_who_waits_behind_others_that_read_is_not_stalled(
    patience: asyncio.Queue[None],
) -> None:
    room = Headroom(100, 1, 10.0)
    first, second = Reader(room), Reader(room)
    for _ in range(3):
        patience.put_nowait(None)
        await settle()
    assert not second.task.done()
    first.end.set()
    second.end.set()
    await settle()
    patience.put_nowait(None)
    await second.task
