"""Facts about `rhtmx_server.forms.gate`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx_server.forms.gate import Gate


async def steps() -> None:
    """Let what is ready go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_of_an_owner_are_inside_and_the_others_wait_in_order() -> None:
    gate, inside = Gate(2), list[int]()

    async def go(number: int) -> None:
        await gate.enter("me")
        inside.append(number)

    tasks = [asyncio.create_task(go(n)) for n in range(4)]
    await steps()
    assert inside == [0, 1]
    gate.leave("me")
    await steps()
    assert inside == [0, 1, 2]
    gate.leave("me")
    await asyncio.gather(*tasks)
    assert inside == [0, 1, 2, 3]


async def test_one_owner_does_not_wait_for_another() -> None:
    gate = Gate(1)
    await gate.enter("me")
    async with asyncio.timeout(5):
        await gate.enter("other")


async def test_who_does_not_wait_any_more_takes_no_room() -> None:
    gate = Gate(1)
    await gate.enter("me")
    waiting = asyncio.create_task(gate.enter("me"))
    await steps()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.leave("me")
    assert gate.empty


async def test_who_is_cancelled_in_the_moment_of_being_let_in_takes_no_room() -> None:
    gate = Gate(1)
    await gate.enter("me")
    waiting, next_one = (asyncio.create_task(gate.enter("me")) for _ in range(2))
    await steps()
    gate.leave("me")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(5):
        await next_one
    gate.leave("me")
    assert gate.empty


async def test_nothing_is_kept_of_owners_that_have_left() -> None:
    gate = Gate(1)
    for n in range(1000):
        await gate.enter(n)
        gate.leave(n)
    assert gate.empty
