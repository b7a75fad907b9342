"""Facts about `rhtmx_server.connections.services`: the rules that every door keeps."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import math
from collections.abc import Callable, Sequence

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction, Push, PushFields, Transaction
from rhtmx.values.transaction_writes import transaction_of
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import NOBODY, Request
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import Admission
from rhtmx_server.connections.session import Phase
from rhtmx_server.model import ClientRow, Mutation
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.trackers.calls import call
from rhtmx_server.transports.grpc import pushes
from rhtmx_server.transports.grpc.caller import Caller
from tests.house.source import WRITTEN, within
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW, push, push_fields, update

TASKS = frozenset({"tasks"})

REFUSED = [
    (push(entity="tasks", seq=1), ErrorCode.BAD_MESSAGE, "numbers belong to a client_id"),
    (push_fields(entity="tasks", seq=1), ErrorCode.BAD_MESSAGE, "numbers belong to a client_id"),
    (push(entity_id="", entity="tasks"), ErrorCode.BAD_MESSAGE, "push.entity_id: 1 to 255 bytes"),
    (push_fields(update("", b"1"), entity="tasks"), ErrorCode.BAD_MESSAGE, "fields[0].field"),
    (push(entity="taks"), ErrorCode.UNKNOWN_ENTITY, "no entity 'taks'"),
    (push_fields(entity="taks"), ErrorCode.UNKNOWN_ENTITY, "no entity 'taks'"),
    (Transaction(), ErrorCode.BAD_MESSAGE, "transaction.writes: 1 to 500 expected, got 0"),
    (transaction_of([push()], 1), ErrorCode.BAD_MESSAGE, "numbers belong to a client_id"),
    (
        transaction_of([push(entity="tasks"), push(entity="taks")]),
        ErrorCode.UNKNOWN_ENTITY,
        "no entity 'taks'",
    ),
]
"""Mutations of somebody without a client_id, and what is wrong with each of them."""


Door = Callable[[Side, Push | PushFields | Transaction], None]


def by_socket(side: Side, message: Push | PushFields | Transaction) -> None:
    side.say(message)


def by_grpc(side: Side, message: Push | PushFields | Transaction) -> None:
    pushes.submit(Caller(side.services), message, ignore)


def by_app(side: Side, message: Push | PushFields | Transaction) -> None:
    calling = call(lambda mutation: void(side.services.submit(mutation)), message, None)
    with contextlib.suppress(StopIteration):
        calling.send(None)
    calling.close()


def ignore(reply: Sequence[object]) -> None: ...


def void(refusal: object) -> None: ...


def increment() -> PushFields:
    one = dataclasses.replace(update("n", b"1"), action=FieldAction.INCREMENT)
    return push_fields(one, entity="tasks")


@pytest.mark.parametrize("door", [by_socket, by_grpc])
async def test_an_operation_without_a_number_is_named_in_its_transaction(door: Door) -> None:
    side = Side(entities=TASKS)
    door(side, transaction_of([push(entity="tasks"), increment()]))
    (waiting,) = side.committer.mutations
    assert waiting.rejection is not None
    where = "transaction.writes[1].fields[0]"
    assert waiting.rejection.message.startswith(f"{where}: 'increment' needs a seq")


@pytest.mark.parametrize("door", [by_socket, by_grpc])
async def test_an_operation_without_a_number_is_refused(door: Door) -> None:
    side = Side(entities=TASKS)
    door(side, increment())
    (waiting,) = side.committer.mutations
    assert waiting.rejection is not None
    assert "'increment' needs a seq" in waiting.rejection.message


async def test_the_program_of_the_server_sends_nothing_twice_and_needs_no_numbers() -> None:
    side = Side(entities=TASKS)
    by_app(side, increment())
    (waiting,) = side.committer.mutations
    assert waiting.rejection is None


@pytest.mark.parametrize("door", [by_socket, by_grpc, by_app])
@pytest.mark.parametrize(("message", "code", "words"), REFUSED)
async def test_every_door_refuses_the_same_mutations_and_in_their_turn(
    door: Door, message: Push | PushFields | Transaction, code: ErrorCode, words: str
) -> None:
    side = Side(entities=TASKS)
    door(side, message)
    (waiting,) = side.committer.mutations
    assert waiting.message == message
    assert waiting.rejection is not None
    assert (waiting.rejection.code, words in waiting.rejection.message) == (code, True)


@pytest.mark.parametrize("door", [by_socket, by_grpc, by_app])
async def test_every_door_takes_what_is_right(door: Door) -> None:
    side = Side(entities=TASKS)
    for message in (push(entity="tasks"), push_fields(entity="tasks")):
        door(side, message)
    assert [waiting.rejection for waiting in side.committer.mutations] == [None, None]


def test_a_number_is_taken_of_whoever_has_a_client_id() -> None:
    services = Side(entities=TASKS).services
    mutation = Mutation(push(entity="tasks", seq=1), ignore, client_id="ada")
    assert services.submit(mutation) is None


def test_why_a_mutation_could_not_be_read_stays_the_reason() -> None:
    side, reason = Side(entities=TASKS), RhtmxError(ErrorCode.BAD_MESSAGE, "not JSON")
    mutation = Mutation(push(entity="taks", entity_id="", seq=1), ignore, rejection=reason)
    assert side.services.submit(mutation) is reason
    assert side.committer.mutations == [mutation]


def test_a_mutation_that_is_refused_for_its_content_is_a_strike() -> None:
    side = Side(entities=TASKS)
    most, closed = side.limits.bad_messages, side.link.closed
    for _ in range(3 * most):
        side.say(push(entity="taks"))  # understood, though there is no such entity
    assert closed == []
    for _ in range(most):
        side.say(push(entity="tasks", seq=1))
    assert closed == []
    side.say(push(entity="tasks", entity_id=""))
    assert [code for code, _ in closed] == [4500]


@pytest.mark.parametrize(
    "call",
    ["committer.submit", "store.client", "services.authenticate", "admission.speak", "check_owner"],
)
def test_no_door_goes_past_the_rules(call: str) -> None:
    """Only `Services` may call these, and the batch, which decides in the transaction."""
    callers = {
        source.module
        for source in WRITTEN
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and f".{ast.unparse(node.func)}".endswith(f".{call}")
        if within(source.module, "rhtmx_server")
        and not within(source.module, "rhtmx_server.stores")
    }
    assert callers <= {"rhtmx_server.connections.services", "rhtmx_server.writing.batch"}


# Tokens.


async def users(request: Request) -> Grant:
    return Grant("ada", NOW + int(request.token) if request.token else None)


async def test_a_grant_ends_by_the_clock_that_does_not_jump() -> None:
    side = Side(authenticate=users)
    assert await side.services.grant(Request("")) == (Grant("ada"), None)
    grant, until = await side.services.grant(Request("2000000"))
    assert (grant.subject, until) == ("ada", side.now() + 2)


@pytest.mark.parametrize("late", ["0", "-1"])
async def test_a_grant_that_has_ended_is_none(late: str) -> None:
    with pytest.raises(RhtmxError, match="the token has expired") as caught:
        await Side(authenticate=users).services.grant(Request(late))
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_where_nobody_is_asked_a_token_is_good_for_nothing() -> None:
    with pytest.raises(RhtmxError) as caught:
        await Side().services.grant(Request("t"))
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


# Clients and conversations.


async def test_what_is_kept_of_a_client_is_told_to_its_owner_only() -> None:
    side, row = Side(), ClientRow("c", "ada", 3, NOW)
    assert await side.services.client("c", "ada", None) is None
    await side.store.commit(BatchNeeds(), lambda _: BatchWrites(clients=[row]))
    assert await side.services.client("c", "ada", None) == row
    for subject in ("bob", ""):
        with pytest.raises(RhtmxError) as caught:
            await side.services.client("c", subject, None)
        assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN


async def test_a_session_has_the_limits_of_the_configuration() -> None:
    config = Config(subscriptions=3, requests=4, bad_messages=5, heartbeat=6.0)
    services = Side(config).services
    one, other = (
        services.session(lambda: NOBODY, locked=False),
        services.session(lambda: NOBODY, locked=True, heartbeat=math.inf),
    )
    limits = one.limits
    assert (limits.subscriptions, limits.requests, limits.bad_messages) == (3, 4, 5)
    assert (limits.heartbeat, other.limits.heartbeat) == (6.0, math.inf)
    assert (one.phase, other.phase) == (Phase.NEW, Phase.LOCKED)
    assert one.session_id != other.session_id


def test_a_subject_has_so_many_connections_and_each_counts_once() -> None:
    services = Side().services
    services.admission = Admission(Config(connections_per_subject=1))
    one, other = (services.session(lambda: NOBODY, locked=True) for _ in range(2))
    services.unlock(one, Grant("ada"), None)
    services.unlock(one, Grant("ada"), None)  # a fresh token
    with pytest.raises(RhtmxError, match="--connections-per-subject"):
        services.unlock(other, Grant("ada"), None)
    assert (one.phase, other.phase) == (Phase.NEW, Phase.LOCKED)
    services.ended(other)  # which spoke for nobody
    with pytest.raises(RhtmxError):
        services.unlock(other, Grant("ada"), None)
    services.ended(one)
    services.unlock(other, Grant("ada"), None)
    assert other.subject == "ada"


def test_guests_are_not_counted() -> None:
    services = Side().services
    services.admission = Admission(Config(connections_per_subject=1))
    sessions = [services.session(lambda: NOBODY, locked=True) for _ in range(3)]
    for session in sessions:
        services.unlock(session, Grant(""), None)
    for session in sessions:
        services.ended(session)
    assert [session.phase for session in sessions] == 3 * [Phase.NEW]


# Entities.


async def test_without_a_list_any_entity_may_be_used() -> None:
    Side().services.known("whatever")


async def test_with_a_list_only_those_on_it() -> None:
    services = Side(entities=frozenset({"tasks"})).services
    services.known("tasks")
    with pytest.raises(RhtmxError) as caught:
        services.known("taks")
    assert caught.value.code is ErrorCode.UNKNOWN_ENTITY
    assert "'taks'" in caught.value.message


async def test_an_empty_list_is_a_list() -> None:
    with pytest.raises(RhtmxError):
        Side(entities=frozenset()).services.known("tasks")


async def test_a_long_name_is_cut_short_in_the_error() -> None:
    with pytest.raises(RhtmxError) as caught:
        Side(entities=frozenset()).services.known("x" * 255)
    assert len(caught.value.message) < 100


def test_a_grant_lasts_unless_it_says_otherwise() -> None:
    assert Grant("user-1").expires is None
