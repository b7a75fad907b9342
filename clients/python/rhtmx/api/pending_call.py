"""A write on its way, as its caller holds it.

Knows that there are two things to wait for: the store, and the server. Must not
know how either is reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

from rhtmx.core.events import Answered

__all__ = ["Writing"]

T = TypeVar("T")


class Writing(Coroutine[Any, Any, T], Generic[T]):
    """A write that shows already and waits for the server. Made by the calls that write.

    `await` it for what came of it: it returns when the write is durable on the
    server. A wait that is cancelled takes nothing back. It may be awaited by
    several, be made a task, or be left alone: what is refused is in
    `Client.rejected` as well.

    Args:
        call: the answer, once it is there.
        convert: makes what is returned.
        saved: waits until the write is in the store.

    Example:
        >>> client.offline()
        >>> writing = tasks.set("2", {"title": "On the train"})
        >>> tasks.get("2").pending, len(client.queue)
        (True, 1)
        >>> await writing.stored()  # with a store: from here on it survives this process
        >>> client.online()
        >>> (await writing).version
        2
    """

    def __init__(
        self,
        call: asyncio.Future[Answered],
        convert: Callable[[Answered], T],
        saved: Callable[[], Awaitable[None]],
    ) -> None:
        self._call = call
        self._convert = convert
        self._saved = saved
        self._waiting: Coroutine[Any, Any, T] | None = None

    async def stored(self) -> None:
        """Wait until the write is in the client's store, and with it all earlier ones.

        Without a store there is nothing to wait for.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`, it cannot be stored.
        """
        await self._saved()

    def __await__(self) -> Generator[Any, None, T]:
        return self._wait().__await__()

    # What makes it a coroutine, so that `asyncio.create_task` takes it.

    def send(self, value: Any) -> Any:
        """Go on waiting."""
        return self._coroutine().send(value)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
    ) -> Any:
        """Interrupt the waiting."""
        error: Any = kind if isinstance(kind, BaseException) else value or kind()
        return self._coroutine().throw(error)

    def close(self) -> None:
        """Wait no longer."""
        if self._waiting is not None:
            self._waiting.close()

    def _coroutine(self) -> Coroutine[Any, Any, T]:
        self._waiting = self._waiting or self._wait()
        return self._waiting

    async def _wait(self) -> T:
        # Shielded, since several may wait and one of them may give up.
        return self._convert(await asyncio.shield(self._call))
