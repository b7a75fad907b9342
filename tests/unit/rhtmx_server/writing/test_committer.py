"""The committer: written, durable, answered, delivered; in that order, and always answered."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, PushAck
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Mutation
from rhtmx_server.ports import BatchNeeds, BatchWrites, Moment, Snapshot
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.writing import committer
from rhtmx_server.writing.batch import MAX_SECONDS
from rhtmx_server.writing.committer import MAX_CONFIRMED, MOST_TURNS, Committer
from rhtmx_server.writing.fair_queue import MAX_BATCH, MAX_BYTES
from tests.support.state_tables import NOTHING, state_table
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS
from tests.unit.rhtmx_server.fakes import NOW, push


class GatedStore(MemoryStore):
    """A store whose transactions end when a test lets them."""

    def __init__(self) -> None:
        super().__init__(new_epoch=lambda: "e")
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.begun = asyncio.Event()
        self.failure: Exception | None = None
        self.transactions: list[tuple[int, dict[str, int]]] = []

    async def commit(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        def noted(snapshot: Snapshot) -> BatchWrites:
            writes = decide(snapshot)
            self.transactions.append((len(writes.history), dict(writes.confirmed)))
            return writes

        await self._gated(wanted, noted)

    async def _gated(self, wanted: BatchNeeds, decide: Callable[[Snapshot], BatchWrites]) -> None:
        self.begun.set()
        await self.open_gate.wait()
        if self.failure is not None:
            decide(self._snapshot(wanted))
            raise self.failure
        await super().commit(wanted, decide)


class World:
    """A committer, and what it says to whom, in order."""

    def __init__(self, patience: float = 3600.0, most_clients: int = 100) -> None:
        self.store = GatedStore()
        self.events: list[str] = []
        self.replies: dict[str, ServerMessage] = {}
        self.answered: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.batches: list[int] = []
        self.transactions = self.store.transactions
        self.second = 0.0
        """What each look at the clock takes."""
        self.time = 0.0
        self.committer: Committer = Committer(
            self.store,
            DECIDERS,
            lambda: NOW,
            self,
            patience=patience,
            most_clients=most_clients,
            elapsed=self.elapsed,
            turn=self.wait_for_turn,
        )
        self.turn, self.asked = asyncio.Event(), asyncio.Event()
        self.turn.set()
        self.entities: Collection[str] = ()
        self.running = asyncio.create_task(self._run())

    @asynccontextmanager
    async def wait_for_turn(self, waiting: Callable[[], Iterable[str]]) -> AsyncIterator[None]:
        self.entities = set(waiting())
        self.asked.set()
        await self.turn.wait()
        yield

    def elapsed(self) -> float:
        self.time += self.second
        return self.time

    def committed(self, mutations: int, seconds: float) -> None:
        self.batches.append(mutations)

    async def _run(self) -> None:
        async for commits in self.committer.run():
            self.events += [f"deliver {commit.record.entity_id}" for commit in commits]

    def answering(self, name: str) -> Callable[[Sequence[ServerMessage]], None]:
        def answer(reply: Sequence[ServerMessage]) -> None:
            self.events.append(f"answer {name}")
            self.replies[name] = reply[-1]
            self.answered[name].set()

        return answer

    def submit(self, entity_id: str, source: str = "", data: bytes = b"1") -> None:
        mutation = Mutation(push(entity_id, data), self.answering(entity_id), source=source)
        self.committer.submit(mutation)

    async def done(self) -> None:
        """Until everything that was submitted is through."""
        self.committer.stop()
        await self.running

    def code(self, entity_id: str) -> ErrorCode | None:
        reply = self.replies[entity_id]
        assert isinstance(reply, Error)
        return reply.code


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.running.cancel()
    await asyncio.wait([world.running])


async def test_senders_are_answered_before_the_commit_is_delivered(world: World) -> None:
    world.submit("1")
    await world.done()
    assert world.events == ["answer 1", "deliver 1"]


async def test_nobody_is_answered_before_the_commit_is_durable(world: World) -> None:
    world.store.open_gate.clear()
    world.submit("1")
    await world.store.begun.wait()
    assert world.events == []
    world.store.open_gate.set()
    await world.done()
    assert world.events == ["answer 1", "deliver 1"]


async def test_what_gathers_during_a_transaction_becomes_the_next_one(world: World) -> None:
    world.store.open_gate.clear()
    world.submit("1")
    await world.store.begun.wait()
    for index in range(2, 6):
        world.submit(str(index))
    world.store.open_gate.set()
    await world.done()
    assert world.batches == [1, 4]


async def test_what_the_loop_reads_before_a_transaction_begins_belongs_to_it(world: World) -> None:
    world.submit("1")
    await asyncio.sleep(0)  # the committer wakes, and gives the loop a turn
    assert not world.store.begun.is_set()
    world.submit("2")
    await world.done()
    assert world.batches == [2]


async def test_what_comes_while_it_is_not_this_servers_turn_to_write_belongs_to_it(
    world: World,
) -> None:
    world.turn.clear()
    world.submit("1")
    await world.asked.wait()
    world.submit("2")
    world.turn.set()
    await world.done()
    assert world.batches == [2]
    assert world.entities == {"tasks"}


async def test_a_turn_that_brings_more_is_followed_by_another_one(world: World) -> None:
    world.submit("1")
    await asyncio.sleep(0)  # the committer wakes
    for index in range(2, MOST_TURNS):
        world.submit(str(index))
        await asyncio.sleep(0)
    assert not world.store.begun.is_set()
    await asyncio.sleep(0)  # which brings nothing
    await asyncio.sleep(0)
    assert world.store.begun.is_set()
    await world.done()
    assert world.batches == [MOST_TURNS - 1]


async def test_a_batch_waits_for_so_many_turns_however_much_they_bring(world: World) -> None:
    world.submit("0")
    await asyncio.sleep(0)
    for index in range(1, 3 * MOST_TURNS):
        world.submit(str(index))
        await asyncio.sleep(0)
    await world.done()
    assert world.batches[0] == MOST_TURNS + 1
    assert sum(world.batches) == 3 * MOST_TURNS


async def test_a_batch_that_is_full_waits_for_no_more(world: World) -> None:
    world.submit("first")
    await asyncio.sleep(0)
    for index in range(MAX_BATCH):
        world.submit(str(index))
    await asyncio.sleep(0)
    world.submit("last")
    await world.answered["0"].wait()
    assert world.batches == [MAX_BATCH]


async def test_the_answers_of_a_batch_can_be_sent_before_the_next_one_begins(world: World) -> None:
    for index in range(MAX_BATCH + 1):
        world.submit(str(index))
    await world.answered["0"].wait()
    assert world.batches == [MAX_BATCH]
    await world.done()
    assert world.batches == [MAX_BATCH, 1]


async def test_what_waits_for_its_turn_when_the_committer_ends_is_refused(world: World) -> None:
    world.submit("1")
    await asyncio.sleep(0)
    world.running.cancel()
    await asyncio.wait([world.running])
    assert world.code("1") is ErrorCode.SHUTTING_DOWN


async def test_answers_and_deliveries_keep_the_order_of_submission(world: World) -> None:
    names = [str(index) for index in range(50)]
    for name in names:
        world.submit(name)
    await world.done()
    assert [e for e in world.events if e.startswith("answer")] == [f"answer {n}" for n in names]
    assert [e for e in world.events if e.startswith("deliver")] == [f"deliver {n}" for n in names]


async def test_a_transaction_has_a_size_that_the_loop_can_bear(world: World) -> None:
    for index in range(MAX_BATCH + 1):
        world.submit(str(index))
    await world.done()
    assert world.batches == [MAX_BATCH, 1]


async def test_what_deciding_has_no_time_for_is_decided_in_the_next_transactions_in_order(
    world: World,
) -> None:
    world.second = MAX_SECONDS / 2.5
    names = [str(index) for index in range(8)]
    for name in names:
        world.submit(name)
    await world.done()
    assert world.batches == [3, 3, 2]
    assert [e for e in world.events if e.startswith("answer")] == [f"answer {n}" for n in names]
    assert all(isinstance(reply, PushAck) for reply in world.replies.values())


async def test_one_mutation_is_decided_however_long_it_takes(world: World) -> None:
    world.second = 10 * MAX_SECONDS
    world.submit("1")
    world.submit("2")
    await world.done()
    assert world.batches == [1, 1]


async def test_a_source_with_much_in_flight_holds_another_up_for_a_turn(world: World) -> None:
    world.store.open_gate.clear()
    world.submit("first")
    await world.store.begun.wait()
    heavy = b'"' + b"x" * (MAX_BYTES // 4) + b'"'
    for index in range(20):
        world.submit(f"heavy {index}", "one", heavy)
    world.submit("a", "other")
    world.submit("b", "other")
    world.store.open_gate.set()
    await world.answered["b"].wait()
    assert world.batches == [1, 5]
    await world.done()
    answers = [event for event in world.events if event.startswith("answer heavy")]
    assert answers == [f"answer heavy {index}" for index in range(20)]


async def test_what_was_put_back_is_answered_when_the_committer_ends(world: World) -> None:
    world.second = 10 * MAX_SECONDS
    world.submit("1")
    world.submit("2", "other")
    await world.answered["1"].wait()
    world.running.cancel()
    await asyncio.wait([world.running])
    assert world.code("2") is ErrorCode.SHUTTING_DOWN


async def test_with_another_epoch_all_that_waits_is_refused_and_its_numbers_are_void(
    world: World,
) -> None:
    world.store.open_gate.clear()
    world.submit("1")
    await world.store.begun.wait()
    world.submit("2")
    world.committer.confirm("c", 1)
    world.committer.begin_anew()
    assert world.code("2") is ErrorCode.STORAGE_FAILED
    world.store.open_gate.set()
    world.submit("3")
    await world.done()
    assert isinstance(world.replies["3"], PushAck)
    assert [confirmed for _, confirmed in world.transactions] == [{}, {}]


async def test_what_was_about_to_be_taken_is_refused_with_another_epoch(world: World) -> None:
    world.submit("1")
    await asyncio.sleep(0)
    world.committer.begin_anew()
    assert world.code("1") is ErrorCode.STORAGE_FAILED
    await world.done()
    assert not any(history for history, _ in world.transactions)


async def test_what_deciding_had_no_time_for_is_not_put_back_into_another_epoch(
    world: World,
) -> None:
    world.second = 10 * MAX_SECONDS
    world.store.open_gate.clear()
    world.submit("1")
    world.submit("2", "other")
    await world.store.begun.wait()
    world.committer.begin_anew()
    world.store.open_gate.set()
    await world.done()
    assert isinstance(world.replies["1"], PushAck)
    assert world.code("2") is ErrorCode.STORAGE_FAILED


async def test_a_batch_is_not_decided_in_another_epoch_than_it_was_sent_in(world: World) -> None:
    snapshot = world.store._snapshot

    def later(wanted: BatchNeeds) -> Snapshot:
        seen = snapshot(wanted)
        seen.moment = Moment("another", NOW)
        return seen

    world.store._snapshot = later  # type: ignore[method-assign]
    world.submit("1")
    await world.done()
    assert world.code("1") is ErrorCode.STORAGE_FAILED


async def test_a_store_that_is_full_refuses_the_batch_and_the_next_one_goes_on(
    world: World,
) -> None:
    world.store.failure = RhtmxError(ErrorCode.STORAGE_FULL, "no space left on the device")
    world.store.open_gate.clear()
    world.submit("1")
    world.submit("2")
    await world.store.begun.wait()
    world.store.open_gate.set()
    await world.answered["2"].wait()
    world.store.failure = None
    world.submit("3")
    await world.done()
    assert [world.code("1"), world.code("2")] == [ErrorCode.STORAGE_FULL] * 2
    assert isinstance(world.replies["3"], PushAck)
    assert world.replies["3"].version == 1


async def test_a_store_that_fails_unforeseen_answers_without_its_reasons(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.failure = ZeroDivisionError("secret")
    world.submit("1")
    await world.done()
    assert world.code("1") is ErrorCode.INTERNAL
    assert "secret" not in str(world.replies["1"])
    assert "ZeroDivisionError" in caplog.text
    assert world.events == ["answer 1"]


async def test_a_store_that_is_closed_answers_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(store: object) -> str:
        raise RhtmxError(ErrorCode.STORAGE_FAILED, "the database is closed")

    monkeypatch.setattr(GatedStore, "epoch", property(closed))
    world.submit("1")
    await world.done()
    assert world.code("1") is ErrorCode.STORAGE_FAILED


async def test_a_sender_that_cannot_be_answered_keeps_nobody_else_waiting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(reply: Sequence[ServerMessage]) -> None:
        raise ZeroDivisionError("no such peer")

    world.committer.submit(Mutation(push("broken"), broken))
    world.submit("1")
    await world.done()
    assert world.events == ["answer 1", "deliver broken", "deliver 1"]
    assert "ZeroDivisionError" in caplog.text


async def test_stopping_finishes_what_was_submitted(world: World) -> None:
    world.submit("1")
    world.committer.stop()
    world.submit("2")
    await world.running
    assert isinstance(world.replies["1"], PushAck)
    assert isinstance(world.replies["2"], PushAck)


async def test_stopping_without_anything_to_do_ends_at_once(world: World) -> None:
    await world.done()
    assert world.events == []


async def test_after_the_end_a_mutation_is_refused_and_not_forgotten(world: World) -> None:
    await world.done()
    world.submit("late")
    await world.answered["late"].wait()
    assert world.code("late") is ErrorCode.SHUTTING_DOWN


async def test_being_cancelled_refuses_whatever_was_not_finished(world: World) -> None:
    world.store.open_gate.clear()
    world.submit("under way")
    await world.store.begun.wait()
    world.submit("waiting")
    world.running.cancel()
    await asyncio.wait([world.running])
    assert world.code("under way") is ErrorCode.SHUTTING_DOWN
    assert world.code("waiting") is ErrorCode.SHUTTING_DOWN
    assert world.events == ["answer under way", "answer waiting"]


# What clients confirm.


async def test_what_is_confirmed_goes_along_with_the_next_mutations(world: World) -> None:
    world.committer.confirm("ada", 3)
    world.committer.confirm("bob", 1)
    world.submit("1")
    await world.answered["1"].wait()
    assert world.transactions == [(1, {"ada": 3, "bob": 1})]
    assert world.batches == [1]


async def test_what_is_confirmed_during_a_transaction_goes_along_with_the_one_after_it(
    world: World,
) -> None:
    world.store.open_gate.clear()
    world.submit("1")
    await world.store.begun.wait()
    for number in range(1500):
        world.committer.confirm(f"c{number % 300}", number)
    world.submit("2")
    world.store.open_gate.set()
    await world.answered["2"].wait()
    (first, second) = world.transactions
    assert first == (1, {})
    assert second == (1, {f"c{number}": 1200 + number for number in range(300)})


async def test_confirmations_alone_wait_for_company_and_become_one_transaction() -> None:
    world = World(patience=0.01)
    for number in range(300):
        world.committer.confirm(f"c{number}", 1)
    assert world.transactions == []
    await world.store.begun.wait()
    await world.done()
    assert [len(confirmed) for _, confirmed in world.transactions] == [300]
    assert world.batches == []


async def test_after_one_such_transaction_the_next_confirmations_are_written_too() -> None:
    world = World(patience=0.01)
    for _ in range(3):
        world.committer.confirm("ada", 1)
        await world.store.begun.wait()
        world.store.begun.clear()
    await world.done()
    assert [confirmed for _, confirmed in world.transactions] == 3 * [{"ada": 1}]


async def test_a_lower_number_takes_nothing_back(world: World) -> None:
    world.committer.confirm("ada", 5)
    world.committer.confirm("ada", 2)
    await world.done()
    assert world.transactions == [(0, {"ada": 5})]


async def test_many_confirmations_are_spread_over_transactions(world: World) -> None:
    for number in range(2 * MAX_BATCH + 1):
        world.committer.confirm(f"c{number}", 1)
    await world.done()
    sizes = [len(confirmed) for _, confirmed in world.transactions]
    assert sizes == [MAX_BATCH, MAX_BATCH, 1]


async def test_what_waits_to_be_confirmed_is_bounded_and_the_rest_is_said_again(
    world: World,
) -> None:
    for number in range(MAX_CONFIRMED + 10):
        world.committer.confirm(f"c{number}", 1)
    world.committer.confirm("c0", 9)
    assert len(world.committer._confirmed) == MAX_CONFIRMED
    await world.done()
    written = {key: seq for _, confirmed in world.transactions for key, seq in confirmed.items()}
    assert (len(written), written["c0"]) == (MAX_CONFIRMED, 9)
    assert world.committer._confirmed == {}


async def test_stopping_writes_what_was_confirmed_and_nothing_later(world: World) -> None:
    world.committer.confirm("ada", 1)
    await world.done()
    world.committer.confirm("bob", 1)
    assert world.transactions == [(0, {"ada": 1})]
    assert world.committer._confirmed == {}
    assert world.committer._timer is not None
    assert world.committer._timer.cancelled()


async def test_confirmations_that_cannot_be_written_are_logged_and_harm_no_write(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.failure = RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")
    world.committer.confirm("ada", 1)
    world.submit("1")
    await world.answered["1"].wait()
    assert world.code("1") is ErrorCode.STORAGE_FULL
    assert "1 mutations and 1 confirmations were not written" in caplog.text
    world.store.failure = None
    world.submit("2")
    await world.answered["2"].wait()
    assert isinstance(world.replies["2"], PushAck)


async def test_new_clients_are_refused_beyond_the_most_that_may_be_known() -> None:
    world = World(most_clients=1)
    for client_id in ("ada", "bob"):
        mutation = Mutation(
            push(client_id, seq=1), world.answering(client_id), client_id, secret=b"s"
        )
        world.committer.submit(mutation)
    await world.done()
    assert isinstance(world.replies["ada"], PushAck)
    assert world.code("bob") is ErrorCode.TOO_MANY_REQUESTS


# The table.


def state_of(world: World) -> str:
    if world.committer._ended:
        return "ended"
    if world.committer._stopping:
        return "stopping"
    return "writing" if world.store.begun.is_set() else "idle"


async def come_to(world: World, state: str) -> None:
    """Bring a committer into a state; what it begins to write stays unwritten."""
    world.store.open_gate.clear()
    if state in ("writing", "stopping"):
        world.submit("1")
        await world.store.begun.wait()
    if state in ("stopping", "ended"):
        world.committer.stop()
    if state == "ended":
        await world.running


def written(world: World) -> None:
    world.store.begun.clear()
    world.store.open_gate.set()


HAPPENS: dict[str, Callable[[World], None]] = {
    "submit": lambda world: world.submit("2"),
    "confirm": lambda world: world.committer.confirm("c", 1),
    "stop": lambda world: world.committer.stop(),
    "a batch is written, or fails": written,
}


@pytest.mark.parametrize(("cell", "state"), state_table(committer).items(), ids=str)
async def test_the_table_is_what_happens(cell: tuple[str, str], state: str) -> None:
    before, event = cell
    world = World()
    await come_to(world, before)
    assert state_of(world) == before
    HAPPENS[event](world)
    for _ in range(20):  # turns of the loop: nothing here waits for a clock
        await asyncio.sleep(0)
    assert state_of(world) == (before if state == NOTHING else state)
    world.store.open_gate.set()
    await world.done()


async def test_what_is_in_line_is_settled_once_it_is_answered_whatever_comes_later() -> None:
    world = World()
    store = world.store
    store.open_gate.clear()
    world.submit("1", "a")
    await store.begun.wait()

    def answered(reply: Sequence[ServerMessage]) -> None:
        world.events.append("answer 2")
        store.open_gate.clear()

    world.committer.submit(Mutation(push("2"), answered, source="a"))
    settled = asyncio.create_task(world.committer.settle(lambda each: each.source == "a"))
    await asyncio.sleep(0)
    world.submit("3", "a", b'"' + b"x" * MAX_BYTES + b'"')  # in a batch of its own
    store.open_gate.set()
    await settled
    assert [each for each in world.events if "answer" in each] == ["answer 1", "answer 2"]
    await world.committer.settle(lambda each: each.source == "b")
    store.open_gate.set()
    await world.done()


async def test_with_the_end_of_the_committer_everything_is_settled() -> None:
    world = World()
    world.store.open_gate.clear()
    world.submit("1")
    await world.store.begun.wait()
    settled = asyncio.create_task(world.committer.settle(lambda each: True))
    await asyncio.sleep(0)
    world.running.cancel()
    await settled
    assert world.code("1") is ErrorCode.SHUTTING_DOWN
    await world.committer.settle(lambda each: True)
