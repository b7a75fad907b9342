"""The subscriptions of a connection: each a cursor that catches up from the store and goes live."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldChange,
    Position,
    Sync,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
)
from rhtmx.wire import Message
from rhtmx_server.delivery import subscriptions
from rhtmx_server.model import Granularity, Head, Record
from rhtmx_server.stores.memory import MemoryStore
from tests.support.state_tables import NOTHING, state_table
from tests.unit.rhtmx_server.delivery.reading_world import PausingStore, Reader, World, run
from tests.unit.rhtmx_server.fakes import (
    FIELDS,
    NOW,
    RECORDS,
    pause,
    push,
    push_fields,
    update,
    version,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reader(world: World) -> Reader:
    return world.reader()


def changes(received: list[Message]) -> list[int]:
    """The versions of the changes among them."""
    return [version(m) for m in received if isinstance(m, Change | FieldChange)]


def complete(received: list[Message]) -> list[SyncComplete | SyncFieldsComplete]:
    return [m for m in received if isinstance(m, SyncComplete | SyncFieldsComplete)]


def mores(received: list[Message]) -> list[bool | None]:
    return [m.change.more for m in received if isinstance(m, FieldChange) and m.change]


# Starting a live stream.


def test_a_bare_subscription_starts_at_the_head_without_an_answer(
    world: World, reader: Reader
) -> None:
    world.fill(3)
    reader.subscribe(RECORDS)
    world.settle()
    assert reader.take() == []
    world.write(push("9"))
    world.settle()
    assert changes(reader.take()) == [4]


def test_a_subscription_with_a_position_gets_what_it_missed_and_then_the_answer(
    world: World, reader: Reader
) -> None:
    world.fill(5)
    reader.subscribe(RECORDS, since=2)
    world.settle()
    received = reader.take()
    assert changes(received) == [3, 4, 5]
    assert received[-1] == SyncComplete(entity="tasks", version=5, epoch="e", reset=False)


def test_what_is_committed_while_it_catches_up_comes_once_and_in_order(
    world: World, reader: Reader
) -> None:
    world.store.page = world.store.before = world.store.after = 1
    world.fill(3)
    reader.subscribe(RECORDS, since=0)
    for number in range(40):
        world.write(push(f"late-{number}"))
        world.step()
        world.soon.turn()
    world.settle()
    received = reader.take()
    assert changes(received) == list(range(1, 44))
    assert len(complete(received)) == 1


def test_what_is_durable_but_not_handed_out_yet_is_not_read_ahead(
    world: World, reader: Reader
) -> None:
    world.fill(1)
    world.write(push("9"), hand_out=False)
    reader.subscribe(RECORDS, since=0)
    reader.steps.step()
    assert changes(reader.out) == [1]
    world.settle()
    assert changes(reader.take()) == [1, 2]


def test_an_empty_log_is_complete_at_once(world: World, reader: Reader) -> None:
    reader.subscribe(RECORDS, since=0)
    world.settle()
    assert reader.take() == [SyncComplete(entity="tasks", version=0, epoch="e", reset=False)]


@pytest.mark.parametrize(
    ("since", "epoch"), [(3, "another"), (9, "e"), (3, "")], ids=["epoch", "above head", "none"]
)
def test_a_position_that_cannot_be_resumed_gets_everything_and_is_told(
    world: World, reader: Reader, since: int, epoch: str
) -> None:
    world.fill(4)
    reader.subscribe(RECORDS, since=since, epoch=epoch)
    world.settle()
    received = reader.take()
    assert changes(received) == [1, 2, 3, 4]
    assert [m.reset for m in complete(received)] == [True]


def test_below_the_floor_everything_is_read_anew(world: World, reader: Reader) -> None:
    world.fill(3)
    world.write(push("2", None, action=ChangeAction.DELETE), push("9"))
    run(world.store.collect(history_before=0, tombstones_before=2**62))
    world.hub.raise_floors(run(world.store.heads()))
    reader.subscribe(RECORDS, since=2)
    world.settle()
    received = reader.take()
    assert changes(received) == [1, 3, 5]
    assert [m.reset for m in complete(received)] == [True]


def test_a_log_longer_than_a_page_comes_whole(world: World, reader: Reader) -> None:
    world.fill(300)
    reader.subscribe(RECORDS, since=0)
    world.settle()
    assert changes(reader.take()) == list(range(1, 301))


def test_others_are_served_between_two_pages(world: World) -> None:
    world.fill(300)
    big, small = world.reader(), world.reader()
    big.subscribe(RECORDS, since=0)
    small.subscribe(RECORDS, since=299)
    world.step()
    assert len(changes(big.out)) == 128
    assert changes(small.out) == [300]


def test_two_entities_take_turns(world: World, reader: Reader) -> None:
    world.fill(300)
    world.write(push("1", entity="users"))
    reader.subscribe(RECORDS, since=0)
    reader.subscriptions.subscribe("users", RECORDS, Position(epoch="e", version=0))
    while not complete(reader.out):
        reader.steps.step()
    assert [m.entity for m in complete(reader.out)] == ["users"]
    world.settle()
    assert len(changes(reader.take())) == 301


# Widening and narrowing.


def test_the_other_granularity_widens_the_live_stream(world: World, reader: Reader) -> None:
    reader.subscribe(RECORDS)
    reader.subscribe(FIELDS)
    world.write(push("1"), push_fields(update("n", b"2")))
    world.settle()
    assert [type(m) for m in reader.take()] == [Change, FieldChange]
    assert reader.subscriptions.count == 1


def test_widening_in_the_middle_of_a_turn_neither_loses_nor_doubles(
    world: World, reader: Reader
) -> None:
    reader.subscribe(RECORDS)
    world.write(push("1"))
    reader.subscribe(FIELDS)
    world.write(push_fields(update("n", b"2")))
    world.settle()
    assert changes(reader.take()) == [1, 2]


def test_one_who_falls_at_the_moment_of_widening_is_not_live_twice(
    world: World, reader: Reader
) -> None:
    reader.subscribe(RECORDS)
    world.write(push("1"))
    reader.outbox.behind = True
    reader.subscribe(FIELDS)
    world.write(push("2"))
    reader.outbox.behind = False
    world.settle()
    assert changes(reader.take()) == [1, 2]


def test_subscribing_again_at_the_same_granularity_changes_nothing(
    world: World, reader: Reader
) -> None:
    reader.subscribe(RECORDS)
    reader.subscribe(RECORDS)
    world.write(push("1"))
    world.settle()
    assert changes(reader.take()) == [1]


@pytest.mark.parametrize(("ended", "left"), [(RECORDS, FieldChange), (FIELDS, Change)])
def test_narrowing_leaves_the_other_granularity(
    world: World, reader: Reader, ended: Granularity, left: type[Message]
) -> None:
    reader.subscribe(RECORDS)
    reader.subscribe(FIELDS)
    reader.subscriptions.unsubscribe("tasks", ended)
    world.write(push("1"))
    world.settle()
    assert [type(m) for m in reader.take()] == [left]


@pytest.mark.parametrize(("ended", "left"), [(RECORDS, FieldChange), (FIELDS, Change)])
def test_narrowing_while_it_catches_up_leaves_the_other_granularity(
    world: World, reader: Reader, ended: Granularity, left: type[Message]
) -> None:
    world.fill(1)
    reader.subscribe(RECORDS, since=0)
    reader.subscribe(FIELDS)
    reader.subscriptions.unsubscribe("tasks", ended)
    world.settle()
    reader.take()
    world.write(push("1"))
    world.settle()
    assert [type(m) for m in reader.take()] == [left]


# Ending.


def test_nothing_comes_after_the_end_of_a_subscription(world: World, reader: Reader) -> None:
    reader.subscribe(RECORDS)
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    world.write(push("1"))
    world.settle()
    assert (reader.take(), reader.subscriptions.count) == ([], 0)


def test_ending_what_was_never_begun_is_no_error(world: World, reader: Reader) -> None:
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    reader.subscribe(FIELDS)
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    assert reader.subscriptions.subscribed("tasks")


def test_an_answer_that_is_due_comes_after_the_end_of_the_subscription(
    world: World, reader: Reader
) -> None:
    world.fill(300)
    reader.subscribe(RECORDS, since=0)
    world.step()
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    world.settle()
    received = reader.take()
    assert changes(received) == list(range(1, 301))
    assert len(complete(received)) == 1
    world.write(push("9"))
    world.settle()
    assert reader.take() == []


def test_one_who_fell_and_ends_the_subscription_is_read_no_further(
    world: World, reader: Reader
) -> None:
    world.store.page = 1
    reader.subscribe(FIELDS)
    reader.outbox.behind = True
    world.fill(5)
    reader.outbox.behind = False
    world.step()
    reader.subscriptions.unsubscribe("tasks", FIELDS)
    world.settle()
    assert changes(reader.take()) == [1]
    world.write(push("1", b'{"n":7}'))
    reader.subscribe(FIELDS, since=5)
    world.settle()
    assert changes(reader.take()) == [6], "nothing of the old stream comes late"


def test_after_the_end_of_the_connection_nothing_is_kept(world: World, reader: Reader) -> None:
    world.fill(300)
    reader.subscribe(RECORDS, since=0)
    reader.subscriptions.subscribe("users", RECORDS, None)
    world.step()
    reader.subscriptions.close()
    reader.take()
    world.write(push("1"), push("1", entity="users"))
    world.settle()
    assert reader.take() == []
    assert (
        reader.subscriptions.count,
        reader.subscriptions.lagging,
        reader.subscriptions.syncs,
    ) == (0, 0, 0)
    assert world.hub._groups == {}


def test_a_page_that_arrives_after_the_end_is_not_sent(world: World, reader: Reader) -> None:
    world.store.after = 1
    world.fill(2)
    reader.subscribe(RECORDS, since=0)
    world.step()
    reader.subscriptions.close()
    world.settle()
    assert reader.take() == []


# Syncs.


def test_a_sync_without_a_subscription_reads_once(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.sync(RECORDS, 1, "r1")
    assert reader.subscriptions.syncs == 1
    world.settle()
    received = reader.take()
    assert changes(received) == [2, 3]
    assert complete(received) == [
        SyncComplete(entity="tasks", version=3, epoch="e", reset=False, request_id="r1")
    ]
    world.write(push("9"))
    world.settle()
    assert (reader.take(), reader.subscriptions.syncs) == ([], 0)


def test_a_sync_of_fields_is_answered_in_fields(world: World, reader: Reader) -> None:
    world.fill(2)
    reader.sync(FIELDS, 0, "r1")
    world.settle()
    received = reader.take()
    assert [type(m) for m in received] == [FieldChange, FieldChange, SyncFieldsComplete]


def test_a_sync_of_a_subscription_takes_its_stream_back(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS)
    reader.sync(RECORDS, 0)
    world.write(push("9"))
    world.settle()
    assert changes(reader.take()) == [1, 2, 3, 4]
    world.write(push("10"))
    world.settle()
    assert changes(reader.take()) == [5]


def test_a_sync_of_records_takes_back_a_stream_that_reads_both(
    world: World, reader: Reader
) -> None:
    world.fill(2)
    reader.subscribe(RECORDS)
    reader.subscribe(FIELDS)
    world.write(push("3"))
    reader.sync(RECORDS, 0)
    world.write(push("4"))
    world.settle()
    received = reader.take()
    assert changes(received) == [3, 1, 2, 3, 4], "3 was live before it was taken back"
    assert isinstance(received[-1], SyncComplete)


def test_a_subscription_after_a_sync_goes_on_where_that_ends(world: World, reader: Reader) -> None:
    world.store.page = 1
    world.fill(3)
    reader.sync(RECORDS, 0)
    world.step()
    reader.subscribe(RECORDS)
    world.write(push("4"))
    world.settle()
    world.write(push("5"))
    world.settle()
    assert changes(reader.take()) == [1, 2, 3, 4, 5]


def test_a_second_sync_joins_the_one_under_way(world: World, reader: Reader) -> None:
    world.store.page = 1
    world.fill(3)
    reader.sync(RECORDS, 0, "a")
    world.step()
    reader.sync(RECORDS, 1, "b")
    world.settle()
    received = reader.take()
    assert changes(received) == [1, 2, 3]
    assert [m.request_id for m in complete(received)] == ["a", "b"]


def test_every_answer_says_whether_its_own_position_was_reset(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS, since=3)
    reader.sync(RECORDS, 99)
    world.settle()
    received = reader.take()
    assert changes(received) == [1, 2, 3]
    assert [m.reset for m in complete(received)] == [False, True]


def test_a_sync_without_an_epoch_is_trusted(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscriptions.sync(Sync(entity="tasks", since=2))
    world.settle()
    received = reader.take()
    assert changes(received) == [3]
    assert [m.reset for m in complete(received)] == [False]


def test_nothing_from_before_a_sync_comes_after_it_began(world: World, reader: Reader) -> None:
    world.store.page = 1
    world.fill(3)
    reader.subscribe(FIELDS, since=0)
    world.step()
    world.step()
    reader.sync(FIELDS, 0)
    assert changes(reader.take()) == [1, 2]
    world.settle()
    assert changes(reader.take()) == [1, 2, 3]


# Readers that are behind.


def test_a_slow_reader_gets_fewer_newer_records(world: World, reader: Reader) -> None:
    reader.subscribe(RECORDS)
    world.write(push("1", b'{"n":1}'))
    world.settle()
    reader.outbox.behind = True
    for number in range(2, 50):
        world.write(push("1", b'{"n":%d}' % number))
        world.soon.turn()
        world.step()
    reader.outbox.behind = False
    world.settle()
    received = reader.take()
    assert changes(received) == [1, 49]
    (begin,) = [each for each in received if isinstance(each, SyncBegin)]
    assert (begin.since, begin.reset) == (1, False), "what follows has been"
    assert [each.version for each in complete(received)] == [49], "and here it is live again"


def test_one_who_said_no_hello_is_not_told_that_it_is_behind(world: World, reader: Reader) -> None:
    reader.takes_ephemeral = False
    reader.subscribe(RECORDS)
    reader.outbox.behind = True
    world.write(push("1"))
    world.soon.turn()
    reader.outbox.behind = False
    world.settle()
    assert [type(each) for each in reader.take()] == [Change]


def test_while_it_is_behind_the_store_is_not_read(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.outbox.behind = True
    reader.subscribe(RECORDS, since=0)
    for _ in range(5):
        world.step()
    assert (reader.take(), reader.subscriptions.lagging) == ([], 1)
    reader.outbox.behind = False
    world.settle()
    assert changes(reader.take()) == [1, 2, 3]


def test_one_who_caught_up_is_live_again(world: World, reader: Reader) -> None:
    reader.subscribe(RECORDS)
    reader.outbox.behind = True
    world.write(push("1"))
    world.soon.turn()
    reader.outbox.behind = False
    world.settle()
    assert reader.subscriptions.lagging == 0
    world.write(push("2"))
    world.soon.turn()
    assert changes(reader.take()) == [1, 2]


# Fields: the position moves only when everything up to there was sent.


def test_only_the_last_field_of_a_catching_up_moves_the_position(
    world: World, reader: Reader
) -> None:
    world.write(push("1", b'{"a":1,"b":2}'), push("2", b'{"a":1,"b":2}'))
    reader.subscribe(FIELDS, since=0)
    world.settle()
    assert mores(reader.take()) == [True, True, True, None]


def test_between_two_pages_no_field_moves_the_position(world: World, reader: Reader) -> None:
    world.store.page = 1
    world.fill(3)
    reader.subscribe(FIELDS, since=0)
    world.settle()
    assert mores(reader.take()) == [True, True, None]


def test_fields_that_the_reader_has_are_left_out(world: World, reader: Reader) -> None:
    world.write(push("1", b'{"a":1,"b":2}'), push_fields(update("b", b"3")))
    reader.subscribe(FIELDS, since=1)
    world.settle()
    received = reader.take()
    assert [m.change.field for m in received if isinstance(m, FieldChange) and m.change] == ["b"]


def test_both_grains_catch_up_in_whole_records(world: World, reader: Reader) -> None:
    world.write(push("1"), push_fields(update("n", b"2")))
    reader.subscribe(RECORDS, since=0)
    reader.subscribe(FIELDS, since=0)
    world.settle()
    received = reader.take()
    assert changes(received) == [2]
    assert [type(m) for m in received] == [Change, SyncComplete, SyncFieldsComplete]


@pytest.mark.parametrize("granularity", [FIELDS, FIELDS | RECORDS])
def test_a_field_behind_a_commit_that_is_not_handed_out_yet_is_not_lost(
    world: World, reader: Reader, granularity: Granularity
) -> None:
    world.write(push("1", b'{"old":1}'), push("2"))
    world.write(push_fields(update("new", b"2")), hand_out=False)
    for each in granularity:
        reader.subscribe(each, since=0)
    for _ in range(3):
        world.step()
    world.settle()
    received = reader.take()
    state: dict[str, bytes | None] = {}
    for message in received:
        if isinstance(message, FieldChange) and message.change and message.change.entity_id == "1":
            state[message.change.field] = message.change.value
        elif isinstance(message, Change) and message.change and message.change.entity_id == "1":
            state = dict(json.loads(message.change.data or b"{}"))
    assert state.keys() == {"old", "new"}


def test_one_who_resumes_at_the_head_costs_no_read(
    world: World, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill(3)
    monkeypatch.setattr(world.store, "since", None)
    reader.subscribe(RECORDS, since=3)
    world.settle()
    assert reader.take() == [SyncComplete(entity="tasks", version=3, epoch="e", reset=False)]


# Deletes that were forgotten meanwhile.


def test_a_resume_that_may_have_missed_a_forgotten_delete_ends_in_a_reset(
    world: World, reader: Reader
) -> None:
    world.fill(3)
    world.write(push("1", None, action=ChangeAction.DELETE))
    reader.subscribe(RECORDS, since=2)
    run(world.store.collect(history_before=0, tombstones_before=2 * NOW))
    world.settle()
    received = reader.take()
    assert complete(received) == [SyncComplete(entity="tasks", version=4, epoch="e", reset=True)]
    assert changes(received)[-2:] == [2, 3]
    world.write(push("9"))
    world.settle()
    assert changes(reader.take()) == [5]


# Where a subscription stands.


def test_a_live_subscription_is_told_where_it_stands_at_once(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS)
    reader.subscriptions.announce("tasks", RECORDS)
    reader.subscriptions.announce("tasks", FIELDS)
    records, fields = reader.take()
    assert records == SyncComplete(entity="tasks", version=3, epoch="e", reset=False)
    assert fields == SyncFieldsComplete(entity="tasks", version=3, epoch="e", reset=False)


def test_one_that_catches_up_is_told_when_it_has(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS, since=2)
    reader.subscriptions.announce("tasks", FIELDS)
    assert reader.take() == []
    world.settle()
    received = reader.take()
    assert changes(received) == [3]
    assert [type(each) for each in received[1:]] == [SyncComplete, SyncFieldsComplete]
    assert [each.reset for each in complete(received)] == [False, False]


def test_one_that_caught_up_can_end(world: World, reader: Reader) -> None:
    world.fill(2)
    reader.subscribe(RECORDS, since=0)
    world.settle()
    reader.take()
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    world.write(push("9"))
    world.settle()
    assert reader.take() == []


def test_one_that_caught_up_can_fall_behind_again(world: World, reader: Reader) -> None:
    world.fill(2)
    reader.subscribe(RECORDS, since=0)
    world.settle()
    reader.take()
    world.hub.leave("tasks", RECORDS, reader)
    reader.subscriptions.fell("tasks", RECORDS, 1)
    world.settle()
    assert changes(reader.take()) == [2]


def test_falling_out_of_what_is_not_live_changes_nothing(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS, since=0)
    reader.subscriptions.fell("tasks", RECORDS, 3)
    reader.subscriptions.fell("others", RECORDS, 3)
    world.settle()
    assert changes(reader.take()) == [1, 2, 3]


# What is asked of the store.


def test_a_sync_joins_only_one_of_its_own_entity_and_grain(world: World, reader: Reader) -> None:
    world.fill(2)
    world.write(push("1", entity="others"))
    reader.sync(RECORDS, 0, "records")
    reader.sync(FIELDS, 0, "fields")
    reader.subscriptions.sync(Sync(entity="others", since=0, epoch="e", request_id="others"))
    world.settle()
    received = reader.take()
    assert {(type(each), each.entity, each.request_id) for each in complete(received)} == {
        (SyncComplete, "tasks", "records"),
        (SyncFieldsComplete, "tasks", "fields"),
        (SyncComplete, "others", "others"),
    }
    assert sum(isinstance(each, Change) for each in received) == 3
    assert sum(isinstance(each, FieldChange) for each in received) == 2


def test_one_task_reads_for_all(world: World, reader: Reader) -> None:
    world.store.before = 1
    world.fill(2)
    reader.sync(RECORDS, 0)
    reader.sync(FIELDS, 0)
    assert len(reader.steps.running) == 1
    world.step()
    reader.subscriptions.sync(Sync(entity="others", since=0, epoch="e"))
    assert len(reader.steps.running) == 1
    world.settle()
    assert len(complete(reader.take())) == 3


@pytest.mark.parametrize(("grain", "clocks"), [(RECORDS, False), (FIELDS, True)])
def test_clocks_are_read_for_fields_only(
    world: World, reader: Reader, grain: Granularity, clocks: bool
) -> None:
    asked: list[bool] = []
    since = world.store.since

    async def noted(
        entity: str, after: int, upto: int, limit: int, *, clocks: bool = True
    ) -> list[Record]:
        asked.append(clocks)
        return await since(entity, after, upto, limit, clocks=clocks)

    world.store.since = noted  # type: ignore[method-assign]
    world.fill(1)
    reader.sync(grain, 0)
    world.settle()
    assert set(asked) == {clocks}


def test_a_page_that_arrives_after_it_was_sent_elsewhere_is_not_sent(
    world: World, reader: Reader
) -> None:
    world.store.after = 1
    world.fill(3)
    reader.subscribe(RECORDS, since=2)
    world.step()  # it waits for what comes after 2
    reader.sync(RECORDS, 0)
    world.settle()
    assert changes(reader.take()) == [1, 2, 3]


def test_a_page_of_a_subscription_that_has_ended_is_not_sent(world: World, reader: Reader) -> None:
    world.store.after = 1
    world.fill(3)
    reader.subscribe(RECORDS)
    world.hub.leave("tasks", RECORDS, reader)
    reader.subscriptions.fell("tasks", RECORDS, 1)
    world.step()  # it waits for a page
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    world.settle()
    assert [type(each) for each in reader.take()] == [SyncBegin]


async def _slow_head(store: PausingStore, entity: str) -> Head:
    await pause()
    return await MemoryStore.head(store, entity)


def test_one_that_is_sent_elsewhere_while_the_floor_is_read_goes_there(
    world: World, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PausingStore, "head", _slow_head)
    world.fill(3)
    reader.subscribe(RECORDS, since=3)
    world.step()  # it waits for the floor
    reader.sync(RECORDS, 0)
    world.settle()
    assert changes(reader.take()) == [1, 2, 3]


def test_one_that_ends_while_the_floor_is_read_is_told_no_more(
    world: World, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PausingStore, "head", _slow_head)
    world.fill(3)
    reader.subscribe(RECORDS)
    world.hub.leave("tasks", RECORDS, reader)
    reader.subscriptions.fell("tasks", RECORDS, 3)
    world.step()  # it waits for the floor
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    world.write(push("9"))
    world.settle()
    assert [type(each) for each in reader.take()] == [SyncBegin]
    assert reader.subscriptions.lagging == 0


# The table.

READING: dict[str, Callable[[Reader], None]] = {
    "none": lambda reader: None,
    "live": lambda reader: reader.subscribe(RECORDS),
    "catching up": lambda reader: reader.subscribe(RECORDS, since=0),
    "syncing": lambda reader: reader.sync(RECORDS, 0),
}
"""State, and how a connection comes to be in it."""

EVENTS: dict[str, Callable[[World, Reader], None]] = {
    "subscribe": lambda world, reader: reader.subscribe(RECORDS),
    "subscribe since": lambda world, reader: reader.subscribe(RECORDS, since=0),
    "sync": lambda world, reader: reader.sync(RECORDS, 0),
    "read to end": lambda world, reader: world.settle(),
    "fell behind": lambda world, reader: reader.fell("tasks", RECORDS, 0),
    "unsubscribe": lambda world, reader: reader.subscriptions.unsubscribe("tasks", RECORDS),
}


def state_of(reader: Reader) -> str:
    """Where a connection is; that its flags are one of the states is part of the fact."""
    mine = reader.subscriptions
    cursors = {*mine._cursors.values(), *mine._waiting}
    if not cursors:
        return "none"
    (cursor,) = cursors
    subscribed, waiting = mine._cursors.get(("tasks", None)) is cursor, cursor in mine._waiting
    flags = (subscribed, waiting, cursor.live, cursor.once)
    return {
        (True, False, True, False): "live",
        (True, True, False, False): "catching up",
        (False, True, False, True): "syncing",
    }[flags]


@pytest.mark.parametrize(("cell", "state"), state_table(subscriptions).items(), ids=str)
def test_the_table_is_what_happens(cell: tuple[str, str], state: str) -> None:
    before, event = cell
    world = World()
    world.fill(3)
    reader = world.reader()
    READING[before](reader)
    assert state_of(reader) == before
    EVENTS[event](world, reader)
    assert state_of(reader) == (before if state == NOTHING else state)
    reader.close()


def test_a_subscription_that_fell_behind_owes_no_answer(world: World, reader: Reader) -> None:
    world.fill(3)
    reader.subscribe(RECORDS)
    reader.fell("tasks", RECORDS, 0)
    assert state_of(reader) == "catching up"
    reader.subscriptions.unsubscribe("tasks", RECORDS)
    assert state_of(reader) == "none"
    reader.close()
