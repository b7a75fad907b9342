"""Which of several nodes leads, and since when it does no more."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.leadership import LEASE, Leadership


class Store:
    """Gives the lease, or does not, or is not there; and lets the time pass."""

    def __init__(self, *answers: bool | None) -> None:
        self.answers = list(answers)
        self.now = 0.0
        self.resigned = False

    async def lead(self, seconds: float) -> bool:
        assert seconds == LEASE
        answer = self.answers.pop(0)
        if answer is None:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "it is not there")
        return answer

    async def count_nodes(self, seconds: float) -> int:
        return 3

    async def resign(self) -> None:
        self.resigned = True


async def led(monkeypatch: pytest.MonkeyPatch, store: Store) -> list[bool]:
    """Whether it leads, after each question."""
    leads, found = Leadership(cast(Any, store), lambda: store.now), list[bool]()

    async def sleep(seconds: float) -> None:
        found.append(leads())
        store.now += seconds
        if not store.answers:
            raise asyncio.CancelledError

    monkeypatch.setattr("rhtmx_server.leadership.asyncio.sleep", sleep)
    with contextlib.suppress(asyncio.CancelledError):
        await leads.run()
    return found


async def test_it_leads_as_long_as_it_has_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await led(monkeypatch, Store(False, True, True, False)) == [False, True, True, False]


async def test_one_that_cannot_ask_leads_until_its_lease_ends_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = await led(monkeypatch, Store(True, *[None] * 7))
    assert asked == [True] * 5 + [False] * 3


async def test_one_that_resigns_leads_no_more_and_leaves_the_lease_to_others() -> None:
    store = Store()
    leads = Leadership(cast(Any, store), lambda: 0.0)
    await leads.resign()
    assert (leads(), store.resigned) == (False, True)


async def test_a_server_that_is_alone_always_leads() -> None:
    leads = Leadership(None, lambda: 0.0)
    await leads.run()
    assert leads()
