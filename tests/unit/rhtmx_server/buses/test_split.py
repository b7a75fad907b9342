"""A bus that carries two conversations."""

from __future__ import annotations

from rhtmx_server.buses import MemoryBus
from rhtmx_server.buses.split import SplitBus
from tests.support.waiting import eventually


async def test_each_conversation_hears_its_own_messages() -> None:
    one, other = (SplitBus(MemoryBus("split"), b"r") for _ in range(2))
    commits: list[bytes] = []
    rooms: list[bytes] = []
    await one.open("c", "a", commits.append, lambda: None)
    await other.open("c", "b", lambda message: None, lambda: None)
    one.beside = rooms.append
    other.announce(b"r1")
    other.announce(b"\x931")
    await eventually(lambda: len(commits) + len(rooms) == 2)
    assert (commits, rooms) == ([b"\x931"], [b"r1"])
    assert (one.ready(), one.most_bytes, one.dropped) == (True, 1 << 20, 0)
    await one.close()
    await other.close()
    assert not one.ready()
