"""What changed in one entity, up to now.

Knows a reader that ends. Must not know streams.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any, TypeVar

from rhtmx.core.collect_changes import collect
from rhtmx.grpc.stream_opener import StreamOpener
from rhtmx.grpc.watch import Watch
from rhtmx.messages import Position
from rhtmx.values.reset import Reset
from rhtmx.values.results import SyncResult

__all__ = ["CatchUp"]

T = TypeVar("T")


class CatchUp(Watch[T]):
    """What changed in one entity, up to now: a `Watch` that ends at the head.

    Await it for a `SyncResult`, each record or field once; or iterate over it, to
    hold no more than one at a time. A record that changes meanwhile may then come
    twice.

    Args:
        source: makes its streams.
        convert: makes what is yielded.
        key: what of two changes makes the later one replace the other.
        since: where to start.
        on_reset: see `Watch`; not called when it is awaited.
    """

    def __init__(
        self,
        source: StreamOpener,
        convert: Callable[[Any], T],
        key: Callable[[T], Hashable],
        *,
        since: Position | None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> None:
        super().__init__(source, convert, since=since, on_reset=on_reset)
        self._key = key

    def __await__(self) -> Generator[Any, None, SyncResult[T]]:
        return collect(self._fresh, self._key).__await__()

    def _fresh(self, on_reset: Callable[[Reset], None]) -> Watch[T]:
        return Watch(self._source, self._convert, since=self._position, on_reset=on_reset)
