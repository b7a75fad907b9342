"""Which handler takes which message.

Knows what each message asks for, and whom to ask. Holds no rule of its own:
merge, validation and order are the trackers', the feed's and the committer's.

A handler returns the answer, or an awaitable of it, or `None` where the answer
comes by another way (pushes, syncs) or there is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Hello,
    Limits,
    Ping,
    Pong,
    Push,
    PushFields,
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
from rhtmx.messages.tables import SCHEMA_HASH
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.model import Granularity
from rhtmx_server.services import Grant
from rhtmx_server.session import Phase
from rhtmx_server.times import to_datetime

if TYPE_CHECKING:
    from rhtmx_server.connection import Connection

__all__ = ["HANDLERS", "IN_ORDER"]

Answer: TypeAlias = ServerMessage | Awaitable[ServerMessage] | None

IN_ORDER: frozenset[type[Message]] = frozenset({Hello, Authenticate})
"""What is said after these depends on their answer, so it waits for it."""


async def _hello(connection: Connection, message: Hello) -> Welcome:
    services, session = connection.services, connection.session
    if services.authenticate is not None and (message.token or not session.subject):
        await _unlock(connection, message.token or "")
    last_seq = 0
    if message.client_id is not None:
        last_seq = await _identify(connection, message.client_id, message.confirmed_seq)
    session.introduce(message.client_id)
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
    )


async def _identify(connection: Connection, client_id: str, confirmed: int | None) -> int:
    store = connection.services.store
    client = await store.client(client_id)
    if client is None:
        return 0
    if client.subject != connection.session.subject:
        raise RhtmxError(
            ErrorCode.CLIENT_ID_TAKEN,
            "this client_id belongs to another user: make a new one for this client",
        )
    if confirmed:
        await store.confirm(client_id, min(confirmed, client.last_seq))
    return client.last_seq


async def _authenticate(connection: Connection, message: Authenticate) -> Authenticated:
    grant = await _unlock(connection, message.token)
    expires = None if grant.expires is None else to_datetime(grant.expires)
    return Authenticated(expires=expires, request_id=message.request_id)


async def _unlock(connection: Connection, token: str) -> Grant:
    services = connection.services
    if services.authenticate is None:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED, "this server knows no tokens: it asks nobody who they are"
        )
    grant = await services.authenticate(token)
    until = None
    if grant.expires is not None:
        until = services.now() + (grant.expires - services.clock()) / 1e6
    connection.session.unlock(grant.subject, until)
    return grant


def _subscribe(connection: Connection, message: Subscribe | SubscribeFields) -> None:
    feed, most = connection.feed, connection.session.limits.subscriptions
    entities = list(dict.fromkeys(message.entities))
    granularity = _granularity(message)
    for entity in entities:
        connection.services.known(entity, granularity)
    new = sum(not feed.subscribed(entity) for entity in entities)
    if feed.subscriptions + new > most:
        raise RhtmxError(
            ErrorCode.TOO_MANY_SUBSCRIPTIONS,
            f"at most {most} entities at a time; this connection has {feed.subscriptions}: "
            "unsubscribe from some",
        )
    if message.since and feed.resumes + len(message.since) > 2 * most:
        raise RhtmxError(
            ErrorCode.TOO_MANY_REQUESTS,
            "too many subscriptions are catching up already: wait for their sync_complete",
        )
    for entity in entities:
        since = message.since.get(entity)
        feed.subscribe(entity, granularity, since)
        if since is None and connection.session.phase is Phase.KNOWN:
            # It keeps positions, and needs one to resume from before the first
            # change. A client of the seed has no use for an answer.
            feed.announce(entity, granularity)


def _unsubscribe(connection: Connection, message: Unsubscribe | UnsubscribeFields) -> None:
    for entity in message.entities:
        connection.feed.unsubscribe(entity, _granularity(message))


def _sync(connection: Connection, message: Sync | SyncFields) -> None:
    granularity = Granularity.RECORDS if isinstance(message, Sync) else Granularity.FIELDS
    connection.services.known(message.entity, granularity)
    connection.request()
    connection.feed.sync(message)


def _push(connection: Connection, message: Push | PushFields) -> None:
    refusal = None
    try:
        connection.services.known(message.entity)
    except RhtmxError as error:
        refusal = error
    connection.submit(message, refusal)


def _validate_field(connection: Connection, message: ValidateField) -> Answer:
    forms = connection.services.forms
    result = forms.try_validate_field(message, owner=connection)
    if result is not None:
        return result
    connection.request()
    return forms.validate_field(message, owner=connection)


def _validate_form(connection: Connection, message: ValidateForm) -> Answer:
    connection.request()
    return connection.services.forms.validate_form(message, owner=connection)


def _granularity(message: Message) -> Granularity:
    records = isinstance(message, Subscribe | Unsubscribe)
    return Granularity.RECORDS if records else Granularity.FIELDS


HANDLERS: Mapping[type[Message], Callable[[Connection, Any], Answer]] = {
    Hello: _hello,
    Authenticate: _authenticate,
    Ping: lambda connection, message: Pong(),
    Pong: lambda connection, message: None,
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
    Sync: _sync,
    Push: _push,
    SubscribeFields: _subscribe,
    UnsubscribeFields: _unsubscribe,
    SyncFields: _sync,
    PushFields: _push,
    ValidateField: _validate_field,
    ValidateForm: _validate_form,
}
