"""A batch: exactly once by client and number, and every write sees those before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldConflict,
    FieldPushAck,
    MergeStrategy,
    Push,
    PushAck,
    PushFields,
    Winner,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.model import (
    THE_APP,
    ClientRow,
    Context,
    Decision,
    Granularity,
    LostWrite,
    Mutation,
    Record,
)
from rhtmx_server.ports import BatchNeeds, BatchWrites, Decide
from rhtmx_server.stores.memory import MemoryStore
from rhtmx_server.stores.paging import BATCH_BYTES
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.fields import fields_decider
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.writing.batch import MAX_SECONDS, SEEN_TO, Batch
from rhtmx_server.writing.identity import hashed
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS, run
from tests.unit.rhtmx_server.fakes import NOW, push, push_fields, update

SECRET = hashed("s")

Deciders = Mapping[type[Push | PushFields], Decide]


class Server:
    """A store, and batches on it; tells whether a batch wrote anything."""

    def __init__(self, deciders: Deciders = DECIDERS) -> None:
        self.store = MemoryStore(new_epoch=lambda: "e")
        self.deciders = deciders
        self.last: Batch | None = None

    def batch(
        self, *mutations: Mutation, now: int = NOW, most: int = 1000
    ) -> list[Sequence[ServerMessage]]:
        """Commit these together; their replies."""
        self.last = Batch(mutations, self.deciders, "e", now, most_clients=most)
        run(self.store.commit(self.last.wanted(), self.last.decide))
        return list(self.last.replies)

    def one(self, mutation: Mutation, *, now: int = NOW, most: int = 1000) -> ServerMessage:
        """Commit it alone; the last message of its reply."""
        return self.batch(mutation, now=now, most=most)[0][-1]

    def data(self, entity_id: str = "1") -> bytes | None:
        record = run(self.store.record("tasks", entity_id))
        return None if record is None else record.data

    def client(self, client_id: str = "ada") -> ClientRow | None:
        return run(self.store.client(client_id))

    def last_seq(self, client_id: str = "ada") -> int:
        client = self.client(client_id)
        return 0 if client is None else client.last_seq

    def confirm(self, client_id: str, seq: int) -> None:
        self.last = Batch((), self.deciders, "e", NOW, confirmed={client_id: seq})
        run(self.store.commit(self.last.wanted(), self.last.decide))

    @property
    def head(self) -> int:
        heads = run(self.store.heads())
        return heads["tasks"].version if "tasks" in heads else 0


def by(
    message: Push | PushFields,
    client_id: str | None = "ada",
    subject: str = "",
    refusal: RhtmxError | None = None,
    secret: bytes | None = SECRET,
) -> Mutation:
    return Mutation(message, lambda reply: None, client_id, subject, refusal, secret)


def code(reply: ServerMessage) -> ErrorCode | None:
    assert isinstance(reply, Error)
    return reply.code


def acked(reply: ServerMessage) -> PushAck:
    assert isinstance(reply, PushAck)
    return reply


@pytest.fixture
def server() -> Server:
    return Server()


# The table of exactly-once, row by row.


def test_the_next_number_takes_effect_and_is_remembered(server: Server) -> None:
    reply = acked(server.one(by(push(seq=1))))
    assert (reply.version, reply.seq, reply.duplicate) == (1, 1, None)
    assert (server.data(), server.last_seq()) == (b'{"n":1}', 1)


def test_a_number_again_is_the_same_answer_marked_and_no_second_effect(server: Server) -> None:
    first = acked(server.one(by(push(seq=1, request_id="r1"))))
    server.one(by(push("2", seq=2)))
    again = acked(server.one(by(push(seq=1, request_id="r2"))))
    assert (again.version, again.server_time) == (first.version, first.server_time)
    assert (again.duplicate, again.request_id) == (True, "r2")
    assert server.head == 2


def test_a_number_again_with_other_content_writes_nothing(server: Server) -> None:
    server.one(by(push(seq=1)))
    assert code(server.one(by(push(data=b'{"n":2}', seq=1)))) is ErrorCode.SEQ_REUSED
    assert (server.data(), server.last_seq(), server.head) == (b'{"n":1}', 1, 1)


@pytest.mark.parametrize("seq", [2, 3, 100])
def test_a_gap_writes_nothing_and_tells_what_comes_next(server: Server, seq: int) -> None:
    reply = server.one(by(push(seq=seq)))
    assert code(reply) is ErrorCode.OUT_OF_ORDER
    assert isinstance(reply, Error)
    assert reply.details == b'{"last_seq":0}'
    assert (server.head, server.last_seq()) == (0, 0)


def test_a_refused_mutation_uses_up_its_number(server: Server) -> None:
    server.one(by(push(seq=1)))
    assert code(server.one(by(push(base_version=9, seq=2)))) is ErrorCode.CONFLICT
    assert server.last_seq() == 2
    assert acked(server.one(by(push("2", seq=3)))).version == 2


def test_a_refusal_again_is_the_same_refusal_even_if_it_would_succeed_now(
    server: Server,
) -> None:
    late = push(base_version=1, seq=1)
    first = server.one(by(late))
    server.one(by(push(), client_id=None))
    again = server.one(by(late))
    assert again == first
    assert code(again) is ErrorCode.CONFLICT
    assert server.head == 1


def test_a_mutation_refused_on_its_way_takes_its_place_in_the_order(server: Server) -> None:
    refusal = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no such entity")
    replies = server.batch(
        by(push("1", seq=1)), by(push("2", seq=2), refusal=refusal), by(push("3", seq=3))
    )
    assert [type(reply[-1]) for reply in replies] == [PushAck, Error, PushAck]
    assert (server.head, server.last_seq()) == (2, 3)


def test_a_refusal_that_used_up_its_number_is_not_called_retryable() -> None:
    def fail(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        raise ZeroDivisionError

    server = Server({**DECIDERS, Push: fail})
    reply = server.one(by(push(seq=1)))
    assert isinstance(reply, Error)
    assert (reply.code, reply.retryable, reply.seq) == (ErrorCode.INTERNAL, None, 1)


def test_what_was_answered_and_confirmed_is_out_of_order(server: Server) -> None:
    server.one(by(push(seq=1)))
    server.confirm("ada", 1)
    assert code(server.one(by(push(seq=1)))) is ErrorCode.OUT_OF_ORDER
    assert server.head == 1


@pytest.mark.parametrize("seq", [0, -1])
def test_a_number_below_one_is_told_why_it_was_refused(server: Server, seq: int) -> None:
    refusal = RhtmxError(ErrorCode.BAD_MESSAGE, "push.seq: a number from 1 on expected")
    reply = server.one(by(push(seq=seq), refusal=refusal))
    assert code(reply) is ErrorCode.BAD_MESSAGE
    assert server.last_seq() == 0


def test_a_number_below_one_never_takes_effect(server: Server) -> None:
    assert code(server.one(by(push(seq=0)))) is ErrorCode.BAD_MESSAGE
    assert server.head == 0


def test_one_client_s_id_is_not_another_subject_s(server: Server) -> None:
    server.one(by(push(seq=1), subject="user-1"))
    reply = server.one(by(push("2", seq=2), subject="user-2"))
    assert code(reply) is ErrorCode.CLIENT_ID_TAKEN
    assert (server.head, server.last_seq()) == (1, 1)


# Whose an id is.


def seen(server: Server, client_id: str = "ada") -> int | None:
    client = server.client(client_id)
    return None if client is None else client.seen


@pytest.mark.parametrize("first", [None, 1])
@pytest.mark.parametrize("second", [None, 1, 2])
def test_the_first_write_makes_an_id_its_subject_s_numbered_or_not(
    server: Server, first: int | None, second: int | None
) -> None:
    acked(server.one(by(push(seq=first), subject="user-1")))
    for message in (push("2", seq=second), push_fields(update("n", b"2"), seq=second)):
        reply = server.one(by(message, subject="user-2"))
        assert code(reply) is ErrorCode.CLIENT_ID_TAKEN
        assert code(server.one(by(message, subject=""))) is ErrorCode.CLIENT_ID_TAKEN
    assert server.head == 1
    acked(server.one(by(push("3"), subject="user-1")))


def test_a_write_that_takes_no_effect_claims_no_id(server: Server) -> None:
    refusal = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no such entity")
    server.one(by(push(base_version=9), subject="user-1"))
    server.one(by(push(), subject="user-1", refusal=refusal))
    server.one(by(push(seq=5), subject="user-1"))
    assert server.client() is None
    acked(server.one(by(push(), subject="user-2")))
    assert code(server.one(by(push(seq=1), subject="user-1"))) is ErrorCode.CLIENT_ID_TAKEN


def test_a_thief_uses_up_no_number_not_even_by_a_push_that_is_refused(server: Server) -> None:
    refusal = RhtmxError(ErrorCode.BAD_MESSAGE, "no such thing")
    acked(server.one(by(push(seq=1))))
    for secret in (None, hashed("guessed"), THE_APP):
        reply = server.one(by(push(seq=2), refusal=refusal, secret=secret))
        assert code(reply) is ErrorCode.CLIENT_ID_TAKEN
    assert server.last_seq() == 1


def test_the_first_number_binds_an_id_to_its_secret(server: Server) -> None:
    acked(server.one(by(push("0"), secret=None)))
    acked(server.one(by(push("1", seq=1))))
    client = server.client()
    assert client is not None
    assert client.secret == SECRET
    for secret in (None, hashed("t")):
        for seq in (None, 1, 2):
            reply = server.one(by(push("2", seq=seq), secret=secret))
            assert code(reply) is ErrorCode.CLIENT_ID_TAKEN
    assert acked(server.one(by(push("1", seq=1)))).duplicate
    acked(server.one(by(push("3", seq=2))))
    acked(server.one(by(push("4"))))


def test_of_two_that_were_given_a_secret_the_first_to_number_has_the_id(server: Server) -> None:
    replies = server.batch(by(push("1", seq=1)), by(push("2", seq=1), secret=hashed("t")))
    assert code(replies[1][-1]) is ErrorCode.CLIENT_ID_TAKEN
    assert (server.head, server.last_seq()) == (1, 1)


def test_a_number_without_a_secret_is_told_what_it_takes(server: Server) -> None:
    reply = server.one(by(push(seq=1), secret=None))
    assert isinstance(reply, Error)
    assert (reply.code, reply.seq) == (ErrorCode.BAD_MESSAGE, 1)
    assert "say hello" in reply.message
    assert (server.client(), server.head) == (None, 0)


def test_a_client_of_before_the_secrets_is_bound_by_its_next_number(server: Server) -> None:
    old = ClientRow("ada", "", 7, NOW)
    run(server.store.commit(BatchNeeds(), lambda _: BatchWrites(clients=[old])))
    acked(server.one(by(push("1"), secret=None)))
    acked(server.one(by(push("2", seq=8))))
    assert code(server.one(by(push("3", seq=9), secret=None))) is ErrorCode.CLIENT_ID_TAKEN
    assert acked(server.one(by(push("3", seq=9)))).seq == 9


def test_a_subject_s_id_is_bound_to_no_secret(server: Server) -> None:
    acked(server.one(by(push(seq=1), subject="user-1")))
    acked(server.one(by(push("2", seq=2), subject="user-1", secret=hashed("t"))))
    client = server.client()
    assert client is not None
    assert client.secret is None


def test_a_subject_numbers_without_a_secret(server: Server) -> None:
    for seq in (1, 2):
        acked(server.one(by(push(seq=seq), subject="user-1", secret=None)))


def test_nobody_in_particular_claims_no_id_without_a_number(server: Server) -> None:
    acked(server.one(by(push(), secret=None)))
    assert server.client() is None


def test_the_app_writes_in_any_name_and_claims_none(server: Server) -> None:
    acked(server.one(by(push(seq=1), subject="user-1")))
    acked(server.one(by(push("2"), secret=THE_APP)))
    acked(server.one(by(push("3"), "bob", secret=THE_APP)))
    assert server.client("bob") is None


def test_in_the_name_of_a_subject_the_app_writes_as_that_subject(server: Server) -> None:
    acked(server.one(by(push("1"), subject="user-1", secret=THE_APP)))
    client = server.client()
    assert client is not None
    assert (client.subject, client.secret) == ("user-1", None)
    reply = server.one(by(push("2"), subject="user-2", secret=THE_APP))
    assert code(reply) is ErrorCode.CLIENT_ID_TAKEN


def test_the_app_numbers_under_its_own_ids_and_no_door_under_those(server: Server) -> None:
    acked(server.one(by(push("1", seq=1), subject="user-1")))
    assert code(server.one(by(push("2", seq=2), secret=THE_APP))) is ErrorCode.CLIENT_ID_TAKEN
    for seq in (1, 2):
        acked(server.one(by(push("3", seq=seq), "importer", secret=THE_APP)))
    for secret in (None, SECRET, hashed("")):
        reply = server.one(by(push("4"), "importer", secret=secret))
        assert code(reply) is ErrorCode.CLIENT_ID_TAKEN


def test_a_client_without_numbers_is_written_down_once_an_hour(server: Server) -> None:
    for later in (0, 1, SEEN_TO - 1):
        server.one(by(push(), subject="user-1"), now=NOW + later)
        assert seen(server) == NOW
    assert server.last is not None
    server.one(by(push(), subject="user-1"), now=NOW + SEEN_TO)
    assert seen(server) == NOW + SEEN_TO


def test_a_client_that_also_numbers_keeps_its_number_and_its_secret(server: Server) -> None:
    server.one(by(push(seq=1)))
    server.one(by(push("2")), now=NOW + SEEN_TO)
    assert server.client() == ClientRow("ada", "", 1, NOW + SEEN_TO, SECRET)


def test_new_clients_are_refused_when_there_are_as_many_as_may_be(server: Server) -> None:
    replies = server.batch(
        by(push("1", seq=1), "ada"),
        by(push("2"), "bob", "user-1"),
        by(push("3", seq=1), "carl"),
        by(push("4"), "dora", "user-1"),
        by(push("5"), "erin", secret=None),
        by(push("6", seq=2), "ada"),
        most=2,
    )
    failed = [reply[-1] for reply in replies if isinstance(reply[-1], Error)]
    assert [each.code for each in failed] == 2 * [ErrorCode.TOO_MANY_REQUESTS]
    assert all(each.retryable and "`clients`" in each.message for each in failed)
    assert [server.last_seq(each) for each in ("ada", "carl")] == [2, 0]
    assert code(server.one(by(push(seq=1), "carl"), most=2)) is ErrorCode.TOO_MANY_REQUESTS
    acked(server.one(by(push(seq=1), "carl"), most=3))


def test_without_a_number_every_arrival_takes_effect(server: Server) -> None:
    versions = [acked(server.one(by(push()))).version for _ in range(3)]
    assert versions == [1, 2, 3]
    assert server.last_seq() == 0


def test_without_a_client_a_number_means_nothing_to_the_store(server: Server) -> None:
    replies = server.batch(by(push(seq=1), client_id=None), by(push(seq=1), client_id=None))
    assert [acked(reply[-1]).version for reply in replies] == [1, 2]


def test_clients_are_numbered_on_their_own(server: Server) -> None:
    replies = server.batch(by(push("1", seq=1), "ada"), by(push("2", seq=1), "bob"))
    assert [acked(reply[-1]).version for reply in replies] == [1, 2]


# The same, within one batch.


def test_several_numbers_of_a_client_in_one_batch_are_applied_in_order(server: Server) -> None:
    replies = server.batch(*(by(push(str(seq), seq=seq)) for seq in (1, 2, 3)))
    assert [acked(reply[-1]).version for reply in replies] == [1, 2, 3]
    assert server.last_seq() == 3


def test_a_duplicate_within_one_batch_has_one_effect(server: Server) -> None:
    replies = server.batch(by(push(seq=1)), by(push(seq=1)))
    assert [acked(reply[-1]).duplicate for reply in replies] == [None, True]
    assert [acked(reply[-1]).version for reply in replies] == [1, 1]
    assert server.head == 1


def test_a_refused_duplicate_within_one_batch_is_refused_twice(server: Server) -> None:
    bad = push(base_version=9, seq=1)
    replies = server.batch(by(bad), by(bad), by(push(seq=2)))
    assert [type(reply[-1]) for reply in replies] == [Error, Error, PushAck]
    assert server.last_seq() == 2


def test_a_gap_within_one_batch_refuses_only_what_follows_it(server: Server) -> None:
    replies = server.batch(*(by(push(str(seq), seq=seq)) for seq in (1, 3, 2)))
    assert [type(reply[-1]) for reply in replies] == [PushAck, Error, PushAck]
    assert (server.head, server.last_seq()) == (2, 2)


def test_another_subject_within_one_batch_is_refused(server: Server) -> None:
    replies = server.batch(by(push(seq=1), subject="a"), by(push("2", seq=2), subject="b"))
    assert code(replies[1][-1]) is ErrorCode.CLIENT_ID_TAKEN


def test_each_write_of_a_batch_sees_those_before_it(server: Server) -> None:
    replies = server.batch(
        by(push(base_version=0), None),
        by(push_fields(update("m", b"2")), None),
        by(push(action=ChangeAction.DELETE, base_version=2), None),
        by(push(data=b'{"z":1}', base_version=3), None),
    )
    assert not any(isinstance(reply[-1], Error) for reply in replies)
    assert server.data() == b'{"z":1}'
    assert server.last is not None
    assert [commit.record.version for commit in server.last.commits] == [1, 2, 3, 4]


def test_versions_are_without_holes_whatever_is_refused(server: Server) -> None:
    server.batch(
        by(push("1"), None),
        by(push("1", base_version=9), None),
        by(push("2"), None),
        by(push("9", None, action=ChangeAction.DELETE), None),
        by(push("3"), None),
    )
    assert server.last is not None
    assert [commit.record.version for commit in server.last.commits] == [1, 2, 3]
    assert server.head == 3


def test_entities_are_numbered_on_their_own(server: Server) -> None:
    server.batch(*(by(push(entity=name), None) for name in ("tasks", "users", "tasks")))
    assert {e: head.version for e, head in run(server.store.heads()).items()} == {
        "tasks": 2,
        "users": 1,
    }


# Failures.


def test_a_poison_mutation_harms_nobody_else_and_blocks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def decide(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        if message.entity_id == "poison":
            raise ZeroDivisionError("boom")
        return DECIDERS[Push](message, current, context)

    server = Server({Push: decide})
    replies = server.batch(
        by(push("1", seq=1)), by(push("poison", seq=2)), by(push("3", seq=3)), by(push("4"), "bob")
    )
    assert [type(reply[-1]) for reply in replies] == [PushAck, Error, PushAck, PushAck]
    assert code(replies[1][-1]) is ErrorCode.INTERNAL
    assert (server.head, server.last_seq()) == (3, 3)
    assert "ZeroDivisionError" in caplog.text
    assert "boom" not in str(replies[1])


def test_a_failure_of_the_store_consumes_nothing(server: Server) -> None:
    batch = Batch([by(push(seq=1)), by(push("2", seq=2))], DECIDERS, "e", NOW)

    async def fail() -> None:
        batch.decide(server.store._snapshot(batch.wanted()))
        raise RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")

    with pytest.raises(RhtmxError):
        run(fail())
    assert (server.head, server.last_seq()) == (0, 0)
    replies = server.batch(by(push(seq=1)), by(push("2", seq=2)))
    assert [acked(reply[-1]).duplicate for reply in replies] == [None, None]


# What is asked of the store, and what is kept.


def test_a_batch_asks_for_its_records_its_clients_and_the_answers_to_numbers() -> None:
    batch = Batch(
        [
            by(push("1", seq=1)),
            by(push("2"), "carl"),
            by(push("1", seq=2), "bob"),
            by(push(), None),
        ],
        DECIDERS,
        "e",
        NOW,
    )
    wanted = batch.wanted()
    assert set(wanted.records) == {("tasks", "1"), ("tasks", "2")}
    assert set(wanted.clients) == {"ada", "bob", "carl"}
    assert set(wanted.outcomes) == {("ada", 1), ("bob", 2)}


def test_every_commit_is_in_the_history_not_only_the_last_state(server: Server) -> None:
    server.batch(by(push(data=b'{"n":1}')), by(push(data=b'{"n":2}')))
    entries = run(server.store.history("tasks"))
    assert [entry.record.data for entry in entries] == [b'{"n":1}', b'{"n":2}']


def test_the_history_says_in_which_grain_a_commit_was_written(server: Server) -> None:
    server.batch(by(push()), by(push_fields(update("m", b"2"))))
    entries = run(server.store.history("tasks"))
    assert [entry.granularity for entry in entries] == [Granularity.RECORDS, Granularity.FIELDS]


def test_a_losing_write_is_in_the_history_with_its_author() -> None:
    policy = Policy(default=MergeStrategy.SERVER_WINS)
    server = Server({**DECIDERS, PushFields: fields_decider(lambda entity: policy)})
    server.one(by(push(data=b'{"a":1}')))
    reply = server.batch(by(push_fields(update("a", b"2", NOW - 9)), "bob"))[0]
    assert isinstance(reply[0], FieldConflict)
    assert reply[0].winner is Winner.SERVER
    assert isinstance(reply[-1], FieldPushAck)
    (entry,) = [entry for entry in run(server.store.history("tasks")) if entry.lost]
    assert (entry.record.data, entry.record.client_id) == (b'{"a":2}', "bob")
    assert entry.granularity is Granularity.FIELDS


def test_the_conflicts_of_a_numbered_push_come_again_with_its_answer(server: Server) -> None:
    server.one(by(push(data=b'{"a":1}'), None))
    late = push_fields(update("a", b"2", NOW - 9), seq=1)
    first = server.batch(by(late))[0]
    again = server.batch(by(late))[0]
    assert [type(message) for message in again] == [FieldConflict, FieldPushAck]
    assert again[0] == first[0]
    assert isinstance(again[-1], FieldPushAck)
    assert again[-1].duplicate


# All of it at once: a client that resends at random, in batches of any size.


@given(
    st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.integers(1, 6)), max_size=40),
    st.integers(1, 5),
)
def test_however_numbers_are_sent_each_takes_effect_once_and_in_order(
    sent: list[tuple[str, int]], size: int
) -> None:
    server = Server()
    mutations = [
        by(push(f"{client}-{seq}", base_version=9 if seq == 3 else None, seq=seq), client)
        for client, seq in sent
    ]
    for start in range(0, len(mutations), size):
        server.batch(*mutations[start : start + size])
    expected, effects = {"ada": 0, "bob": 0}, list[str]()
    for client, seq in sent:
        if seq == expected[client] + 1:
            expected[client] = seq
            if seq != 3:
                effects.append(f"{client}-{seq}")
    history = run(server.store.history("tasks"))
    assert [entry.record.entity_id for entry in history] == effects
    assert {name: server.last_seq(name) for name in expected} == expected
    assert server.head == len(effects)


# What there may be more of.


def full(entity: str, made: int) -> None:
    if entity.startswith("new") and made >= 1:
        raise RhtmxError(ErrorCode.UNKNOWN_ENTITY, f"no room for {entity}")


def test_the_first_write_to_an_entity_needs_room_and_no_other_one(server: Server) -> None:
    server.one(by(push(entity="old")))
    batch = Batch(
        [
            by(push(entity="new 1")),
            by(push(entity="new 2", seq=1)),
            by(push(entity="new 1")),
            by(push(entity="old")),
        ],
        DECIDERS,
        "e",
        NOW,
        admit=full,
    )
    run(server.store.commit(batch.wanted(), batch.decide))
    one, refused, again, old = [reply[-1] for reply in batch.replies]
    assert [acked(each).version for each in (one, again, old)] == [1, 2, 2]
    assert code(refused) is ErrorCode.UNKNOWN_ENTITY
    assert server.last_seq() == 1, "the number is used up"
    assert set(run(server.store.heads())) == {"old", "new 1"}


def test_a_write_that_is_refused_or_writes_nothing_takes_no_room(server: Server) -> None:
    batch = Batch(
        [
            by(push(entity="new 1", base_version=7)),
            by(push(entity="new 2", data=None, action=ChangeAction.DELETE)),
            by(push(entity="new 3")),
        ],
        DECIDERS,
        "e",
        NOW,
        admit=full,
    )
    run(server.store.commit(batch.wanted(), batch.decide))
    refused, nothing, written = [reply[-1] for reply in batch.replies]
    assert code(refused) is ErrorCode.CONFLICT
    assert acked(nothing).version == 0
    assert acked(written).version == 1


# How much at a time.


def test_what_was_not_read_is_left_with_all_that_follows(server: Server) -> None:
    heavy = b'"' + b"x" * BATCH_BYTES + b'"'
    server.batch(by(push("1", heavy)), by(push("2", b"2")))
    batch = Batch([by(push("1")), by(push("1")), by(push("2")), by(push("1"))], DECIDERS, "e", NOW)
    run(server.store.commit(batch.wanted(), batch.decide))
    assert [acked(reply[-1]).version for reply in batch.replies] == [3, 4]
    assert server.head == 4


def test_after_so_long_no_other_one_is_begun(server: Server) -> None:
    times = iter([0.0, 0.9 * MAX_SECONDS, MAX_SECONDS, 2 * MAX_SECONDS])
    batch = Batch([by(push())] * 5, DECIDERS, "e", NOW, elapsed=times.__next__)
    run(server.store.commit(batch.wanted(), batch.decide))
    assert len(batch.replies) == 2
    assert server.head == 2


# What is told, and what is written down.


def told(reply: ServerMessage) -> tuple[ErrorCode | None, str, bytes | None]:
    assert isinstance(reply, Error)
    return reply.code, reply.message, reply.details


def test_a_number_that_cannot_be_is_told_why_and_what_comes_next(server: Server) -> None:
    server.one(by(push(seq=1)))
    assert told(server.one(by(push("2", seq=3)))) == (
        ErrorCode.OUT_OF_ORDER,
        "seq 3 leaves a gap: 2 comes next",
        b'{"last_seq":1}',
    )
    assert told(server.one(by(push("2", seq=1)))) == (
        ErrorCode.SEQ_REUSED,
        "seq 1 was used for another mutation: nothing was written",
        None,
    )
    server.confirm("ada", 1)
    assert told(server.one(by(push(seq=1)))) == (
        ErrorCode.OUT_OF_ORDER,
        "seq 1 was answered and confirmed: 2 comes next",
        b'{"last_seq":1}',
    )


def test_a_number_below_one_is_told_what_was_found_first(server: Server) -> None:
    assert told(server.one(by(push(seq=0)))) == (
        ErrorCode.BAD_MESSAGE,
        "seq: a number from 1 on expected, got 0",
        None,
    )
    refusal = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no such entity")
    assert told(server.one(by(push(seq=0), refusal=refusal))) == (
        ErrorCode.UNKNOWN_ENTITY,
        "no such entity",
        None,
    )


def test_one_client_too_many_is_told_what_it_can_do(server: Server) -> None:
    server.one(by(push(seq=1)))
    assert told(server.one(by(push(seq=1), "bob"), most=1)) == (
        ErrorCode.TOO_MANY_REQUESTS,
        "this server knows 1 clients, as many as it may (its option `clients`), and this one is "
        "new: use an id that it knows, or try again later",
        None,
    )


def test_a_refusal_carries_the_id_of_the_request_that_it_answers(server: Server) -> None:
    for asked, seq in [("r1", None), ("r2", 1), ("r3", 1)]:
        reply = server.one(by(push(base_version=9, seq=seq, request_id=asked)))
        assert isinstance(reply, Error)
        assert (reply.request_id, reply.seq) == (asked, seq)


def test_an_answer_is_kept_with_whether_it_is_a_refusal(server: Server) -> None:
    batch = Batch([by(push(seq=1)), by(push(base_version=9, seq=2))], DECIDERS, "e", NOW)
    writes = batch.decide(server.store._snapshot(batch.wanted()))
    assert [(each.client_id, each.seq, each.rejected) for each in writes.outcomes] == [
        ("ada", 1, False),
        ("ada", 2, True),
    ]


def test_a_write_says_who_made_it_when_and_in_which_epoch(server: Server) -> None:
    reply = acked(server.one(by(push())))
    record = run(server.store.record("tasks", "1"))
    assert record is not None
    assert (record.client_id, record.time, reply.epoch) == ("ada", NOW, "e")
    assert reply.server_time == to_datetime(NOW)


def test_records_of_the_same_id_in_two_entities_are_both_written(server: Server) -> None:
    server.batch(by(push(data=b"1")), by(push(data=b"2", entity="users")), by(push("2", b"3")))
    records = [run(server.store.record(*key)) for key in (("tasks", "1"), ("users", "1"))]
    assert [each and each.data for each in records] == [b"1", b"2"]
    assert server.data("2") == b"3"


def test_a_subject_that_writes_without_numbers_begins_them_at_one(server: Server) -> None:
    acked(server.one(by(push(), subject="user-1")))
    assert server.client() == ClientRow("ada", "user-1", 0, NOW)
    acked(server.one(by(push(seq=1), subject="user-1")))


def test_a_failure_is_in_the_log_with_what_was_being_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = ZeroDivisionError("boom")

    def fail(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        raise failure

    reply = Server({Push: fail}).one(by(push()))
    assert code(reply) is ErrorCode.INTERNAL
    assert caplog.messages[0].startswith("deciding a mutation failed")


def test_a_write_to_a_known_entity_makes_no_room_for_a_new_one(server: Server) -> None:
    server.one(by(push(entity="old")))
    names = ("new 1", "old", "new 2")
    batch = Batch([by(push(entity=name)) for name in names], DECIDERS, "e", NOW, admit=full)
    run(server.store.commit(batch.wanted(), batch.decide))
    assert code(batch.replies[-1][-1]) is ErrorCode.UNKNOWN_ENTITY


@pytest.mark.parametrize(("value", "kept"), [(b"2", b'{"a\\"":2}'), (None, b'{"a\\"":null}')])
def test_a_losing_write_is_kept_as_an_update_of_its_field_alone(
    value: bytes | None, kept: bytes
) -> None:
    def lose(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        return Decision([PushAck()], lost=[LostWrite('a"', value, NOW - 9)])

    server = Server()
    server.one(by(push()))
    server.deciders = {Push: lose}
    server.one(by(push(data=b"9"), "bob"), now=NOW + 1)
    (entry,) = [entry for entry in run(server.store.history("tasks")) if entry.lost]
    record = Record("tasks", "1", 1, ChangeAction.UPDATE, kept, "bob", NOW + 1)
    assert (entry.record, entry.granularity) == (record, Granularity.FIELDS)


def test_a_loss_beside_a_write_has_the_version_of_that(server: Server) -> None:
    def both(message: Push | PushFields, current: Record | None, context: Context) -> Decision:
        decision = DECIDERS[Push](message, current, context)
        decision.lost = [LostWrite("a", b"2", NOW)]
        return decision

    server.one(by(push()))
    server.deciders = {Push: both}
    server.one(by(push()))
    (entry,) = [entry for entry in run(server.store.history("tasks")) if entry.lost]
    assert entry.record.version == 2
