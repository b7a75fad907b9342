"""Hands what a session tells to whoever waits for it.

Knows who waits: calls for their answer, subscriptions for their changes. Must
not know sockets, nor what is asked or answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from rhtmx.bell import Bell, Feed
from rhtmx.conflict import Dispute
from rhtmx.cursor import Cursor
from rhtmx.errors import RhtmxError
from rhtmx.events import (
    Answered,
    Delivered,
    Disputed,
    Event,
    Problem,
    Refused,
    Rejected,
    Started,
    Stopped,
    Synced,
    TokenNeeded,
    WasReset,
)
from rhtmx.messages import Position
from rhtmx.ops import RefusedWrite
from rhtmx.requests import Question
from rhtmx.session import Session
from rhtmx.subscription import Subscription

__all__ = ["Inbox"]

log = logging.getLogger("rhtmx")

T = TypeVar("T")


class Inbox:
    """See the head of the file. It is the `Owner` of the client's subscriptions.

    Args:
        session: the conversation.
        flush: stores and sends what the session has to store and send.
        renew: is called when writes wait for a fresh token.

    Attributes:
        queue: rings when something about the writes of this client has changed.
        disputes: the conflicts.
        rejections: the writes that were refused for good.
    """

    def __init__(
        self,
        session: Session,
        flush: Callable[[], None],
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        self.queue = Bell()
        self.disputes: Feed[Dispute] = Feed()
        self.rejections: Feed[RefusedWrite] = Feed()
        self._session = session
        self._flush = flush
        self._renew = renew
        self._revision = 0
        self._bells: dict[str, Bell] = {}
        self._error: RhtmxError | None = None
        self._calls: dict[str, asyncio.Future[Answered]] = {}
        self._subscriptions: dict[Cursor, Subscription[object]] = {}

    def take(self) -> list[Subscription[object]]:
        """Hand over what has happened; returns the subscriptions that are full."""
        full = []
        for event in self._session.events():
            if isinstance(event, Delivered | Synced | WasReset):
                subscription = self._subscriptions.get(event.cursor)
                if subscription is not None and not subscription.put(event):
                    full.append(subscription)
            else:
                self._settle(event)
        self._ring()
        return full

    def bell(self, entity: str) -> Bell:
        """Rings when something that is shown of an entity may have changed."""
        if entity not in self._bells:
            self._bells[entity] = bell = Bell()
            if self._error is not None:
                bell.fail(self._error)
        return self._bells[entity]

    def forget(self, entity: str) -> None:
        """Nobody reads an entity here any more: wake whoever waits, to see it."""
        bell = self._bells.pop(entity, None)
        if bell is not None:
            bell.ring()

    def changed(self) -> None:
        """Something was asked of the session: hand over, store and send what follows."""
        self.take()
        self._flush()

    def answer(self, request_id: str) -> asyncio.Future[Answered]:
        """Send; returns the answer to a request, once it is there.

        It may raise `RhtmxError`, if the request is refused, and
        `ConnectionClosed`, if there is no connection and there will be none.
        """
        call: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._calls[request_id] = call
        self.changed()
        return call

    async def ask(self, question: Question) -> Answered:
        """Ask; returns the answer. Whoever is cancelled while it waits has asked nothing.

        Raises:
            RhtmxError: it is refused.
            ConnectionClosed: there is no connection, and there will be none.
        """
        request_id = self._session.ask(question)
        try:
            return await self.answer(request_id)
        finally:
            if self._calls.pop(request_id, None) is not None:
                self._session.cancel(request_id)

    def fail(self, error: RhtmxError) -> None:
        """Nothing more will come."""
        self._error = error
        for bell in (self.queue, *self._bells.values()):
            bell.fail(error)
        self.disputes.fail(error)
        self.rejections.fail(error)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if not call.done():
                call.set_exception(error)
                call.exception()  # whoever does not wait need not hear of it: the write is kept
        for subscription in list(self._subscriptions.values()):
            subscription.fail(error)

    def _ring(self) -> None:
        local = self._session.local
        touched = local.touched.copy()
        local.touched.clear()
        for entity in touched & self._bells.keys():
            self._bells[entity].ring()
        if self._revision != local.writes.revision:
            self._revision = local.writes.revision
            self.queue.ring()

    def _settle(self, event: Event) -> None:
        match event:
            case Answered(request_id):
                call = self._calls.pop(request_id, None)
                if call is not None and not call.done():
                    call.set_result(event)
            case Refused(request_id, error):
                call = self._calls.pop(request_id, None)
                if call is not None and not call.done():
                    call.set_exception(error)
            case Started(cursor):
                if cursor in self._subscriptions:
                    self._subscriptions[cursor].started()
            case Stopped(cursor, error):
                if cursor in self._subscriptions:
                    self._subscriptions[cursor].fail(error)
            case Rejected(write):
                self.rejections.put(write)
            case Disputed(dispute):
                self.disputes.put(dispute)
            case TokenNeeded():
                self._renew()
            case Problem(error):
                log.warning("the server reports: %s", error)

    # What subscriptions call.

    def start(self, subscription: Subscription[T], since: Position | None) -> Cursor:
        """Start reading."""
        cursor = self._session.subscribe(
            subscription.entity, subscription.grain, since, ends=subscription.ends
        )
        self._subscriptions[cursor] = subscription  # type: ignore[assignment]  # only asked to take
        self.changed()
        return cursor

    def stop(self, cursor: Cursor) -> None:
        """End reading."""
        self._subscriptions.pop(cursor, None)
        self._session.unsubscribe(cursor)
        self.changed()

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing until `resume`."""
        self._session.pause(cursor)
        self.changed()

    def resume(self, cursor: Cursor) -> None:
        """Deliver again, from the same place."""
        self._session.resume(cursor)
        self.changed()
