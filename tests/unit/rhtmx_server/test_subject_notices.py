"""What is said of a subject at one node is done at the others, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server import subject_notices
from rhtmx_server.sharing import SubjectNotice
from rhtmx_server.subject_notices import SubjectNotices
from tests.support.waiting import eventually


class Store:
    """What nodes have written down, and whether it is there."""

    def __init__(self) -> None:
        self.told: list[SubjectNotice] = []
        self.noted: list[SubjectNotice] = []
        self.asked = 0
        self.lost = False

    async def notices(self) -> Sequence[SubjectNotice]:
        self.asked += 1
        self._require()
        told, self.told = self.told, []
        return told if self.asked > 1 else ()

    async def note(self, notice: SubjectNotice) -> None:
        self._require()
        self.noted.append(notice)

    def _require(self) -> None:
        if self.lost:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "it is not there")


class Node:
    """A node, and what it has done."""

    def __init__(self) -> None:
        self.store = Store()
        self.notices = SubjectNotices(cast(Any, self.store))
        self.done: list[str] = []

    def disconnect(self, subject: str) -> None:
        self.done.append(f"{subject} disconnected")

    async def rescope(self, subject: str) -> None:
        self.done.append(f"{subject} rescoped")


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(subject_notices, "LOOK_EVERY", 0.001)
    node = Node()
    await node.notices.start()
    running = asyncio.create_task(node.notices.run(node.disconnect, node.rescope))
    yield node
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_was_told_between_the_start_and_the_first_look_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody may be connected by then."""
    node = Node()
    await node.notices.start()
    node.store.told = [SubjectNotice("ada", ends=True)]
    running = asyncio.create_task(node.notices.run(node.disconnect, node.rescope))
    await eventually(lambda: node.done == ["ada disconnected"])
    running.cancel()


async def test_what_others_tell_is_done_in_order(node: Node) -> None:
    node.store.told = [SubjectNotice("ada", ends=False), SubjectNotice("bob", ends=True)]
    await eventually(lambda: node.done == ["ada rescoped", "bob disconnected"])


async def test_what_was_told_while_the_store_was_away_is_done_when_it_is_back(node: Node) -> None:
    node.store.lost = True
    asked = node.store.asked
    await eventually(lambda: node.store.asked > asked)
    node.store.told = [SubjectNotice("ada", ends=True)]
    node.store.lost = False
    await eventually(lambda: node.done == ["ada disconnected"])


async def test_what_cannot_be_written_down_now_is_written_down_later(node: Node) -> None:
    node.store.lost = True
    node.notices.tell(SubjectNotice("ada", ends=True))
    asked = node.store.asked
    await eventually(lambda: node.store.asked > asked + 1)
    node.store.lost = False
    await node.notices.finish()
    assert node.store.noted == [SubjectNotice("ada", ends=True)]


async def test_a_node_that_stops_does_not_wait_for_a_store_that_is_away(node: Node) -> None:
    node.store.lost = True
    node.notices.tell(SubjectNotice("ada", ends=True))
    await node.notices.finish()
    assert node.store.noted == []
