"""A connection without a socket: a link that notes what is done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from rhtmx import wire
from rhtmx.messages import Push, PushFields
from rhtmx.wire import Format, Message
from rhtmx_server.config import Config
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.session import Session, SessionLimits
from rhtmx_server.connections.turns import Turns
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.forms.runner import ValidatorRunner
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import Mutation
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.threads import DaemonPool
from rhtmx_server.writing.committer import Committer
from tests.unit.rhtmx_server.fakes import NOW, Lines, Soon, messages


@dataclass
class Clock:
    """Seconds that go on when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Link:
    """A transport that only takes notes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.buffered = 0
        self.paused = False
        self.unsaid: list[bytes] = []
        self.receive: Callable[[bytes], bool] = lambda data: True
        self.pings = 0
        self.closed: list[tuple[int, str]] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self.bring()

    def bring(self) -> None:
        """Bring what has arrived, until somebody has to wait."""
        while self.unsaid and not self.paused and self.receive(self.unsaid[0]):
            self.unsaid.pop(0)

    def ping(self) -> None:
        self.pings += 1

    def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))

    def abort(self) -> None:
        self.aborted = True

    def waiting(self) -> int:
        return self.buffered


class Held:
    """A committer that keeps every mutation until a test answers it."""

    def __init__(self) -> None:
        self.mutations: list[Mutation] = []
        self.confirmed: list[tuple[str, int]] = []

    def submit(self, mutation: Mutation) -> None:
        self.mutations.append(mutation)

    def confirm(self, client_id: str, seq: int) -> None:
        self.confirmed.append((client_id, seq))

    @property
    def pushed(self) -> list[Push | PushFields]:
        return [mutation.write for mutation in self.mutations]


class Meter:
    """Takes the figures of validators."""

    def validated(self, form: str, seconds: float) -> None: ...

    def abandoned(self, threads: int) -> None: ...


@dataclass
class Side:
    """One connection, and the server around it."""

    config: Config = field(default_factory=Config)
    limits: SessionLimits = field(default_factory=SessionLimits)
    entities: frozenset[str] | None = None
    authenticate: Any = None

    def __post_init__(self) -> None:
        self.soon, self.now, self.link, self.committer = Soon(), Clock(), Link(), Held()
        self.store = MemoryStore(new_epoch=lambda: "e")
        tick = Tick(self.soon)
        self.hub = Hub(tick)
        self.forms: dict[str, Form] = {}
        runner = ValidatorRunner(DaemonPool(1), timeout=60.0, meter=Meter())
        self.services = Services(
            config=self.config,
            store=self.store,
            hub=self.hub,
            committer=cast(Committer, self.committer),
            tick=tick,
            turns=Turns(self.now, self.soon),
            forms=FormTracker(runner, self.forms),
            metrics=Metrics(),
            clock=lambda: NOW,
            now=self.now,
            entities=self.entities,
            authenticate=self.authenticate,
            new_secret=lambda: "made here",
        )
        self.session = Session("s1", self.limits, self.now())
        self.connection = Connection(self.services, self.session, Lines(), self.link)
        self.link.receive = self._receive

    def _receive(self, data: bytes) -> bool:
        self.connection.alive()
        return self.connection.receive(data, True)

    def form(self, name: str) -> Form:
        """A form of the server's."""
        return self.forms.setdefault(name, Form(name))

    def say(self, *said: Message) -> None:
        """What the peer sends."""
        self.say_raw(*(wire.encode(message, Format.JSON) for message in said))

    def say_raw(self, *frames: bytes) -> None:
        self.link.unsaid += frames
        self.link.bring()

    @property
    def heard(self) -> list[Message]:
        """What the peer has been written since the last time."""
        self.soon.turn()
        written, self.link.written = self.link.written, []
        return messages(b"".join(written))

    def answer(self, *reply: Any) -> None:
        """Answer the oldest push that waits."""
        self.committer.mutations.pop(0).answer(reply)

    async def rest(self) -> None:
        """Wait until the connection has no task left."""
        while tasks := self.connection._tasks:
            await asyncio.wait(tasks)
