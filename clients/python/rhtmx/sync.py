"""Reads what changed, once, into one value.

Knows subscriptions that end. Must not know sessions or sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from rhtmx.changes import Change, FieldChange
from rhtmx.events import Reset
from rhtmx.results import SyncResult
from rhtmx.subscription import Subscription

__all__ = ["collect", "field_key", "record_key"]

T = TypeVar("T")


async def collect(
    make: Callable[[Callable[[Reset], None]], Subscription[T]], key: Callable[[T], Hashable]
) -> SyncResult[T]:
    """Read a subscription to its end.

    Args:
        make: makes the subscription, from its `on_reset`.
        key: what of two changes makes the later one replace the other.
    """
    latest: dict[Hashable, T] = {}
    resets: list[Reset] = []

    def on_reset(reset: Reset) -> None:
        latest.clear()
        resets.append(reset)

    subscription = make(on_reset)
    async for change in subscription:
        latest.pop(key(change), None)
        latest[key(change)] = change
    assert subscription.position is not None
    return SyncResult(tuple(latest.values()), subscription.position, bool(resets))


def record_key(change: Change) -> Hashable:
    """One record, whatever happened to it."""
    return change.entity_id


def field_key(change: FieldChange) -> Hashable:
    """One field, whatever happened to it."""
    return change.entity_id, change.field
