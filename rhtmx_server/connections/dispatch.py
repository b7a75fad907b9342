"""Which handler takes which message.

Knows what each message asks for, and whom to ask. Holds no rule of its own:
merge, validation and order are the trackers', the delivery's and the committer's.

A handler returns the answer, or an awaitable of it, or `None` where the answer
comes by another way (pushes, syncs) or there is none. What its `message` is annotated
with is what it takes: there is no other list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, TypeVar, get_args, get_type_hints

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Blame,
    CloseForm,
    Hello,
    History,
    Limits,
    Ping,
    Pong,
    RoomJoin,
    RoomLeave,
    RoomMessage,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncFields,
    Unsubscribe,
    UnsubscribeFields,
    ValidateField,
    ValidateForm,
    Welcome,
)
from rhtmx.messages.tables import CLIENT_MESSAGES, SCHEMA_HASH
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.reading import finished
from rhtmx_server.connections.room_entry import RoomCaller, join
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.session import Phase
from rhtmx_server.connections.wheres import wheres
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.model import Granularity, MutationMessage, Scope
from rhtmx_server.times import to_datetime
from rhtmx_server.writing.identity import hashed

__all__ = ["COMES_AGAIN", "HANDLERS", "IN_ORDER", "SIGNS_IN", "Sender", "handler"]


class Sender(RoomCaller, Hashable, Protocol):
    """The connection, as the handlers see it."""

    share: Hashable | None

    def submit(self, message: MutationMessage) -> None:
        """Put a mutation in line; it is answered when it is durable."""


Answer: TypeAlias = ServerMessage | Awaitable[ServerMessage | None] | None
Handler = TypeVar("Handler", bound=Callable[[Sender, Any], Answer])

HANDLERS: dict[type[Message], Callable[[Sender, Any], Answer]] = {}
"""Message class → its handler; `handler` fills it."""

IN_ORDER: frozenset[type[Message]] = frozenset(
    {Hello, Authenticate, Subscribe, SubscribeFields, Sync, SyncFields, RoomJoin}
)
"""What is said after these depends on them, so it waits where they have to wait."""

SIGNS_IN: frozenset[type[Message]] = frozenset({Hello, Authenticate})
"""By these a peer says who it is."""

COMES_AGAIN: Mapping[ErrorCode, frozenset[type[Message]]] = {
    ErrorCode.TOO_MANY_REQUESTS: SIGNS_IN,
    ErrorCode.STORAGE_FAILED: IN_ORDER - SIGNS_IN - {RoomJoin},
}
"""What a peer has to ask again on another connection, after a while, if it fails in this way."""


def handler(function: Handler) -> Handler:
    """Register a function for what its `message` is annotated with: a message, or several.

    Raises:
        TypeError: no client sends that, or it has a handler.

    CONTRIBUTING.md has an example.
    """
    taken = get_type_hints(function).get("message")
    for kind in get_args(taken) or (taken,):
        if kind not in CLIENT_MESSAGES or kind in HANDLERS:
            why = "has a handler" if kind in HANDLERS else "is no message of a client"
            raise TypeError(f"{function.__name__}: {kind!r} {why}")
        HANDLERS[kind] = function
    return function


@handler
def _ping(caller: Sender, message: Ping) -> Pong:
    return Pong()


@handler
def _pong(caller: Sender, message: Pong) -> None:
    """A sign of life, which was noted when it came."""


@handler
def _hello(caller: Sender, message: Hello) -> Answer:
    session = caller.session
    has_id = session.client_id is not None or message.client_id is not None
    if has_id or caller.services.authenticate is not None:
        return _hello_later(caller, message)
    # Nobody is asked: no task, and what it says in the same breath is read in the same turn.
    session.introduce(None)
    return _welcome(caller, message, 0, None)


async def _hello_later(caller: Sender, message: Hello) -> Welcome:
    if caller.services.authenticate is not None and (message.token or not caller.session.subject):
        await _unlock(caller, message.token or "")
    last_seq, given = await _identify(caller, message)
    return _welcome(caller, message, last_seq, given)


def _welcome(caller: Sender, message: Hello, last_seq: int, given: str | None) -> Welcome:
    services, session = caller.services, caller.session
    session.greeted = True
    session.traceparent = message.traceparent or session.traceparent
    # By their schema. One that is newer does, too, but that cannot be told from an older one.
    caller.subscriptions.knows_parts = message.schema == SCHEMA_HASH
    return Welcome(
        session_id=session.session_id,
        epoch=services.store.epoch,
        last_seq=last_seq,
        heartbeat=round(session.limits.heartbeat * 1000),
        limits=Limits(
            message_bytes=services.config.max_size,
            subscriptions=session.limits.subscriptions,
            requests=session.limits.requests,
        ),
        server_time=to_datetime(services.clock()),
        schema=SCHEMA_HASH,
        secret=given,
        app_schema=services.app_schema,
        node=services.node,
    )


async def _identify(caller: Sender, message: Hello) -> tuple[int, str | None]:
    """Find out who the client is; returns its last number, and the secret that it is given."""
    services, session = caller.services, caller.session
    client_id = session.client_id if message.client_id is None else message.client_id
    if client_id is None:
        session.introduce(None)
        return 0, None
    # What the door was told is said of that id only.
    secret = session.secret if client_id == session.client_id else None
    if message.secret is not None:
        secret = hashed(message.secret)
    client = await services.client(client_id, session.subject, secret)
    last_seq = 0 if client is None else client.last_seq
    if last_seq and message.confirmed_seq:
        services.committer.confirm(client_id, min(message.confirmed_seq, last_seq))
    given = None
    if secret is None and not session.subject:
        given = services.new_secret()
        secret = hashed(given)
    session.introduce(client_id, secret)
    return last_seq, given


@handler
async def _authenticate(caller: Sender, message: Authenticate) -> Authenticated:
    grant = await _unlock(caller, message.token)
    session = caller.session
    if session.client_id is not None:
        await caller.services.client(session.client_id, session.subject, session.secret)
    expires = None if grant.expires is None else to_datetime(grant.expires)
    return Authenticated(expires=expires, request_id=message.request_id)


async def _unlock(caller: Sender, token: str) -> Grant:
    grant, until = await caller.services.grant(replace(caller.session.request, token=token))
    caller.services.unlock(caller.session, grant, until)
    return grant


@handler
def _subscribe(caller: Sender, message: Subscribe | SubscribeFields) -> Answer:
    # Each once, in the order in which they were named: a set would lose it.
    entities = list(dict.fromkeys(message.entities))
    # All are checked before the first is subscribed to: a subscription is whole or not at all.
    for entity in entities:
        caller.services.known(entity, _granularity(message))
    asked = wheres(message.where)
    wanted = [(entity, asked.get(entity)) for entity in entities]
    seen = {entity: since.version for entity, since in message.since.items()}
    return _reading(caller, wanted, seen, lambda readings: _begin(caller, message, readings))


def _begin(
    caller: Sender, message: Subscribe | SubscribeFields, readings: Sequence[Reading]
) -> None:
    subscriptions, most = caller.subscriptions, caller.session.limits.subscriptions
    granularity = _granularity(message)
    new = [
        each.entity for each in readings if not subscriptions.subscribed(each.entity, each.where)
    ]
    if new and subscriptions.count + len(new) > most:
        raise RhtmxError(
            ErrorCode.TOO_MANY_SUBSCRIPTIONS,
            f"{_named(new)}: at most {most} entities at a time; this connection has "
            f"{subscriptions.count}: unsubscribe from some",
        )
    # Twice as many as it may have: after a reconnect it may well ask for all of them at both
    # granularities.
    if message.since and subscriptions.resumes + len(message.since) > 2 * most:
        raise RhtmxError(
            ErrorCode.TOO_MANY_REQUESTS,
            "too many subscriptions are catching up already: wait for their sync_complete",
        )
    for reading in readings:
        since = message.since.get(reading.entity)
        subscriptions.subscribe(reading.entity, granularity, since, reading)
        if since is None and caller.session.phase is Phase.KNOWN:
            # It keeps positions, and needs one to resume from before the first
            # change. A client of the seed has no use for an answer.
            subscriptions.announce(reading.entity, granularity, reading.where)


def _reading(
    caller: Sender,
    wanted: Sequence[tuple[str, bytes | None]],
    seen: Mapping[str, int],
    go_on: Callable[[Sequence[Reading]], None],
) -> Answer:
    """Go on with what the caller may read of what it wants: at once, unless something waits.

    Args:
        caller: who asks.
        wanted: entities, each with the part that is wanted.
        seen: up to which version the caller has seen some of them, maybe at another server.
        go_on: takes what may be read.
    """
    services, who = caller.services, caller.session.grant
    reached = services.reached([entity for entity, _ in wanted], seen)
    if reached is not None or any(services.access.waits(entity) for entity, _ in wanted):
        return _reading_later(caller, wanted, reached, go_on)
    go_on([_read_at_once(services, who, entity, where) for entity, where in wanted])
    return None


def _read_at_once(services: Services, who: Grant, entity: str, where: bytes | None) -> Reading:
    # After a restart everybody comes this way: no coroutine where there is nothing to ask.
    if where is None and services.access.whole(entity):
        return Reading(entity)
    return finished(services.reading(entity, who, where))


async def _reading_later(
    caller: Sender,
    wanted: Sequence[tuple[str, bytes | None]],
    reached: Awaitable[None] | None,
    go_on: Callable[[Sequence[Reading]], None],
) -> None:
    services, subscriptions, who = caller.services, caller.subscriptions, caller.session.grant
    if reached is not None:
        await reached
    rights = None
    readings: Sequence[Reading] = ()
    while rights != subscriptions.rights:  # while this waited they may have changed
        rights = subscriptions.rights
        readings = [await services.reading(entity, who, where) for entity, where in wanted]
    if caller.session.phase is not Phase.CLOSED:
        go_on(readings)


def _named(entities: list[str]) -> str:
    """The entities of a subscription, as an error names them."""
    more = f" and {len(entities) - 1} more" if len(entities) > 1 else ""
    return f"'{entities[0]}'{more}"


@handler
def _unsubscribe(caller: Sender, message: Unsubscribe | UnsubscribeFields) -> None:
    asked = wheres(message.where)
    for entity in message.entities:
        caller.subscriptions.unsubscribe(entity, _granularity(message), asked.get(entity))


@handler
def _sync(caller: Sender, message: Sync | SyncFields) -> Answer:
    granularity = Granularity.RECORDS if isinstance(message, Sync) else Granularity.FIELDS
    caller.services.known(message.entity, granularity)
    caller.request()
    wanted = [(message.entity, message.where)]
    seen = {message.entity: message.since}
    return _reading(caller, wanted, seen, lambda found: caller.subscriptions.sync(message, *found))


@handler
def _history(caller: Sender, message: History) -> Answer:
    caller.services.known(message.entity)
    caller.request()
    past = caller.services.past
    return _read(caller, message.entity, lambda scope: past.commits(message, scope))


@handler
def _blame(caller: Sender, message: Blame) -> Answer:
    caller.services.known(message.entity, Granularity.FIELDS)
    caller.request()
    past = caller.services.past
    return _read(caller, message.entity, lambda scope: past.blame(message, scope))


async def _read(
    caller: Sender, entity: str, ask: Callable[[Scope], Awaitable[ServerMessage]]
) -> ServerMessage | None:
    """Answer by what the caller may read when the answer is there."""
    while caller.session.phase is not Phase.CLOSED:
        rights, who = caller.subscriptions.rights, caller.session.grant
        found: ServerMessage | RhtmxError
        try:
            reading = await caller.services.reading(entity, who)
            found = await ask(reading.scope)
        except RhtmxError as error:
            found = error
        # Looked up while they had other rights, it may hold what is not theirs any more.
        if rights == caller.subscriptions.rights and who is caller.session.grant:
            if isinstance(found, RhtmxError):
                raise found
            return found
    return None


@handler
def _room_join(caller: Sender, message: RoomJoin) -> Answer:
    return join(caller, message)


@handler
def _room_leave(caller: Sender, message: RoomLeave) -> None:
    caller.services.rooms.leave(caller, (message.entity, message.entity_id))


@handler
def _room_message(caller: Sender, message: RoomMessage) -> None:
    room = message.entity, message.entity_id
    caller.services.rooms.tell_as(caller, room, message.data)


@handler
def _push(caller: Sender, message: MutationMessage) -> None:
    caller.submit(message)


@handler
def _validate_field(caller: Sender, message: ValidateField) -> Answer:
    forms, who = caller.services.forms, caller.session.grant
    if message.live:
        return caller.services.live_forms.validate_field(caller, message)
    # First without a task: most fields are judged by ready-made rules alone.
    result = forms.try_validate_field(message, owner=caller, who=who)
    if result is not None:
        return result
    caller.request()
    return forms.validate_field(message, owner=caller, share=caller.share, who=who)


@handler
def _validate_form(caller: Sender, message: ValidateForm) -> Answer:
    caller.request()
    forms, who = caller.services.forms, caller.session.grant
    if message.live:
        return caller.services.live_forms.validate_form(caller, message)
    return forms.validate_form(message, owner=caller, share=caller.share, who=who)


@handler
def _close_form(caller: Sender, message: CloseForm) -> None:
    caller.services.live_forms.close(caller, message)


def _granularity(message: Message) -> Granularity:
    records = isinstance(message, Subscribe | Unsubscribe)
    return Granularity.RECORDS if records else Granularity.FIELDS
