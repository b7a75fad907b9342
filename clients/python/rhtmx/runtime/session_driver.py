"""Tells a session what happens, and hands on what follows from it, each to whom it concerns.

Knows who there is: those who wait, the one who writes to the socket, the one who stores.
Must not know what any of them does, nor what is decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rhtmx.core.events import Input, StepResult, TimePassed
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import BatchOutcome, OpBatch
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.subscription import Subscription

__all__ = ["SessionDriver"]


class SessionDriver:
    """The steps of one session.

    Whoever sends and whoever stores wait for their event, and then come for what there is
    when they have room for it: what has piled up meanwhile is one piece of work.

    Args:
        session: what decides.
        router: hands what it tells to whoever waits for it.

    Attributes:
        session: what decides.
        to_send: set when there may be something to send.
        to_store: set when there may be something to store.
    """

    def __init__(self, session: Session, router: EventRouter) -> None:
        self.session = session
        self.to_send = asyncio.Event()
        self.to_store = asyncio.Event()
        self._router = router
        self._time: Callable[[], float] | None = None

    def step(self, happened: Input = None) -> list[Subscription[object]]:
        """Something happened, or was asked for.

        Returns:
            The subscriptions that have to make room before more is received.

        Raises:
            RhtmxError: as `Session.step` does.
        """
        _, full = self._step(happened)
        self.to_send.set()
        self.to_store.set()
        return full

    def look(self) -> StepResult:
        """The deadline has come."""
        result, _ = self._step(TimePassed())
        self.to_send.set()
        return result

    def next_messages(self) -> StepResult:
        """All that is to be sent now."""
        self.to_send.clear()
        result, _ = self._step(None, sends=True)
        return result

    def next_batch(self, outcome: BatchOutcome | None) -> OpBatch | None:
        """All that is to be stored now, if there is anything; nothing, if the last batch failed.

        What the store could not take would else be tried again at once, thousands of times a
        second.

        Args:
            outcome: what came of the last batch, if that was not said yet.
        """
        stores = outcome is None or outcome.error is None
        if stores:  # else what has come since waits no longer than it must
            self.to_store.clear()
        result, _ = self._step(outcome, stores=stores)
        if outcome is not None:
            self.to_send.set()
        return result.batch

    def _step(
        self, happened: Input, *, sends: bool = False, stores: bool = False
    ) -> tuple[StepResult, list[Subscription[object]]]:
        if self._time is None:  # kept: a collection may be closed after the end of its loop
            self._time = asyncio.get_running_loop().time
        result = self.session.step(happened, self._time(), sends=sends, stores=stores)
        return result, self._router.take(result)
