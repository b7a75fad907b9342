"""Writes down who calls whom while a program in Python runs.

Knows Python's profiler, asyncio and thread pools. Must not know what a room is.

A coroutine or generator that goes on is not called: it got back what it waited for. What was
handed to the loop or to a thread is called by the one who handed it over, and what a socket
starts by nobody. What a timer starts is left out: it is no part of what is recorded.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import CodeType, FrameType
from typing import Any
from unittest.mock import patch

from tests.house.walks.walk import Call, Place

__all__ = ["Recorder"]

_FROM_START = 0
"""The argument of the opcode RESUME where a function begins (`dis`, Python 3.11): others follow
a `yield` or an `await`."""

_TIMER = Place("", "a timer")

_QUIET = 20
"""Turns of the loop without a call, after which nothing is under way any more."""


class Recorder:
    """Notes the calls of some modules, in the order in which they begin.

    Args:
        modules: path of a file to the name of its module, for those that are recorded.
        without: what these files call is left out, however far down the stack.

    Attributes:
        calls: what was called.
    """

    def __init__(self, modules: Mapping[str, str], without: frozenset[str] = frozenset()) -> None:
        self.calls: list[Call] = []
        self._modules = modules
        self._without = without
        self._on = False
        self._seen = 0
        self._in_threads: set[Future[Any]] = set()
        self._handing = threading.local()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Be there: threads that are started from now on can be recorded, and the loop.

        The loop that runs has to be one of asyncio in Python, as methods of it are replaced.
        """
        loop = type(asyncio.get_running_loop())
        before, before_in_threads = sys.getprofile(), threading.getprofile()
        with ExitStack() as undo:
            for name in ("call_soon", "call_soon_threadsafe", "call_at"):
                original = getattr(loop, name)
                undo.enter_context(patch.object(loop, name, self._scheduling(name, original)))
            submit = self._submitting(ThreadPoolExecutor.submit)
            undo.enter_context(patch.object(ThreadPoolExecutor, "submit", submit))
            undo.callback(sys.setprofile, before)
            undo.callback(threading.setprofile, before_in_threads)
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)
            yield

    async def second(self, walk: Callable[[int], Awaitable[object]]) -> None:
        """Go a walk twice, and record the second time: nothing is made for the first time then.

        Args:
            walk: goes it; is told which time it is.
        """
        await walk(1)
        await self._quiet()
        self._handing.by = None  # what woke this up after the first time has no part in it
        self._on = True
        try:
            await walk(2)
            await self._quiet()
        finally:
            self._on = False

    async def _quiet(self) -> None:
        """Wait until what was called has done all that it was to do, in threads too."""
        turns, known = 0, -1
        while turns < _QUIET:
            turns = turns + 1 if known == self._seen and not self._in_threads else 0
            known = self._seen
            await asyncio.sleep(0)

    # What Python calls.

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or (module := self._modules.get(frame.f_code.co_filename)) is None:
            return
        self._seen += 1
        if not self._on or _goes_on(frame) or self._left_out(frame):
            return
        caller = self._caller(frame.f_back)
        if caller is not _TIMER:
            self.calls.append(Call(caller, Place(module, _name(frame.f_code))))

    def _caller(self, frame: FrameType | None) -> Place | None:
        """The nearest function on the stack that is recorded; or who handed over what runs."""
        handed: Place | None = getattr(self._handing, "by", None)
        if handed is _TIMER:
            return handed
        while frame is not None:
            if (module := self._modules.get(frame.f_code.co_filename)) is not None:
                return Place(module, _name(frame.f_code))
            frame = frame.f_back
        return handed

    def _left_out(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code.co_filename in self._without:
                return True
            frame = frame.f_back
        return False

    # What runs later.

    def _scheduling(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        """A method of a loop that takes `(when, callback)` or `(callback)`."""
        place = 1 if name == "call_at" else 0

        def schedule(loop: Any, *args: Any, context: Any = None) -> Any:
            by = _TIMER if name == "call_at" else self._caller(sys._getframe(1))
            args = (*args[:place], self._handed(args[place], by), *args[place + 1 :])
            return original(loop, *args, context=context)

        return schedule

    def _submitting(self, original: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
        """A method of a pool of threads."""

        def submit(pool: Any, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
            handed = self._handed(work, self._caller(sys._getframe(1)))
            future = original(pool, handed, *args, **named)
            self._in_threads.add(future)
            future.add_done_callback(self._in_threads.discard)
            return future

        return submit

    def _handed(self, work: Callable[..., Any], by: Place | None) -> Callable[..., Any]:
        """The same work, which remembers who wants it done."""

        def run(*args: Any, **named: Any) -> Any:
            before = getattr(self._handing, "by", None)
            self._handing.by = by
            try:
                return work(*args, **named)
            finally:
                self._handing.by = before

        return run


def _goes_on(frame: FrameType) -> bool:
    code = frame.f_code.co_code
    return frame.f_lasti >= 0 and code[frame.f_lasti + 1] & 3 != _FROM_START


def _name(code: CodeType) -> str:
    """The name of a function; a comprehension is a part of the one that it is in."""
    name = code.co_qualname
    for part in ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"):
        name = name.removesuffix(f".<locals>.{part}")
    return name.replace(".<locals>", "")
