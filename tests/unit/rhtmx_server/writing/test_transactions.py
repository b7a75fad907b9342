"""Transactions: all of their writes or none, under one number, with one answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldConflict,
    Transaction,
    TransactionAck,
    TransactionWrite,
)
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Mutation
from rhtmx_server.ports import Snapshot
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.writing.batch import Batch
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS, run
from tests.unit.rhtmx_server.fakes import NOW, push, update


def put(
    entity_id: str, data: bytes = b"1", entity: str = "tasks", base_version: int | None = None
) -> TransactionWrite:
    """A write of a whole record."""
    return TransactionWrite(entity, entity_id, ChangeAction.UPDATE, data, base_version=base_version)


def patch(entity_id: str, value: bytes, base_version: int | None = None) -> TransactionWrite:
    """A write of the field `n`."""
    fields = [update("n", value)]
    return TransactionWrite("tasks", entity_id, fields=fields, base_version=base_version)


def unchanged(entity_id: str, value: bytes, since: int | None = None) -> TransactionWrite:
    """A write of the field `n`, if nobody has written it since."""
    write = patch(entity_id, value, since)
    write.if_unchanged = True
    return write


def drop(entity_id: str) -> TransactionWrite:
    """A delete."""
    return TransactionWrite("tasks", entity_id, ChangeAction.DELETE)


def mutation(*writes: TransactionWrite, seq: int | None = None, by: str = "ada") -> Mutation:
    """A transaction on its way to the committer, as `Services.submit` puts it in line."""
    message = Transaction(list(writes), seq=seq)
    whole = Mutation(message, lambda reply: None, by, secret=b"s")
    whole.writes = [structs.replace(whole, message=each) for each in writes_of(message)]
    return whole


class Server:
    """A store, and batches on it."""

    def __init__(self) -> None:
        self.store = MemoryStore(new_epoch=lambda: "e")
        self.batch = Batch((), DECIDERS, "e", NOW)

    def take(self, *mutations: Mutation) -> list[ServerMessage]:
        """Commit these together; the last message of each reply."""
        self.batch = Batch(mutations, DECIDERS, "e", NOW)
        run(self.store.commit(self.batch.wanted(), self.batch.decide))
        return [reply[-1] for reply in self.batch.replies]

    def data(self, entity_id: str, entity: str = "tasks") -> bytes | None:
        """What a record holds."""
        record = run(self.store.record(entity, entity_id))
        return None if record is None or not record.live else record.data

    def head(self, entity: str = "tasks") -> int:
        """The last version of an entity."""
        heads = run(self.store.heads())
        return heads[entity].version if entity in heads else 0


@pytest.fixture
def server() -> Server:
    return Server()


def test_all_of_its_writes_are_written_and_answered_in_their_order(server: Server) -> None:
    (ack,) = server.take(mutation(put("1", b"1"), put("2", b"2", "users"), put("3", b"3")))
    assert isinstance(ack, TransactionAck)
    results = [(each.entity, each.entity_id, each.version) for each in ack.results]
    assert results == [("tasks", "1", 1), ("users", "2", 1), ("tasks", "3", 2)]
    assert [server.data("1"), server.data("2", "users"), server.data("3")] == [b"1", b"2", b"3"]


def test_each_of_its_commits_says_which_transaction_it_is_of(server: Server) -> None:
    (ack, _, other) = server.take(mutation(put("1"), put("2")), by_itself(), mutation(put("4")))
    assert isinstance(ack, TransactionAck)
    assert isinstance(other, TransactionAck)
    names = [commit.transaction for commit in server.batch.commits]
    assert names == [ack.transaction, ack.transaction, "", other.transaction]
    assert ack.transaction != other.transaction


def by_itself() -> Mutation:
    return Mutation(push(entity_id="3"), lambda reply: None, "bob", secret=b"b")


def test_a_write_sees_what_the_ones_before_it_made(server: Server) -> None:
    server.take(mutation(put("1", b'{"n":1}'), patch("1", b"2", base_version=1), drop("2")))
    assert server.data("1") == b'{"n":2}'


def test_one_write_that_is_rejected_leaves_nothing_of_the_others(server: Server) -> None:
    server.take(mutation(put("1", b"0")))
    error, after = server.take(
        mutation(put("1", b"1"), put("2", b"2", "users"), put("1", b"3", base_version=0)),
        mutation(patch("5", b"5")),
    )
    assert isinstance(error, Error)
    assert error.code is ErrorCode.CONFLICT
    assert "transaction.writes[2] (tasks/1)" in error.message
    assert "nothing of the transaction was written" in error.message
    assert (server.data("1"), server.data("2", "users")) == (b"0", None)
    assert (server.head(), server.head("users")) == (2, 0)
    assert isinstance(after, TransactionAck)
    assert [commit.record.entity_id for commit in server.batch.commits] == ["5"]


def test_one_that_could_not_be_read_takes_its_place_in_the_order(server: Server) -> None:
    unread = Mutation(Transaction([], seq=1), lambda reply: None, "ada", secret=b"s")
    unread.rejection = RhtmxError(ErrorCode.BAD_MESSAGE, "no writes")
    error, ack = server.take(unread, mutation(put("1"), seq=2))
    assert isinstance(error, Error)
    assert (error.code, error.seq) == (ErrorCode.BAD_MESSAGE, 1)
    assert isinstance(ack, TransactionAck)


def test_the_reason_of_each_rejected_write_is_told(server: Server) -> None:
    server.take(mutation(put("1"), put("2")))
    (error,) = server.take(mutation(put("1", base_version=0), put("3"), put("2", base_version=7)))
    assert isinstance(error, Error)
    told = json.loads(error.details or b"{}")["writes"]
    assert [(each["index"], each["code"]) for each in told] == [(0, "conflict"), (2, "conflict")]
    assert told[0]["details"]["version"] == 1
    assert "and 1 more" in error.message


def test_it_takes_one_number_and_is_answered_again_under_it(server: Server) -> None:
    first = mutation(put("1"), put("2"), seq=1)
    (ack,) = server.take(first)
    (again,) = server.take(mutation(put("1"), put("2"), seq=1))
    assert isinstance(again, TransactionAck)
    assert isinstance(ack, TransactionAck)
    assert (again.duplicate, again.transaction, again.results) == (
        True,
        ack.transaction,
        ack.results,
    )
    assert server.head() == 2
    (other,) = server.take(mutation(put("1"), put("3"), seq=1))
    assert isinstance(other, Error)
    assert other.code is ErrorCode.SEQ_REUSED


def test_one_that_is_rejected_uses_up_its_number(server: Server) -> None:
    server.take(mutation(put("1")))
    (error,) = server.take(mutation(put("1", base_version=0), seq=1))
    assert isinstance(error, Error)
    (ack,) = server.take(mutation(put("2"), seq=2))
    assert isinstance(ack, TransactionAck)


def test_conflicts_are_told_with_its_number(server: Server) -> None:
    server.take(mutation(patch("1", b"1"), by="bob"))
    batch = Batch([mutation(patch("1", b"2", base_version=0), put("2"), seq=1)], DECIDERS, "e", NOW)
    run(server.store.commit(batch.wanted(), batch.decide))
    ((conflict, ack),) = batch.replies
    assert isinstance(conflict, FieldConflict)
    assert (conflict.entity_id, conflict.seq) == ("1", 1)
    assert isinstance(ack, TransactionAck)
    assert [each.conflicts for each in ack.results] == [1, 0]


def test_one_that_changes_nothing_is_acknowledged_without_an_id(server: Server) -> None:
    (ack,) = server.take(mutation(drop("1"), drop("2")))
    assert isinstance(ack, TransactionAck)
    assert ack.transaction == ""
    assert not server.batch.commits


def test_one_whose_records_are_too_large_to_be_read_together_is_rejected() -> None:
    batch = Batch([mutation(put("1"), put("2"))], DECIDERS, "e", NOW)
    batch.decide(Snapshot(unread={("tasks", "2")}))
    ((error,),) = batch.replies
    assert isinstance(error, Error)
    assert error.code is ErrorCode.INVALID_DATA
    assert "with their open conflicts" in error.message
    assert "write them in several transactions" in error.message


def test_one_that_was_not_read_waits_for_the_next_batch(server: Server) -> None:
    batch = Batch([by_itself(), mutation(put("1"), put("2"))], DECIDERS, "e", NOW)
    snapshot = Snapshot(unread={("tasks", "2")})
    run(server.store.commit(batch.wanted(), lambda found: batch.decide(_with(found, snapshot))))
    assert len(batch.replies) == 1


def _with(found: Snapshot, other: Snapshot) -> Snapshot:
    found.unread = other.unread
    return found


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["tasks", "users"]),
                st.sampled_from("12"),
                st.none() | st.integers(0, 3),
            ),
            min_size=1,
            max_size=4,
        ),
        max_size=6,
    )
)
def test_whatever_is_rejected_leaves_no_trace(
    plan: list[list[tuple[str, str, int | None]]],
) -> None:
    together, apart = Server(), Server()
    mutations = [
        mutation(*(put(entity_id, b"1", entity, base) for entity, entity_id, base in writes))
        for writes in plan
    ]
    answers = together.take(*mutations)
    # Alone, one after the other, and without those that were rejected.
    for each, answer in zip(mutations, answers, strict=True):
        if isinstance(answer, TransactionAck):
            apart.take(each)
    for entity in ("tasks", "users"):
        assert together.head(entity) == apart.head(entity)
        for entity_id in "12":
            assert together.data(entity_id, entity) == apart.data(entity_id, entity)
    written = [commit.record.version for commit in together.batch.commits]
    assert len(written) == together.head("tasks") + together.head("users")


def test_a_field_that_was_written_since_rejects_all_of_it() -> None:
    server = Server()
    server.take(mutation(put("1", b'{"n":1}'), put("2", b'{"n":1}')))
    (refused,) = server.take(mutation(put("3"), unchanged("1", b"2", 1), unchanged("2", b"2", 1)))
    assert isinstance(refused, Error)
    assert refused.code is ErrorCode.CONFLICT
    (fault,) = json.loads(refused.details or b"")["writes"]
    assert (fault["index"], fault["details"]["version"], fault["details"]["fields"]) == (
        2,
        2,
        ["n"],
    )
    assert (server.data("1"), server.data("3")) == (b'{"n":1}', None)
    (taken,) = server.take(mutation(unchanged("1", b"2", 1), unchanged("4", b"2")))
    assert isinstance(taken, TransactionAck)
    assert (server.data("1"), server.data("4")) == (b'{"n":2}', b'{"n":2}')


def test_what_the_transaction_itself_wrote_before_counts_too() -> None:
    server = Server()
    server.take(mutation(put("1", b'{"n":1}')))
    (refused,) = server.take(mutation(patch("1", b"2", 1), unchanged("1", b"3", 1)))
    assert isinstance(refused, Error)
    assert (refused.code, server.data("1")) == (ErrorCode.CONFLICT, b'{"n":1}')


def test_of_two_that_answer_the_same_field_the_first_one_does() -> None:
    server = Server()
    server.take(mutation(put("1", b'{"n":1}')))
    first, second = server.take(
        mutation(unchanged("1", b"2", 1)), mutation(unchanged("1", b"3", 1))
    )
    assert isinstance(first, TransactionAck)
    assert isinstance(second, Error)
    assert server.data("1") == b'{"n":2}'
