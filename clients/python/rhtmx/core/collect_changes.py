"""Reads what changed, once, into one value.

Knows what reads changes and ends. Must not know sessions, sockets or calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable
from typing import Protocol, TypeVar

from rhtmx.messages import Position
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.progress import Progress
from rhtmx.values.reset import Reset
from rhtmx.values.results import SyncResult

__all__ = ["ChangeReader", "collect", "field_key", "record_key"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ChangeReader(Protocol[T_co]):
    """What reads changes until it has caught up, as far as it matters here."""

    @property
    def position(self) -> Position | None:
        """Where to resume after what was yielded."""

    @property
    def progress(self) -> Progress | None:
        """How far it is, where that is known."""

    def __aiter__(self) -> AsyncIterator[T_co]:
        """The changes."""


async def collect(
    make: Callable[[Callable[[Reset], None]], ChangeReader[T]],
    key: Callable[[T], Hashable],
    on_progress: Callable[[Progress], None] | None = None,
) -> SyncResult[T]:
    """Read to the end.

    Args:
        make: makes the reader, from its `on_reset`.
        key: what of two changes makes the later one replace the other.
        on_progress: is told how far it is, after each change, where that is known.
    """
    latest: dict[Hashable, T] = {}
    resets: list[Reset] = []

    def on_reset(reset: Reset) -> None:
        latest.clear()
        resets.append(reset)

    reader = make(on_reset)
    async for change in reader:
        latest.pop(key(change), None)
        latest[key(change)] = change
        if on_progress is not None and (progress := reader.progress) is not None:
            on_progress(progress)
    assert reader.position is not None
    return SyncResult(tuple(latest.values()), reader.position, bool(resets))


def record_key(change: Change) -> Hashable:
    """One record, whatever happened to it."""
    return change.entity_id


def field_key(change: FieldChange) -> Hashable:
    """One field, whatever happened to it."""
    return change.entity_id, change.field
