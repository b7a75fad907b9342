"""The hub: whoever watches an entity is told of each commit, or that some are missing."""

from __future__ import annotations

import pytest

from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.model import Commit
from tests.unit.rhtmx_server.fakes import at_once, commit


class Notes:
    """A watcher that takes notes."""

    def __init__(self) -> None:
        self.seen: list[int | str] = []

    def committed(self, commit: Commit) -> None:
        self.seen.append(commit.record.version)

    def missed(self, entity: str) -> None:
        self.seen.append(entity)


class Broken(Notes):
    """A watcher that fails."""

    def committed(self, commit: Commit) -> None:
        raise RuntimeError


def test_a_watcher_is_told_of_each_commit_until_it_watches_no_more() -> None:
    hub, notes = Hub(Tick(at_once)), Notes()
    hub.watch("tasks", notes)
    assert hub.reads("tasks")
    assert "tasks" in hub.read
    hub.deliver([commit(1), commit(2)])
    hub.unwatch("tasks")
    hub.deliver([commit(3)])
    assert (notes.seen, hub.reads("tasks"), {*hub.read}) == ([1, 2], False, set())


def test_a_watcher_is_told_that_it_has_missed_something() -> None:
    hub, notes = Hub(Tick(at_once)), Notes()
    hub.watch("tasks", notes)
    hub.deliver([commit(1), commit(3)])
    hub.skip("tasks", 7)
    assert notes.seen == [1, "tasks", 3, "tasks"]


def test_a_watcher_that_fails_costs_nobody_anything(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(Tick(at_once))
    hub.watch("tasks", Broken())
    hub.deliver([commit(1)])
    assert hub.position("tasks") == 1
    assert "a watcher could not be told" in caplog.text
