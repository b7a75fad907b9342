"""Tasks have their shares of the loop one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rhtmx_server.transports.asgi.shares import Shares


class Loop:
    """Calls what it is given turn by turn, when it is told to."""

    def __init__(self) -> None:
        self.booked: list[Callable[[], None]] = []

    async def turn(self) -> None:
        booked, self.booked = self.booked, []
        for call in booked:
            call()
        await asyncio.sleep(0)


async def test_a_few_go_on_in_each_turn_in_the_order_in_which_they_came() -> None:
    loop, went = Loop(), list[int]()
    shares = Shares(lambda call: loop.booked.append(call), at_a_time=2)

    async def work(number: int) -> None:
        await shares.another()
        went.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert went == []
    assert len(loop.booked) == 1, "one turn is booked for all of them"
    for expected in ([0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
        await loop.turn()
        assert went == expected
    assert loop.booked == []
    await asyncio.gather(*tasks)


async def test_one_that_is_cancelled_takes_no_place() -> None:
    loop, went = Loop(), list[int]()
    shares = Shares(lambda call: loop.booked.append(call), at_a_time=1)

    async def work(number: int) -> None:
        await shares.another()
        went.append(number)

    first, second = (asyncio.create_task(work(number)) for number in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    await loop.turn()
    assert went == [2]
    await second
