"""One node among several: what it reads from the store, and when it need not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.delivery import following
from rhtmx_server.delivery.announcement import pack, rows_of
from rhtmx_server.delivery.following import Following
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.log_body import pack as pack_body
from rhtmx_server.model import Commit, CommittedBatch, Head, HistoryEntry, LogRow
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.fakes import Soon, commit

PLENTY = 1 << 20


class Store:
    """A store to which other nodes commit, and which counts what it is asked."""

    cluster, node, epoch = "one", "me", "e"

    def __init__(self) -> None:
        self.log: list[Commit] = []
        self.floor = 0
        self.looks = 0
        self.reads = 0
        self.moves = 0
        self.lost = self.void = False
        self.too_much = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def commit(self, *commits: Commit) -> bytes:
        """Commit at another node; what that one says of it."""
        self.log += commits
        return pack(self.epoch, rows_of(commits), PLENTY)

    async def heads(self) -> dict[str, Head]:
        await self.may_answer.wait()
        return {each.record.entity: Head(each.record.version, self.floor) for each in self.log}

    async def look_up(self, entities: Collection[str]) -> Mapping[str, Head]:
        self.looks += 1
        if self.lost:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "it is not there")
        return {name: head for name, head in (await self.heads()).items() if name in entities}

    async def log_after(self, positions: Mapping[str, int]) -> Sequence[CommittedBatch] | None:
        self.reads += 1
        log = list(self.log)
        await self.may_answer.wait()
        if self.lost:
            raise RhtmxError(ErrorCode.STORAGE_FAILED, "it is not there")
        if self.too_much:
            return None
        return [
            [LogRow(r.entity, r.version - 1, r.version, pack_body([_entry(each)]))]
            for each in log
            for r in [each.record]
            if r.version > positions.get(r.entity, r.version)
        ]

    async def renew_epoch(self) -> str:
        self.epoch = "f"
        return self.epoch

    def moved(self) -> None:
        self.moves += 1


class Bus:
    """A bus whose other end is the test."""

    most_bytes, dropped = PLENTY, 0

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.is_there = True

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        self.heard, self.missed = heard, missed

    def announce(self, message: bytes) -> None:
        self.said.append(message)

    def ready(self) -> bool:
        return self.is_there

    async def close(self) -> None:
        pass


class Reader:
    """Reads an entity live."""

    def __init__(self) -> None:
        self.fallen: list[int] = []

    def fell(self, entity: str, granularity: object, sent: int) -> None:
        self.fallen.append(sent)


class Node:
    """A node that follows, and what it hands out."""

    def __init__(self) -> None:
        self.store, self.bus = Store(), Bus()
        self.hub = Hub(Tick(Soon()))
        self.taken: list[int] = []
        self.moved: list[str] = []
        self.anew = 0
        self.read: set[str] = set()
        self.hub.reads = lambda entity: entity in self.read  # type: ignore[method-assign]
        self.following = Following(
            cast(Any, self.store),
            cast(Any, self.bus),
            self.hub,
            take=self._take,
            moved=self._moved,
            told=lambda entity, commits: commits,
            begun_anew=self._begin_anew,
            now=asyncio.get_running_loop().time,
        )

    def _take(self, commits: Sequence[Commit]) -> None:
        self.taken += [each.record.version for each in commits]
        self.hub.deliver(commits)

    def _moved(self, entities: Iterable[str]) -> None:
        self.moved += entities

    def _begin_anew(self) -> None:
        self.anew += 1


async def _nothing() -> Mapping[str, Head]:
    return {}


def _entry(each: Commit) -> HistoryEntry:
    return HistoryEntry(each.record, each.granularity, commit=each)


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    """A node that runs, of which somebody reads `tasks`; it looks only if there is a reason."""
    monkeypatch.setattr(following, "LOOK_EVERY", 3600.0)
    monkeypatch.setattr(following, "LOOK_WITHOUT_BUS", 0.01)
    node = Node()
    monkeypatch.setattr(type(node.hub), "read", node.read)
    node.read.add("tasks")
    await node.following.start()
    running = asyncio.create_task(node.following.run())
    yield node
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await node.following.stop()


async def test_what_others_say_is_handed_out_and_the_store_is_asked_nothing(node: Node) -> None:
    for version in range(1, 100):
        node.bus.heard(node.store.commit(commit(version)))
    assert node.taken == [*range(1, 100)]
    assert (node.store.looks, node.store.reads) == (0, 0)


async def test_one_s_own_commits_are_said_and_handed_out(node: Node) -> None:
    node.following.committed([commit(1), commit(2)])
    assert node.taken == [1, 2]
    assert node.bus.said == [pack("e", rows_of([commit(1), commit(2)]), PLENTY)]


async def test_pages_that_were_read_before_are_void_before_anything_is_handed_out(
    node: Node,
) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    assert node.store.moves == 1


async def test_what_the_bus_has_lost_is_read_from_the_log(node: Node) -> None:
    node.store.commit(commit(1))
    node.bus.heard(node.store.commit(commit(2)))
    assert node.taken == []
    await eventually(lambda: node.taken == [1, 2])
    assert node.store.reads == 1


async def test_what_is_said_without_commits_is_read_at_once(node: Node) -> None:
    node.store.commit(commit(1))
    node.bus.heard(pack("e", rows_of([commit(1)]), 10))
    await eventually(lambda: node.taken == [1])


async def test_a_bus_that_may_have_missed_something_has_the_store_be_looked_at(node: Node) -> None:
    node.store.commit(commit(1))
    node.bus.missed()
    await eventually(lambda: node.taken == [1])


async def test_while_there_is_no_bus_the_store_is_looked_at_all_the_time(node: Node) -> None:
    node.bus.is_there = False
    node.bus.missed()
    await eventually(lambda: node.store.looks > 2)
    node.store.commit(commit(1))
    await eventually(lambda: node.taken == [1])


async def test_of_what_nobody_reads_only_the_end_is_noted(node: Node) -> None:
    node.bus.heard(node.store.commit(commit(1, "carts"), commit(2, "carts")))
    assert node.taken == []
    assert node.hub.position("carts") == 2
    assert node.moved == ["carts"]


async def test_who_wants_what_nobody_read_waits_until_it_is_known_where_it_ends(node: Node) -> None:
    node.store.commit(commit(1, "carts"), commit(2, "carts"))
    node.store.floor = 1
    reached = node.following.reach(["carts"], {})
    assert reached is not None
    await reached
    assert node.hub.head("carts") == Head(2, 1)


async def test_who_wants_what_is_read_already_waits_for_nothing(node: Node) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    assert node.following.reach(["tasks"], {"tasks": 1}) is None


async def test_who_has_seen_more_at_another_node_waits_until_it_is_there(node: Node) -> None:
    node.store.commit(commit(1))
    reached = node.following.reach(["tasks"], {"tasks": 1})
    assert reached is not None
    await reached
    assert node.taken == [1]


async def test_of_more_than_a_reader_wants_to_be_told_one_by_one_only_the_end_counts(
    node: Node,
) -> None:
    node.store.too_much = True
    node.store.commit(*map(commit, range(1, 10)))
    node.bus.missed()
    await eventually(lambda: node.hub.position("tasks") == 9)
    assert node.taken == []


async def test_a_store_that_is_not_there_is_asked_again(node: Node) -> None:
    node.store.lost = True
    node.bus.missed()
    await eventually(lambda: node.store.looks > 2)
    node.store.commit(commit(1))
    node.store.lost = False
    await eventually(lambda: node.taken == [1])


async def test_where_it_will_never_write_again_everybody_goes_elsewhere(node: Node) -> None:
    node.store.lost = node.store.void = True
    node.bus.missed()
    await eventually(lambda: node.anew > 0)


async def test_with_another_epoch_everybody_comes_back_and_nothing_of_before_is_handed_out(
    node: Node,
) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    late = node.store.commit(commit(2))
    node.store.log = [commit(1)]
    node.store.epoch = "f"
    node.bus.heard(node.store.commit(commit(2)))
    await eventually(lambda: node.anew == 1)
    assert node.hub.position("tasks") == 2
    node.bus.heard(late)
    assert node.taken == [1]


async def test_a_store_that_has_less_than_was_handed_out_begins_another_epoch(node: Node) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    node.bus.heard(node.store.commit(commit(2)))
    node.store.log = [commit(1)]
    node.bus.missed()
    await eventually(lambda: node.anew == 1)
    assert (node.store.epoch, node.hub.position("tasks")) == ("f", 1)


async def test_a_store_that_has_nothing_of_what_was_handed_out_begins_another_epoch(
    node: Node,
) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    node.store.log = []
    node.bus.missed()
    await eventually(lambda: node.anew == 1)
    assert (node.store.epoch, node.hub.position("tasks")) == ("f", 0)


async def test_nobody_is_told_of_a_place_of_before_by_the_new_epoch(node: Node) -> None:
    """Not even while the store is asked where its logs end in its new life."""
    node.bus.heard(node.store.commit(commit(1)))
    node.bus.heard(node.store.commit(commit(2)))
    node.read.clear()
    node.store.log = [commit(1)]
    node.store.epoch = "f"
    node.bus.missed()
    node.store.may_answer.clear()
    looked = node.store.look_up
    node.store.look_up = lambda entities: _nothing()  # type: ignore[method-assign]
    await eventually(lambda: node.anew == 1)
    assert node.hub.position("tasks") == 0
    # Somebody who was sent away may be there still: nobody goes by that.
    node.read.add("tasks")
    reached = node.following.reach(["tasks"], {})
    assert reached is not None
    await reached
    node.store.look_up = looked  # type: ignore[method-assign]
    node.store.may_answer.set()
    await eventually(lambda: node.hub.position("tasks") == 1)


async def test_what_was_read_of_a_life_that_is_over_is_not_handed_out(node: Node) -> None:
    node.bus.heard(node.store.commit(commit(1)))
    node.store.commit(commit(2))
    late = node.store.commit(commit(3))
    node.store.may_answer.clear()
    node.bus.heard(late)
    await eventually(lambda: node.store.reads == 1)
    node.store.log = [commit(1)]
    node.store.epoch = "f"
    node.store.may_answer.set()
    reached = node.following.reach(["carts"], {})
    assert reached is not None
    await reached
    await eventually(lambda: node.anew == 1)
    node.store.commit(commit(2))
    node.bus.missed()
    await eventually(lambda: node.taken == [1, 2])
    assert node.following.held == 0


async def test_that_a_store_is_gone_is_found_out_while_something_is_missing(node: Node) -> None:
    node.store.commit(commit(1))
    node.store.lost = True
    node.bus.heard(node.store.commit(commit(2)))
    await eventually(lambda: node.store.looks > 2)
    node.store.lost = False
    await eventually(lambda: node.taken == [1, 2])


async def test_what_is_of_another_version_of_the_server_is_no_reason_to_fail(node: Node) -> None:
    node.store.commit(commit(1))
    node.bus.heard(b"from the future")
    await eventually(lambda: node.taken == [1])
