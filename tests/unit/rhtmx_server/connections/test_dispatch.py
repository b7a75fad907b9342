"""Dispatch: each message reaches whom it is for, and is answered as it should be."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Error,
    FormFieldValue,
    FormValidationResult,
    Hello,
    Ping,
    Pong,
    Position,
    Push,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncComplete,
    SyncFields,
    SyncFieldsComplete,
    Unsubscribe,
    UnsubscribeFields,
    ValidateField,
    ValidateForm,
    ValidationResult,
    Welcome,
)
from rhtmx.messages.tables import CLIENT_MESSAGES, SCHEMA_HASH
from rhtmx.wire import Message
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.connections import dispatch
from rhtmx_server.connections.dispatch import HANDLERS, Sender, handler
from rhtmx_server.connections.session import Phase, SessionLimits
from rhtmx_server.forms.runner import ValidatorRunner, ValidatorVerdict
from rhtmx_server.model import ClientRow, Outcome
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.times import to_datetime
from rhtmx_server.writing.identity import hashed
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW, push, push_fields, update


async def users(request: Request) -> Grant:
    """Tokens are `user:expiry`."""
    name, _, expires = request.token.partition(":")
    if not name:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token")
    return Grant(name, int(expires) if expires else None)


async def remember(
    side: Side, client_id: str, last_seq: int, subject: str = "", secret: bytes | None = None
) -> None:
    """Let the store know a client with an outcome for each number."""

    def write(snapshot: Snapshot) -> BatchWrites:
        outcomes = [Outcome(client_id, seq, b"", b"") for seq in range(1, last_seq + 1)]
        client = ClientRow(client_id, subject, last_seq, NOW, secret)
        return BatchWrites(clients=[client], outcomes=outcomes)

    await side.store.commit(BatchNeeds(), write)


async def answers(side: Side, *said: Message) -> list[Message]:
    side.say(*said)
    await side.rest()
    return side.heard


def code(message: Message) -> ErrorCode | None:
    assert isinstance(message, Error)
    return message.code


def test_every_message_of_a_client_has_a_handler_and_no_other() -> None:
    assert set(HANDLERS) == set(CLIENT_MESSAGES)


async def test_ping_is_answered_and_pong_is_not() -> None:
    assert await answers(Side(), Ping(), Pong()) == [Pong()]


# Hello.


async def test_hello_is_answered_with_what_the_client_has_to_know() -> None:
    side = Side(limits=SessionLimits(subscriptions=3, requests=4, heartbeat=1.5))
    (welcome,) = await answers(side, Hello(client_id="ada"))
    assert isinstance(welcome, Welcome)
    assert welcome.limits is not None
    assert (welcome.session_id, welcome.epoch, welcome.last_seq) == ("s1", "e", 0)
    assert (welcome.heartbeat, welcome.schema) == (1500, SCHEMA_HASH)
    assert (welcome.limits.subscriptions, welcome.limits.requests) == (3, 4)
    assert welcome.limits.message_bytes == side.config.max_size
    assert welcome.server_time == to_datetime(NOW)
    assert side.session.client_id == "ada"


async def test_a_client_that_comes_back_is_told_its_last_number() -> None:
    side = Side()
    await remember(side, "ada", 7)
    (welcome,) = await answers(side, Hello(client_id="ada"))
    assert isinstance(welcome, Welcome)
    assert welcome.last_seq == 7


async def test_what_the_client_confirms_is_forgotten_and_no_more_than_that() -> None:
    side = Side()
    await remember(side, "ada", 7)
    await answers(side, Hello(client_id="ada", confirmed_seq=5))
    assert side.committer.confirmed == [("ada", 5)]


async def test_nothing_is_forgotten_that_never_was() -> None:
    side = Side()
    await remember(side, "ada", 2)
    await answers(side, Hello(client_id="ada", confirmed_seq=99))
    assert side.committer.confirmed == [("ada", 2)]


@pytest.mark.parametrize("confirmed", [None, 0])
async def test_who_confirms_nothing_makes_no_work(confirmed: int | None) -> None:
    side = Side()
    await remember(side, "ada", 2)
    await answers(side, Hello(client_id="ada", confirmed_seq=confirmed))
    await answers(Side(), Hello(client_id="new", confirmed_seq=7))
    assert side.committer.confirmed == []


async def test_another_s_answers_cannot_be_confirmed() -> None:
    side = Side()
    await remember(side, "ada", 2, secret=hashed("hers"))
    await answers(side, Hello(client_id="ada", confirmed_seq=2, secret="guessed"))
    assert side.committer.confirmed == []


async def test_another_users_client_id_is_refused() -> None:
    side = Side(authenticate=users)
    await remember(side, "ada", 1, subject="user-1")
    (error,) = await answers(side, Hello(client_id="ada", token="user-2"))
    assert code(error) is ErrorCode.CLIENT_ID_TAKEN
    assert (side.session.phase, side.session.client_id) == (Phase.PLAIN, None)


# The secret of a client id, where nobody is asked for a token.


async def secret_of(side: Side, hello: Hello) -> str | None:
    (welcome,) = await answers(side, hello)
    assert isinstance(welcome, Welcome)
    return welcome.secret


@pytest.mark.parametrize("known", [False, True])
async def test_an_id_that_is_bound_to_nothing_is_given_a_secret(known: bool) -> None:
    side = Side()
    if known:  # by a version that knew no secrets
        await remember(side, "ada", 7)
    assert await secret_of(side, Hello(client_id="ada")) == "made here"
    assert side.session.secret == hashed("made here")
    side.say(push(seq=8))
    assert side.committer.mutations[0].secret == hashed("made here")


async def test_a_secret_of_the_client_s_own_is_taken_and_none_is_given() -> None:
    side = Side()
    assert await secret_of(side, Hello(client_id="ada", secret="my own")) is None
    side.say(push_fields(update("n", b"1"), seq=1))
    assert side.committer.mutations[0].secret == hashed("my own")


async def test_an_id_that_is_bound_is_welcome_with_its_secret() -> None:
    side = Side()
    await remember(side, "ada", 7, secret=hashed("hers"))
    assert await secret_of(side, Hello(client_id="ada", secret="hers")) is None
    assert (side.session.client_id, side.session.secret) == ("ada", hashed("hers"))


@pytest.mark.parametrize("secret", [None, "guessed", "made here"])
async def test_a_thief_s_hello_is_refused_and_it_does_not_have_the_id(secret: str | None) -> None:
    side = Side()
    await remember(side, "ada", 7, secret=hashed("hers"))
    (error,) = await answers(side, Hello(client_id="ada", secret=secret))
    assert code(error) is ErrorCode.CLIENT_ID_TAKEN
    assert "secret" in str(error)
    assert "hers" not in str(error)
    assert (side.session.client_id, side.session.secret) == (None, None)


async def test_hello_without_an_id_is_given_no_secret() -> None:
    assert await secret_of(Side(), Hello()) is None


async def test_where_there_is_a_subject_no_secret_is_given_or_asked_for() -> None:
    for hello in (
        Hello(client_id="ada", token="user-1"),
        Hello(client_id="ada", token="user-1", secret="x"),
    ):
        side = Side(authenticate=users)
        await remember(side, "ada", 1, subject="user-1")
        assert await secret_of(side, hello) is None


async def test_a_guest_of_a_server_with_tokens_needs_a_secret_like_everybody() -> None:
    async def guests(request: Request) -> Grant:
        return Grant(request.token)

    side = Side(authenticate=guests)
    assert await secret_of(side, Hello(client_id="ada")) == "made here"
    other = Side(authenticate=guests)
    await remember(other, "ada", 1, secret=hashed("hers"))
    (error,) = await answers(other, Hello(client_id="ada"))
    assert code(error) is ErrorCode.CLIENT_ID_TAKEN


async def test_hello_speaks_for_the_id_that_the_door_was_told() -> None:
    side = Side()
    side.session.client_id = "ada"  # as in `?client_id=ada`
    await remember(side, "ada", 7)
    (welcome,) = await answers(side, Hello())
    assert isinstance(welcome, Welcome)
    assert (welcome.last_seq, welcome.secret) == (7, "made here")


async def test_a_secret_that_the_door_was_told_is_for_its_id_only() -> None:
    for client_id, given in (("ada", None), (None, None), ("bob", "made here")):
        side = Side()
        side.session.client_id, side.session.secret = "ada", hashed("hers")
        assert await secret_of(side, Hello(client_id=client_id)) == given


@pytest.mark.parametrize("owner", ["user-2", ""])
async def test_authenticate_tells_early_that_the_id_of_the_door_is_another_s(owner: str) -> None:
    side = Side(authenticate=users)
    side.session.client_id = "ada"
    await remember(side, "ada", 7, subject=owner)
    (error,) = await answers(side, Authenticate(token="user-1", request_id="r"))
    assert isinstance(error, Error)
    assert (error.code, error.request_id) == (ErrorCode.CLIENT_ID_TAKEN, "r")


async def test_hello_without_an_id_or_a_token_is_a_stranger_with_heartbeats() -> None:
    side = Side()
    await answers(side, Hello())
    assert (side.session.phase, side.session.client_id) == (Phase.KNOWN, None)


async def test_a_token_that_nobody_asked_for_is_no_error() -> None:
    side = Side()
    (welcome,) = await answers(side, Hello(token="t"))
    assert isinstance(welcome, Welcome)
    assert side.session.subject == ""


# Authenticate.


async def test_a_token_makes_a_subject_and_says_when_it_ends() -> None:
    side = Side(authenticate=users)
    reply = await answers(side, Authenticate(token=f"ada:{NOW + 1}", request_id="r"))
    assert reply == [Authenticated(expires=to_datetime(NOW + 1), request_id="r")]
    assert side.session.subject == "ada"


async def test_a_token_whose_time_is_over_opens_nothing() -> None:
    side = Side(authenticate=users)
    first, second = await answers(
        side, Hello(token=f"ada:{NOW}"), Authenticate(token=f"ada:{NOW}", request_id="r")
    )
    assert (code(first), code(second)) == 2 * (ErrorCode.UNAUTHENTICATED,)
    assert side.session.subject == ""


async def test_a_fresh_token_of_the_same_subject_is_taken_and_of_another_is_not() -> None:
    side = Side(authenticate=users)
    first, second, third = await answers(
        side,
        Authenticate(token="ada"),
        Authenticate(token="ada"),
        Authenticate(token="bob"),
    )
    assert isinstance(first, Authenticated)
    assert isinstance(second, Authenticated)
    assert code(third) is ErrorCode.UNAUTHENTICATED
    assert side.session.subject == "ada"


async def test_a_server_without_tokens_says_so() -> None:
    (error,) = await answers(Side(), Authenticate(token="t"))
    assert code(error) is ErrorCode.NOT_SUPPORTED


# Subscriptions.


async def test_a_bare_subscription_has_no_answer() -> None:
    side = Side()
    assert await answers(side, Subscribe(entities=["a", "b", "a"])) == []
    assert side.connection.subscriptions.count == 2


async def test_since_is_per_entity() -> None:
    side = Side()
    position = Position(epoch="e", version=0)
    reply = await answers(side, Subscribe(entities=["a", "b"], since={"b": position}))
    assert [m.entity for m in reply if isinstance(m, SyncComplete)] == ["b"]


async def test_fields_and_records_of_an_entity_are_one_subscription() -> None:
    side = Side(limits=SessionLimits(subscriptions=1))
    assert await answers(side, Subscribe(entities=["a"]), SubscribeFields(entities=["a"])) == []
    side.say(Unsubscribe(entities=["a"]))
    assert side.connection.subscriptions.subscribed("a")
    side.say(UnsubscribeFields(entities=["a", "never"]))
    assert not side.connection.subscriptions.subscribed("a")


async def test_too_many_subscriptions_are_refused_all_together() -> None:
    side = Side(limits=SessionLimits(subscriptions=2))
    side.say(Subscribe(entities=["a"]))
    (error,) = await answers(side, Subscribe(entities=["a", "b", "c"]))
    assert code(error) is ErrorCode.TOO_MANY_SUBSCRIPTIONS
    assert error.message.startswith("'b' and 1 more: at most 2 entities at a time")  # type: ignore[union-attr]
    (error,) = await answers(side, Subscribe(entities=["a", "b"]), Subscribe(entities=["c"]))
    assert error.message.startswith("'c': at most 2 entities")  # type: ignore[union-attr]
    side.say(Unsubscribe(entities=["b"]))
    assert side.connection.subscriptions.count == 1
    assert await answers(side, Subscribe(entities=["a", "b"])) == []


@pytest.mark.parametrize(
    "message",
    [
        Subscribe(entities=["tasks", "nope"]),
        SubscribeFields(entities=["nope"]),
        Sync(entity="nope"),
    ],
)
async def test_an_entity_that_is_not_declared_is_refused(message: Message) -> None:
    side = Side(entities=frozenset({"tasks"}))
    (error,) = await answers(side, message)
    assert code(error) is ErrorCode.UNKNOWN_ENTITY
    assert side.connection.subscriptions.count == 0


async def test_syncs_are_answered_in_their_own_kind() -> None:
    side = Side()
    first, second = await answers(
        side, Sync(entity="a", request_id="1"), SyncFields(entity="a", request_id="2")
    )
    assert isinstance(first, SyncComplete)
    assert isinstance(second, SyncFieldsComplete)
    assert (first.request_id, second.request_id) == ("1", "2")


# Pushes and forms.


async def test_both_kinds_of_push_go_to_the_committer() -> None:
    side = Side()
    side.say(push("1"), push_fields(entity_id="2"))
    assert [message.entity_id for message in side.committer.pushed] == ["1", "2"]


@pytest.fixture
async def signup() -> Side:
    side = Side(limits=SessionLimits(requests=1))
    form = side.form("signup")
    form.field("age", required=True)

    @form.field("email")
    async def free(value: str) -> None: ...

    return side


async def test_a_field_is_judged_at_once_where_rules_are_enough(signup: Side) -> None:
    signup.say(ValidateField(request_id="r", form="signup", field="age", value=""))
    (result,) = signup.heard
    assert isinstance(result, ValidationResult)
    assert (result.request_id, result.valid) == ("r", False)


async def test_a_field_with_a_validator_is_judged_later(signup: Side) -> None:
    field = ValidateField(request_id="r", form="signup", field="email", value="x")
    signup.say(field)
    assert signup.heard == []
    assert signup.connection.requests == 1
    await signup.rest()
    (result,) = signup.heard
    assert isinstance(result, ValidationResult)
    assert result.valid
    assert signup.connection.requests == 0


async def test_too_many_questions_at_a_time_are_refused(signup: Side) -> None:
    signup.say(ValidateField(request_id="1", form="signup", field="email", value="x"))
    signup.say(ValidateForm(request_id="2", form="signup"))
    (error,) = signup.heard
    assert code(error) is ErrorCode.TOO_MANY_REQUESTS
    await signup.rest()


async def test_a_form_is_judged_whole(signup: Side) -> None:
    values = [FormFieldValue(field="email", value="x")]
    (result,) = await answers(signup, ValidateForm(request_id="r", form="signup", fields=values))
    assert isinstance(result, FormValidationResult)
    assert [error.field for error in result.errors] == ["age"]


@pytest.mark.parametrize(
    "message",
    [
        ValidateField(request_id="r", form="nope", field="x"),
        ValidateForm(request_id="r", form="nope"),
    ],
)
async def test_an_unknown_form_is_an_error_not_a_valid_one(message: Message) -> None:
    (error,) = await answers(Side(), message)
    assert code(error) is ErrorCode.UNKNOWN_FORM
    assert isinstance(error, Error)
    assert error.request_id == "r"


@pytest.mark.parametrize(
    "message",
    [
        ValidateField(request_id="r", form="signup", field="emial"),
        ValidateField(
            request_id="r", form="signup", field="age", values=[FormFieldValue(field="emial")]
        ),
        ValidateForm(request_id="r", form="signup", fields=[FormFieldValue(field="emial")]),
    ],
)
async def test_an_unknown_field_is_an_error_however_often_and_ends_no_connection(
    signup: Side, message: Message
) -> None:
    for _ in range(50):
        (error,) = await answers(signup, message)
        assert isinstance(error, Error)
        assert (error.code, error.request_id) == (ErrorCode.UNKNOWN_FORM, "r")
        assert "did you mean 'email'" in error.message
    assert signup.connection.session.phase is not Phase.CLOSED


async def test_a_connection_of_several_of_one_peer_uses_that_peers_share(
    signup: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    run = ValidatorRunner.run

    async def note(self: ValidatorRunner, *arguments: Any) -> ValidatorVerdict:
        used.append(arguments[-2])
        return await run(self, *arguments)

    monkeypatch.setattr(ValidatorRunner, "run", note)
    field = ValidateField(request_id="r", form="signup", field="email", value="x")
    for share in (None, "peer"):
        signup.connection.share = share
        for message in (field, ValidateForm(request_id="r", form="signup")):
            await answers(signup, message)
    assert used == [signup.connection, signup.connection, "peer", "peer"]


# Registration.


def test_a_handler_is_registered_for_all_that_its_message_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handlers: dict[Any, Any] = {}
    monkeypatch.setattr(dispatch, "HANDLERS", handlers)

    @handler
    def both(caller: Sender, message: Sync | SyncFields) -> None: ...

    @handler
    async def one(caller: Sender, message: Hello) -> Welcome:
        raise NotImplementedError

    assert handlers == {Sync: both, SyncFields: both, Hello: one}


def test_a_second_handler_of_a_message_is_refused_as_it_is_made() -> None:
    with pytest.raises(TypeError, match=r"again: .*Push.* has a handler"):

        @handler
        def again(caller: Sender, message: Push) -> None: ...


@pytest.mark.parametrize("kind", [Welcome, int, Subscribe | Welcome], ids=str)
def test_a_handler_of_what_no_client_sends_is_refused_as_it_is_made(
    monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    monkeypatch.setattr(dispatch, "HANDLERS", {})

    def wrong(caller: Sender, message: Any) -> None: ...

    wrong.__annotations__["message"] = kind
    with pytest.raises(TypeError, match=r"wrong: .* is no message of a client"):
        handler(wrong)


def test_a_handler_that_does_not_say_what_it_takes_is_refused_as_it_is_made() -> None:
    with pytest.raises(TypeError, match="mute: None is no message of a client"):

        @handler
        def mute(caller: Sender, said: Push) -> None: ...


# What is ephemeral.


async def test_only_who_said_hello_is_told_what_may_be_new() -> None:
    side, seed = Side(), Side()
    await answers(seed, Subscribe(["tasks"]))
    await answers(side, Hello())
    assert (seed.connection.takes_ephemeral, side.connection.takes_ephemeral) == (False, True)


@pytest.mark.parametrize(
    ("schema", "knows"), [(SCHEMA_HASH, True), ("older", False), (None, False)]
)
async def test_a_client_of_the_same_schema_knows_of_parts(schema: str | None, knows: bool) -> None:
    side = Side()
    await answers(side, Hello(schema=schema))
    assert side.connection.subscriptions.knows_parts is knows


async def test_a_hello_that_was_refused_is_none() -> None:
    side = Side(authenticate=users)
    await answers(side, Hello(token=""))
    assert not side.connection.takes_ephemeral


def test_a_stream_that_only_watches_is_told_nothing_ephemeral() -> None:
    side = Side()
    side.session.introduce("backend")  # as `Watch` does, to be told where it begins
    assert not side.connection.takes_ephemeral


async def test_an_ephemeral_message_goes_out_with_the_tick_to_a_connection_that_reads() -> None:
    side = Side()
    await answers(side, Hello(), Subscribe(["tasks"]))
    side.hub.tell("tasks", Pong())
    assert side.heard == [Pong()]
