"""A session whose results are looked at one by one, instead of step by step.

Knows `Session.step`. Must not know what is tested.
"""

from __future__ import annotations

from typing import Any

from rhtmx.core.events import Event, Input, Received, StepResult, TimePassed
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Store, keep
from rhtmx.wire import ClientMessage, Message

__all__ = ["Stepped"]


class Stepped:
    """Steps a session, and keeps what it tells. Everything else is the session's.

    Args:
        args: as for `Session`.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        self.session = Session(*args, **named)
        self._events: list[Event] = []
        self._messages: list[ClientMessage] = []
        self._now = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def receive(self, message: Message | None, now: float) -> None:
        """A message arrives."""
        self.step(Received(message), now)

    def tick(self, now: float) -> bool:
        """A deadline has come; returns whether the connection is still good."""
        return self.step(TimePassed(), now).alive

    def take(self, now: float) -> list[ClientMessage]:
        """What is sent now."""
        self.step(None, now, sends=True)
        messages, self._messages = self._messages, []
        return messages

    def keep(self, store: Store) -> None:
        """The store works off what there is."""
        batch = self.step(None, self._now, stores=True).batch
        if batch is not None:
            self.step(keep(store, batch), self._now)

    def events(self) -> list[Event]:
        """What has happened since the last call."""
        self.step(None, self._now)
        events, self._events = self._events, []
        return events

    @property
    def deadline(self) -> float | None:
        """When time has to pass."""
        return self.step(None, self._now, sends=True).deadline

    def step(self, happened: Input, now: float, **room: bool) -> StepResult:
        """As `Session.step`."""
        self._now = now
        result = self.session.step(happened, now, **room)
        self._events += result.events
        self._messages += result.messages
        return result
