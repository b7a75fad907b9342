"""A model server behind a real socket, for testing the client's shell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from rhtmx.api.client import Client
from rhtmx.core.session import Session
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Error,
    ErrorCode,
    FieldConflict,
    FieldError,
    FieldPushAck,
    FormValidationResult,
    Hello,
    MergeStrategy,
    PushFields,
    Subscribe,
    ValidateField,
    ValidateForm,
    ValidationResult,
    Welcome,
    Winner,
)
from rhtmx.runtime.handshake import WebSocketEndpoint
from rhtmx.wire import SUBPROTOCOLS, Format, Message, decode, encode
from tests.unit.rhtmx.model_server import ENTITY, NOW, ModelServer


class Peer:
    """Speaks both formats with one client at a time; answers at once unless it is mute."""

    def __init__(self) -> None:
        self.server = ModelServer()
        self.url = ""
        self.connections = 0
        self.heard: list[Message] = []
        self.heartbeat = 20_000
        self.mute = False
        self.refusal: Error | None = None
        self.socket: ServerConnection | None = None
        self.answers = dict(_ANSWERS)
        self._changed = asyncio.Condition()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(true)

    async def write(self, entity_id: str, fields: dict[str, int] | None) -> None:
        """Someone else writes a record."""
        self.server.write(entity_id, fields)
        await self._say()

    async def say(self, message: Message) -> None:
        """Say something unasked."""
        self.server.outgoing.append(message)
        await self._say()

    async def drop(self, code: int | None = None, reason: str = "") -> None:
        """End the connection, in good order or by breaking it."""
        assert self.socket is not None
        if code is None:
            self.socket.transport.abort()
        else:
            await self.socket.close(code, reason)

    async def serve_one(self, socket: ServerConnection) -> None:
        """One connection, from its first message to its last."""
        self.connections += 1
        self.socket = socket
        try:
            while True:
                data = await socket.recv(decode=False)
                self._hear(decode(data, self._format(socket)))
                while not self.mute and self.server.pump():
                    pass
                await self._say()
        except ConnectionClosed:
            self.server.cut()

    def _format(self, socket: ServerConnection) -> Format:
        return SUBPROTOCOLS[socket.subprotocol] if socket.subprotocol else Format.JSON

    async def _say(self) -> None:
        outgoing = self.server.outgoing
        while self.socket is not None and outgoing and not self.mute:
            data = encode(outgoing.pop(0), form := self._format(self.socket))
            await self.socket.send(data, text=form is Format.JSON)
        async with self._changed:
            self._changed.notify_all()

    def _hear(self, message: Message) -> None:
        self.heard.append(message)
        if isinstance(message, Hello) and self.refusal is not None:
            self.server.outgoing.append(self.refusal)
            return
        if type(message) in self.answers:
            self.server.outgoing.extend(self.answers[type(message)](message))
        elif isinstance(message, Subscribe) and ENTITY not in message.entities:
            self.server.outgoing.append(Error("no such entity", ErrorCode.UNKNOWN_ENTITY))
        else:
            self.server.receive(message)
        if isinstance(message, Hello) and isinstance(welcome := self.server.outgoing[-1], Welcome):
            welcome.heartbeat = self.heartbeat


def _push_fields(message: PushFields) -> list[Message]:
    conflict = FieldConflict(
        entity=message.entity,
        entity_id=message.entity_id,
        field=message.fields[0].field,
        server_value=b'"theirs"',
        server_timestamp=NOW,
        client_value=message.fields[0].value,
        client_timestamp=message.fields[0].timestamp,
        winner=Winner.SERVER,
        strategy=MergeStrategy.SERVER_WINS,
        seq=message.seq,
    )
    ack = FieldPushAck(
        entity=message.entity,
        entity_id=message.entity_id,
        applied=len(message.fields) - 1,
        conflicts=1,
        request_id=message.request_id,
        seq=message.seq,
    )
    return [conflict, ack]


def _validate_field(message: ValidateField) -> list[Message]:
    if message.form == "unknown":
        return [Error("no such form", ErrorCode.UNKNOWN_FORM, message.request_id)]
    return [
        ValidationResult(message.request_id, message.form, message.field, message.value == "ok")
    ]


def _validate_form(message: ValidateForm) -> list[Message]:
    errors = [FieldError(each.field, "no") for each in message.fields]
    return [FormValidationResult(message.request_id, message.form, not errors, errors)]


def _authenticate(message: Authenticate) -> list[Message]:
    return [Authenticated(expires=NOW, request_id=message.request_id)]


_ANSWERS: dict[type[Message], Callable[[Any], list[Message]]] = {
    PushFields: _push_fields,
    ValidateField: _validate_field,
    ValidateForm: _validate_form,
    Authenticate: _authenticate,
}


@asynccontextmanager
async def peering() -> AsyncIterator[Peer]:
    """A peer that listens."""
    peer = Peer()
    async with serve(
        peer.serve_one,
        "127.0.0.1",
        0,
        select_subprotocol=lambda _, offered: next((s for s in offered if s in SUBPROTOCOLS), None),
        ping_interval=None,
        close_timeout=1,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        peer.url = f"ws://127.0.0.1:{port}/api/ws"
        yield peer


def client_of(peer: Peer, form: Format = Format.JSON, **options: Any) -> Client:
    """A client that comes back at once."""
    session = Session("c1", random=lambda: 0.0)
    return Client(session, WebSocketEndpoint(peer.url, form, open_timeout=60), **options)
