"""The well-behaved client: a few questions, at a steady pace, and how long each took.

An open loop: a question leaves when it is due, whatever has been answered, and its
latency counts from then (see `pacing`). Unlike there the load sleeps between two of
them: it shares its core with the hostile side.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from benchmarks.support.pacing import there
from benchmarks.support.sockets import Client

RATE = 50
"""Questions of a kind per second."""

INSTANCES = 1_000
"""Copies of the form: a newer question about the same one would take over from the last."""

Question = tuple[str, int]
"""Its kind, and its number."""


class Beside(Protocol):
    """A client that asks a server."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it asks."""

    @property
    def sockets(self) -> tuple[Client, ...]:
        """Where answers arrive."""

    def ask(self, kind: str, number: int) -> None:
        """Ask a question."""

    def arrived(self, client: Client) -> Iterator[tuple[Question, bool]]:
        """Which questions are answered by what has arrived; `False`: refused, ask again."""


class OurClient:
    """Pushes, validates, reads, and sees on a second socket what was pushed."""

    kinds = ("push", "change", "validate", "read")

    def __init__(self, port: int) -> None:
        self._client, self._reader = self.sockets = Client(port), Client(port)
        self._client.say(type="hello", client_id=f"beside-{time.time_ns()}")
        self._client.until(b'"welcome"')
        self._reader.say(type="hello")
        self._reader.say(type="subscribe", entities=["bench"])
        self._reader.until(b'"sync_complete"')
        for each in self.sockets:
            each.socket.setblocking(False)

    def ask(self, kind: str, number: int) -> None:
        client, request = self._client, f"{kind} {number}"
        if kind == "push":  # and with it the change
            client.say(
                type="push", request_id=request, entity="bench", entity_id=str(number % 100),
                action="update", data={"beside": number, "text": "x" * 100},
            )  # fmt: skip
        elif kind == "validate":
            client.say(
                type="validate_field", request_id=request, form="signup",
                form_instance=str(number % INSTANCES), field="thread", value="some name",
            )  # fmt: skip
        elif kind == "read":
            client.say(type="sync", request_id=request, entity="small", since=0)

    def arrived(self, client: Client) -> Iterator[tuple[Question, bool]]:
        for message in map(json.loads, there(client)):
            if message["type"] == "ping":
                client.say(type="pong")
            elif client is self._reader:
                data = message["change"]["data"] if message["type"] == "change" else None
                if isinstance(data, dict) and "beside" in data:
                    yield ("change", data["beside"]), True
            elif "request_id" in message:
                kind, _, number = message["request_id"].partition(" ")
                yield (kind, int(number)), message["type"] != "error"


class EchoClient:
    """Gets back what it sends."""

    kinds = ("echo",)

    def __init__(self, port: int) -> None:
        self._client = Client(port, "/")
        self._client.socket.setblocking(False)
        self.sockets = (self._client,)

    def ask(self, kind: str, number: int) -> None:
        self._client.say(number=number, text="x" * 100)

    def arrived(self, client: Client) -> Iterator[tuple[Question, bool]]:
        for message in there(client):
            yield ("echo", json.loads(message)["number"]), True


class Waits:
    """How long the answers of a client took, by kind, while it goes on asking.

    What is refused for now is asked again at the next step, and counts from the first time.
    """

    def __init__(self, client: Beside) -> None:
        self._client = client
        self._by_socket = {each.socket: each for each in client.sockets}
        self._due: dict[Question, float] = {}
        self._again: list[Question] = []
        self._number = 0
        self._taken: dict[str, list[float]] = {}

    def during(
        self, seconds: float, patience: float, then: Callable[[], None] = lambda: None
    ) -> dict[str, list[float]]:
        """Ask at the pace for so long, then wait for what is still missing.

        Args:
            seconds: how long.
            patience: seconds to wait then; what has not come counts as that old.
            then: called between the two.

        Returns:
            By kind: seconds, sorted.
        """
        clock = time.perf_counter
        self._taken = {kind: [] for kind in self._client.kinds}
        began = clock()
        for number in range(round(seconds * RATE)):
            self._step(began + number / RATE, new=True)
        then()
        last = clock() + patience
        while self._due and clock() < last:
            self._step(clock() + 1 / RATE, new=False)
        for (kind, _), since in self._due.items():
            self._taken[kind].append(clock() - since)
        self._due.clear()
        self._again.clear()
        return {kind: sorted(taken) for kind, taken in self._taken.items()}

    def _step(self, due: float, *, new: bool) -> None:
        """Take what arrives until it is time, then ask: again what was refused, and anew."""
        self._take(0)  # at least once, however late it is
        while due > (now := time.perf_counter()):
            self._take(due - now)
        again, self._again = self._again, []
        if new:
            self._number += 1
            asked = [(kind, self._number) for kind in self._client.kinds]
            self._due |= dict.fromkeys(asked, due)
            again += asked
        for question in again:
            self._client.ask(*question)

    def _take(self, seconds: float) -> None:
        """Take what arrives, at most so long."""
        ready, _, _ = select.select(list(self._by_socket), (), (), seconds)
        now = time.perf_counter()
        for each in ready:
            for question, good in self._client.arrived(self._by_socket[each]):
                if question not in self._due:
                    continue
                if good:
                    self._taken[question[0]].append(now - self._due.pop(question))
                else:
                    self._again.append(question)
