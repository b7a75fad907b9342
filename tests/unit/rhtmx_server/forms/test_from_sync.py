"""Calls from code that does not run on the app's event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rhtmx_server.forms.from_sync import on_loop, wait_for


async def where() -> int:
    return threading.get_ident()


async def fails() -> None:
    raise ValueError("no")


async def test_a_thread_waits_for_what_the_loop_does() -> None:
    loop = asyncio.get_running_loop()
    ran_in = await asyncio.to_thread(lambda: wait_for(loop, where, "await"))
    assert ran_in == threading.get_ident()


async def test_what_the_coroutine_raises_reaches_the_thread() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(ValueError, match="no"):
        await asyncio.to_thread(lambda: wait_for(loop, fails, "await"))


async def test_to_wait_in_a_thread_with_a_loop_is_refused_with_what_to_write() -> None:
    with pytest.raises(RuntimeError, match=r"hold it up: write await form\.validate"):
        wait_for(asyncio.get_running_loop(), where, "await form.validate(…)")


async def test_another_loop_awaits_what_the_apps_loop_does() -> None:
    loop = asyncio.get_running_loop()
    assert await on_loop(loop, where) == threading.get_ident()
    ran_in = await asyncio.to_thread(lambda: asyncio.run(on_loop(loop, where)))
    assert ran_in == threading.get_ident()
