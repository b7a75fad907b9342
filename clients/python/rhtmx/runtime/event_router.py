"""Hands what a session tells to whoever waits for it.

Knows who waits: calls for their answer, subscriptions for their changes. Must
not know sockets, nor what is asked or answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rhtmx.core.conflict import ConflictSides
from rhtmx.core.cursor import Cursor
from rhtmx.core.events import (
    Answered,
    Conflicted,
    Delivered,
    Event,
    Problem,
    Refused,
    Rejected,
    Started,
    StepResult,
    Stopped,
    Synced,
    TokenNeeded,
    Told,
    WasReset,
)
from rhtmx.core.storage_ops import StoredRejection
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ValidationResult
from rhtmx.messages.tables import EPHEMERAL, NAMES
from rhtmx.runtime.broadcast import Backlog, Signal
from rhtmx.runtime.subscription import Subscription
from rhtmx.wire import Message

__all__ = ["EventRouter"]

log = logging.getLogger("rhtmx")

_NEWS = (Delivered, Synced, WasReset)
"""For subscriptions. A tuple, as `isinstance` takes three times as long for a union (3.11)."""

T = TypeVar("T")


class EventRouter:
    """Who waits for what a session tells.

    Args:
        renew: is called when writes wait for a fresh token.

    Attributes:
        queue: rings when something about the writes of this client has changed.
        conflicts: the conflicts.
        rejections: the writes that were rejected.
    """

    def __init__(self, renew: Callable[[], None] = lambda: None) -> None:
        self.queue = Signal()
        self.conflicts: Backlog[ConflictSides] = Backlog()
        self.rejections: Backlog[StoredRejection] = Backlog()
        self._renew = renew
        self._revision = 0
        self._signals: dict[str, Signal] = {}
        self._error: RhtmxError | None = None
        self._calls: dict[str, asyncio.Future[Answered]] = {}
        self._subscriptions: dict[Cursor, Subscription[object]] = {}
        self._listeners: dict[type[object], list[Callable[[Any], None]]] = {}

    def take(self, result: StepResult) -> list[Subscription[object]]:
        """Hand over what has happened; returns the subscriptions that are full."""
        full = []
        for event in result.events:
            if isinstance(event, _NEWS):
                subscription = self._subscriptions.get(event.cursor)
                if subscription is not None and not subscription.put(event):
                    full.append(subscription)
            else:
                self._settle(event)
        for entity in result.touched:
            if (signal := self._signals.get(entity)) is not None:
                signal.notify()
        if self._revision != result.revision:
            self._revision = result.revision
            self.queue.notify()
        return full

    def signal(self, entity: str) -> Signal:
        """Rings when something that is shown of an entity may have changed."""
        if entity not in self._signals:
            self._signals[entity] = signal = Signal()
            if self._error is not None:
                signal.fail(self._error)
        return self._signals[entity]

    def forget(self, entity: str) -> None:
        """Nobody reads an entity here any more: wake whoever waits, to see it."""
        signal = self._signals.pop(entity, None)
        if signal is not None:
            signal.notify()

    def expect(self, request_id: str) -> asyncio.Future[Answered]:
        """The answer to a request, once it is there.

        It may raise `RhtmxError`, if the request is refused, and
        `ConnectionClosed`, if there is no connection and there will be none.
        """
        call: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._calls[request_id] = call
        return call

    def dismiss(self, request_id: str) -> bool:
        """Nobody waits for an answer any more; returns whether it has not come yet."""
        return self._calls.pop(request_id, None) is not None

    def attach(self, cursor: Cursor, subscription: Subscription[T]) -> None:
        """What comes for this cursor is for that subscription."""
        self._subscriptions[cursor] = subscription  # type: ignore[assignment]  # only asked to take

    def detach(self, cursor: Cursor) -> None:
        """Nobody reads at this cursor any more."""
        self._subscriptions.pop(cursor, None)

    def listen(self, kind: type[T], listener: Callable[[T], None]) -> Callable[[], None]:
        """Have `listener` called with each ephemeral message of a kind, until what is returned is.

        Or with each verdict on an open form. It is called again for each time that it was given.
        What it raises is logged.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, messages of that kind come by another way.
        """
        if kind not in EPHEMERAL and kind is not ValidationResult:
            known = ", ".join(sorted(NAMES[each] for each in EPHEMERAL)) or "none yet"
            words = f"{kind!r} is no ephemeral message; there are: {known}"
            raise RhtmxError(ErrorCode.NOT_SUPPORTED, words)
        own = partial(listener)  # the same one may listen twice
        self._listeners.setdefault(kind, []).append(own)

        def stop() -> None:
            if own in self._listeners[kind]:
                self._listeners[kind].remove(own)

        return stop

    def tell(self, message: Message) -> None:
        """Call those who listen to messages of a kind."""
        for listener in self._listeners.get(type(message), [])[:]:
            try:
                listener(message)
            except Exception:  # it costs the others nothing, nor the connection
                log.exception("a listener to '%s' failed", NAMES[type(message)])

    def fail(self, error: RhtmxError) -> None:
        """Nothing more will come."""
        self._error = error
        for signal in (self.queue, *self._signals.values()):
            signal.fail(error)
        self.conflicts.fail(error)
        self.rejections.fail(error)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if not call.done():
                call.set_exception(error)
                call.exception()  # whoever does not wait need not hear of it: the write is kept
        for subscription in list(self._subscriptions.values()):
            subscription.fail(error)

    def _settle(self, event: Event) -> None:  # noqa: C901 (a case for each event)
        match event:
            case Answered(request_id):
                call = self._calls.pop(request_id, None)
                if call is not None and not call.done():
                    call.set_result(event)
            case Refused(request_id, error):
                call = self._calls.pop(request_id, None)
                if call is not None and not call.done():
                    call.set_exception(error)
                    call.exception()  # whoever does not wait need not hear of it: it is kept
            case Started(cursor):
                if cursor in self._subscriptions:
                    self._subscriptions[cursor].started()
            case Stopped(cursor, error):
                if cursor in self._subscriptions:
                    self._subscriptions[cursor].fail(error)
            case Rejected(write):
                self.rejections.put(write)
            case Conflicted(conflict):
                self.conflicts.put(conflict)
            case TokenNeeded():
                self._renew()
            case Told(message):
                self.tell(message)
            case Problem(error):
                log.warning("the server reports: %s", error)
