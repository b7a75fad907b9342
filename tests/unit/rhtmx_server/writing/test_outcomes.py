"""Facts about `rhtmx_server.writing.outcomes`."""

from __future__ import annotations

import dataclasses

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    Push,
    PushAck,
    PushFields,
    Transaction,
    TransactionWrite,
    Winner,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.failures import error_message
from rhtmx_server.times import to_datetime
from rhtmx_server.writing.outcomes import digest, pack, unpack
from tests.unit.rhtmx_server.fakes import NOW, push, push_fields, update


def test_the_digest_is_of_the_content_not_of_the_address() -> None:
    assert digest(push(seq=1, request_id="a")) == digest(push(seq=2, request_id="b"))
    one, other = push_fields(update("a", b"1")), push_fields(update("a", b"1"))
    one.seq, other.seq, other.request_id = 1, 2, "b"
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    "other",
    [
        push("2"),
        push(entity="users"),
        push(data=b'{"n":2}'),
        push(data=None),
        push(base_version=0),
        push(action=ChangeAction.DELETE),
        push_fields(update("n", b"1")),
    ],
)
def test_another_content_has_another_digest(other: Push | PushFields) -> None:
    assert digest(push()) != digest(other)


@pytest.mark.parametrize(
    "other",
    [
        push_fields(update("b", b"1")),
        push_fields(update("a", b"2")),
        push_fields(update("a", None)),
        push_fields(update("a", b"1", NOW - 1)),
        push_fields(update("a", b"1"), update("b", b"1")),
        push_fields(),
    ],
)
def test_other_fields_have_another_digest(other: PushFields) -> None:
    assert digest(push_fields(update("a", b"1"))) != digest(other)


def test_a_condition_makes_another_content_and_none_is_as_it_was_before_there_were_any() -> None:
    one, other, said = (push_fields(update("n", b"1")) for _ in range(3))
    other.if_unchanged, said.if_unchanged = True, False
    assert digest(one) == digest(said) != digest(other)
    # As it is kept beside answers of servers that knew no condition.
    assert digest(one).hex() == "893aeb37740beeb48cd48eccaab9fb75"
    writes = [[TransactionWrite("a", "1", if_unchanged=only)] for only in (None, False, True)]
    plain, spoken, asked = (digest(Transaction(each)) for each in writes)
    assert plain == spoken != asked
    assert plain.hex() == "9ab1c60ad05100ded5584f701b0c41bc"


def test_under_another_version_of_the_schema_it_is_another_content() -> None:
    for one in (push(), push_fields(update("n", b"1")), Transaction([TransactionWrite("a", "1")])):
        versions = [dataclasses.replace(one, schema_version=each) for each in (None, 1, 2)]
        assert len({digest(each) for each in versions}) == 3


def test_where_one_value_ends_and_the_next_begins_counts() -> None:
    assert digest(Push(entity="ab", entity_id="c")) != digest(Push(entity="a", entity_id="bc"))


def test_every_field_of_a_mutation_is_content_or_address() -> None:
    """Whoever adds one to the schema has to say in `digest` which of them it is."""
    address = {"request_id", "seq", "traceparent"}
    content = {"entity", "entity_id", "base_version"}
    whole = address | content | {"schema_version"}
    assert names(Push) == whole | {"action", "data"}
    assert names(PushFields) == whole | {"fields", "if_unchanged"}
    assert names(Transaction) == address | {"writes", "schema_version"}
    assert names(TransactionWrite) == content | {"action", "data", "fields", "if_unchanged"}
    assert names(FieldUpdate) == {"field", "value", "action", "timestamp"}


def test_every_field_of_an_acknowledgement_comes_back() -> None:
    """Whoever adds one to the schema has to keep it in `pack`."""
    kept = {"version", "epoch", "server_time"}
    of_the_mutation = {"entity", "entity_id", "seq"}
    whole = {"prepared"}  # with it the whole message is kept
    assert names(PushAck) == kept | of_the_mutation | whole | {"request_id", "duplicate"}


def names(
    kind: type[Push | PushFields | FieldUpdate | PushAck | Transaction | TransactionWrite],
) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


TIME = to_datetime(NOW)
ACK = PushAck("tasks", "1", 7, seq=3, epoch="e", server_time=TIME)
PREPARED = dataclasses.replace(ACK, prepared=b'{"owner":"ada"}')
FIELD_ACK = FieldPushAck("tasks", "1", applied=1, version=7, seq=3, epoch="e", server_time=TIME)
CONFLICT = FieldConflict(
    entity="tasks",
    entity_id="1",
    field="a",
    server_value=b"1",
    server_timestamp=TIME,
    client_value=b"2",
    client_timestamp=TIME,
    winner=Winner.SERVER,
    seq=3,
)
REFUSED = error_message(RhtmxError(ErrorCode.CONFLICT, "no", details=b"{}"), push(seq=3))


@pytest.mark.parametrize(
    "reply",
    [[ACK], [PREPARED], [FIELD_ACK], [CONFLICT, FIELD_ACK], [REFUSED]],
    ids=lambda r: type(r[0]),
)
def test_an_answer_comes_back(reply: list[ServerMessage]) -> None:
    assert unpack(pack(reply), push("1", seq=3)) == reply


def test_an_acknowledgement_is_kept_in_few_bytes() -> None:
    ack = dataclasses.replace(ACK, entity="e" * 255, entity_id="i" * 255, version=2**40)
    assert len(pack([ack])) < 40
