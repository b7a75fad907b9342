"""Facts about `rhtmx_server.tracing`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    Push,
    PushAck,
    PushFields,
    Transaction,
    TransactionAck,
    TransactionWrite,
    ValidateField,
    ValidateForm,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Mutation, MutationMessage
from rhtmx_server.spans import Kind, remote_span
from rhtmx_server.tracing import error_type
from tests.unit.rhtmx_server.spans_taken import NOBODY, Tracer

OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HELLO = "00-11111111111111111111111111111111-2222222222222222-01"
SECRET = b'{"secret": 7}'

PUSH = Push("tasks", "ada@example.com", ChangeAction.UPDATE, SECRET)
ACK = PushAck("tasks", "ada@example.com", version=3)


Told: TypeAlias = list[Sequence[ServerMessage]]


def mutation(message: MutationMessage, told: Told | None = None) -> Mutation:
    return Mutation(message, (Told() if told is None else told).append)


def test_a_push_is_traced_until_its_author_is_told() -> None:
    tracer, told = Tracer(), Told()
    traced = mutation(PUSH, told)
    tracer.tracing.push(traced)
    assert tracer.only.ended == []
    traced.answer([ACK])
    assert told == [[ACK]]
    assert (tracer.only.name, tracer.only.kind, tracer.only.ended) == ("push", Kind.SERVER, [None])
    assert tracer.only.attributes == {"rhtmx.entity": "tasks", "rhtmx.version": 3}


@pytest.mark.parametrize(
    ("message", "name", "attributes"),
    [
        (PushFields("tasks", "1"), "push_fields", {"rhtmx.entity": "tasks"}),
        (Transaction([TransactionWrite("a", "1")] * 2), "transaction", {"rhtmx.writes": 2}),
    ],
)
def test_the_other_writes_are_named_as_they_are_called(
    message: MutationMessage, name: str, attributes: dict[str, object]
) -> None:
    tracer = Tracer()
    traced = mutation(message)
    tracer.tracing.push(traced)
    traced.answer([TransactionAck()])
    assert (tracer.only.name, tracer.only.attributes) == (name, attributes)


def test_a_push_that_is_rejected_ends_with_its_code() -> None:
    tracer = Tracer()
    traced = mutation(PUSH)
    tracer.tracing.push(traced)
    traced.answer([Error("no", code=ErrorCode.FORBIDDEN)])
    assert tracer.only.ended == ["forbidden"]


def test_a_span_ends_even_if_telling_the_author_fails() -> None:
    def fails(reply: Sequence[ServerMessage]) -> None:
        raise ValueError

    tracer, traced = Tracer(), Mutation(PUSH, fails)
    tracer.tracing.push(traced)
    with pytest.raises(ValueError):  # noqa: PT011 (it is the one from above)
        traced.answer([ACK])
    assert tracer.only.ended == [None]


@pytest.mark.parametrize(
    ("own", "said", "linked"),
    [(OWN, HELLO, OWN), (None, HELLO, HELLO), ("traces", HELLO, HELLO), (None, None, None)],
)
def test_a_push_links_to_what_its_author_said_with_it_else_with_hello(
    own: str | None, said: str | None, linked: str | None
) -> None:
    tracer = Tracer(said)
    message = Push("tasks", "1", ChangeAction.UPDATE, b"1", traceparent=own)
    tracer.tracing.push(mutation(message))
    assert list(tracer.only.links) == ([] if linked is None else [remote_span(linked)])


def test_a_commit_links_to_its_pushes_and_counts_them() -> None:
    tracer = Tracer(database="sqlite")
    pushes = [mutation(PUSH) for _ in range(3)]
    for each in pushes:
        tracer.tracing.push(each)
    with tracer.tracing.commit(pushes):
        pass
    commit = tracer.spans[-1]
    assert (commit.name, commit.kind, commit.ended) == ("COMMIT", Kind.CLIENT, [None])
    assert commit.entered == 1, "what the driver traces is part of it"
    assert list(commit.links) == tracer.spans[:3]
    assert commit.attributes == {
        "db.operation.name": "COMMIT",
        "db.system.name": "sqlite",
        "db.operation.batch.size": 3,
    }


def test_a_commit_of_one_is_no_batch_and_memory_no_database() -> None:
    tracer = Tracer()
    with tracer.tracing.commit([mutation(PUSH)]):
        pass
    assert tracer.only.attributes == {"db.operation.name": "COMMIT"}


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (RhtmxError(ErrorCode.STORAGE_FAILED, "full"), "storage_failed"),
        (asyncio.CancelledError(), "CancelledError"),
        (KeyError("ada@example.com"), "KeyError"),
    ],
)
def test_what_fails_ends_with_the_type_of_the_failure_and_no_words(
    failure: BaseException, told: str
) -> None:
    tracer = Tracer()
    with pytest.raises(type(failure)), tracer.tracing.commit([mutation(PUSH)]):
        raise failure
    assert tracer.only.ended == [told] == [error_type(failure)]


def test_a_question_about_a_form_says_which() -> None:
    tracer = Tracer(HELLO)
    field = ValidateField(form="signup", field="email", value="ada@example.com")
    for each in (field, ValidateForm(form="signup")):
        tracer.tracing.validation(each, NOBODY)
    assert [(each.name, each.attributes) for each in tracer.spans] == [
        ("validate_field", {"rhtmx.form": "signup", "rhtmx.field": "email"}),
        ("validate_form", {"rhtmx.form": "signup"}),
    ]
    assert {tuple(each.links) for each in tracer.spans} == {(remote_span(HELLO),)}


def test_no_span_has_a_value_or_an_id_of_a_record() -> None:
    tracer = Tracer()
    traced = mutation(PUSH)
    tracer.tracing.push(traced)
    with tracer.tracing.commit([traced]), tracer.tracing.catch_up(NOBODY):
        tracer.tracing.validation(ValidateField(form="f", field="x", value="secret"), NOBODY)
    traced.answer([ACK])
    assert len(tracer.spans) == 4
    said = repr([each.attributes for each in tracer.spans])
    assert "secret" not in said
    assert "ada@example.com" not in said
