"""Facts about `rhtmx.runtime.handshake_deadline`."""

from __future__ import annotations

import asyncio

import pytest

from rhtmx.runtime.handshake import DialError
from rhtmx.runtime.handshake_deadline import HandshakeDeadline


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx.core.connection_lifecycle.PROOF", 0.02)
    monkeypatch.setattr("rhtmx.runtime.handshake_deadline._BURST", 0.0)


async def nobody() -> None:
    await asyncio.Event().wait()


async def begun(haste: HandshakeDeadline) -> asyncio.Task[None]:
    task = asyncio.create_task(haste.limit(nobody()))
    await asyncio.sleep(0)
    return task


async def test_a_handshake_that_was_under_way_has_little_time_left_once_somebody_woke() -> None:
    haste = HandshakeDeadline()
    task = await begun(haste)
    haste.hurry()
    with pytest.raises(
        DialError, match=r"no handshake within 0\.02 s since this machine woke"
    ) as it:
        await task
    assert it.value.usual
    assert not it.value.final


async def test_who_wakes_again_takes_none_of_that_time_and_gives_none() -> None:
    haste = HandshakeDeadline()
    task = await begun(haste)
    haste.hurry()
    left = haste._left
    assert left is not None
    when = left.when()
    haste.hurry()
    assert left.when() == when
    with pytest.raises(DialError):
        await task


async def test_the_next_one_has_its_full_time_until_one_has_come_about() -> None:
    haste = HandshakeDeadline()
    first = await begun(haste)
    haste.hurry()
    with pytest.raises(DialError):
        await first
    second = await begun(haste)
    haste.hurry()
    assert haste._left is not None
    assert haste._left.when() is None
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert await haste.limit(asyncio.sleep(0, "made")) == "made"
    third = await begun(haste)
    haste.hurry()
    with pytest.raises(DialError):
        await third


async def test_one_that_was_begun_by_the_waking_itself_has_its_full_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rhtmx.runtime.handshake_deadline._BURST", 1000.0)
    haste = HandshakeDeadline()
    task = await begun(haste)
    haste.hurry()
    assert haste._left is not None
    assert haste._left.when() is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_a_handshake_there_is_nothing_to_hurry_and_its_own_end_is_told() -> None:
    haste = HandshakeDeadline()
    haste.hurry()

    async def refused() -> None:
        raise DialError("no", final=True)

    with pytest.raises(DialError, match="no"):
        await haste.limit(refused())
    haste.hurry()
