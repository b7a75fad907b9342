"""The Python client: one WebSocket for live data, live fields and live forms.

Knows what a client holds: collections, the queue, what waits for a decision.
Must not know sockets, files, nor the protocol: `protocol` has its calls.
"""

from __future__ import annotations

import random
import secrets
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload
from weakref import WeakSet

from rhtmx.api.client_calls import Calls
from rhtmx.api.collection import Collection
from rhtmx.api.conflict_resolution import OpenConflict, Pending, RejectedWrite
from rhtmx.core import build_message
from rhtmx.core.address import checked_headers, shown, websocket_url
from rhtmx.core.conflict import Side
from rhtmx.core.granularity import Granularity
from rhtmx.core.session import Session
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldPushAck, Hello, PushAck
from rhtmx.runtime.handshake import Endpoint
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.values.json_value import Data, Json
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx.wire import Format
from rhtmx.wire.check_outgoing import checked

__all__ = ["Client", "connect"]


class Client(Calls):
    """A client of one server. Made by `connect`, used with `async with`.

    Without a store, entering connects, and fails at once if that is not
    possible. With a store it returns as soon as that is open, and the connection
    comes by itself: what was held can be read, and what is written is sent later.

    From then on lost connections are made again, and what waits goes on:
    subscriptions from where they were, writes until they are durable, questions
    until they are answered. To wait no longer than you want, use
    `asyncio.timeout`. A write whose wait was cancelled is still sent.
    """

    _pending: tuple[Pending, ...] = ()
    _pending_at = -1
    _rejected: tuple[RejectedWrite, ...] = ()
    _rejected_at = -1

    @cached_property
    def _open_ones(self) -> dict[str, WeakSet[Collection[Any]]]:
        """The collections that read, by entity. One that nobody holds any more does not count."""
        return {}

    @overload
    def collection(
        self, entity: str, *, granularity: Literal["records", "fields"] = "records"
    ) -> Collection[Json]: ...

    @overload
    def collection(
        self,
        entity: str,
        type: type[Data],
        *,
        granularity: Literal["records", "fields"] = "records",
    ) -> Collection[Data]: ...

    def collection(
        self,
        entity: str,
        type: type[Any] | None = None,  # noqa: A002 (what it is)
        *,
        granularity: Literal["records", "fields"] = "records",
    ) -> Collection[Any]:
        """One entity: what is held of it, and its calls without its name.

        Args:
            entity: the collection.
            type: what type checkers are told that the data of its records is, such as a
                `TypedDict`; any JSON value, if left out. Nothing looks at the data for
                it: what others have written may be something else.
            granularity: how it is read, once something is read of it: whole
                records, or field by field, which costs less where records are
                large. One client reads an entity at one granularity.

        Example:
            >>> class Task(TypedDict):
            ...     title: str
            >>> async with client.collection("tasks", Task) as tasks:
            ...     await tasks.set("1", {"title": "Write it down"})
            ...     async for rows in tasks.subscribe():
            ...         print([row.data["title"] for row in rows])
        """
        return Collection(self, entity, Granularity(granularity))

    def _shut(self, collection: Collection[Any]) -> None:
        """A collection that reads was closed: with the last one of its entity, that ends."""
        entity = collection.entity
        self._open_ones[entity].discard(collection)
        view = self._session.local.get(entity)
        if self._open_ones[entity] or view is None:
            self._router.signal(entity).notify()
            return
        del self._open_ones[entity]
        self._session.shut(view)
        self._router.forget(entity)
        self._router.changed()

    # What waits.

    @property
    def queue(self) -> tuple[Pending, ...]:
        """The writes that wait for the server, in order; the same tuple until that changes."""
        writes = self._session.local.writes
        if self._pending_at != writes.revision:
            shown = {each.id: each for each in self._pending}
            rows = [Pending.of(row) for row in writes.queue]
            now = tuple(shown[row.id] if shown.get(row.id) == row else row for row in rows)
            self._pending = self._pending if self._pending == now else now
            self._pending_at = writes.revision
        return self._pending

    @property
    def rejected(self) -> tuple[RejectedWrite, ...]:
        """The writes that the server refused for good, oldest first, until you decide.

        The same tuple until that changes. Without a store the newest 1000.
        """
        writes = self._session.local.writes
        if self._rejected_at != writes.revision:
            shown = {each.id: each for each in self._rejected}
            kept = writes.refused.values()
            now = tuple(shown.get(each.id) or RejectedWrite.of(each, self) for each in kept)
            self._rejected = self._rejected if self._rejected == now else now
            self._rejected_at = writes.revision
        return self._rejected

    async def queues(self) -> AsyncGenerator[tuple[Pending, ...], None]:
        """The `queue` now, and each time that it has changed; a slow reader skips.

        Example:
            >>> async for queue in client.queues():
            ...     print(f"{len(queue)} changes wait")
        """
        self._check_connected()
        seen: tuple[Pending, ...] | None = None
        while True:
            if self.queue is not seen:
                seen = self.queue
                yield seen
            else:
                await self._router.queue.wait()

    async def rejections(self) -> AsyncGenerator[RejectedWrite, None]:
        """The writes that were refused for good: those that are kept, then each new one.

        Example:
            >>> async for rejected in client.rejections():
            ...     print(rejected.error, rejected.data)
            ...     rejected.discard()
        """
        self._check_connected()
        async with aclosing(self._router.rejections.listen()) as writes:
            async for each in writes:
                yield RejectedWrite.of(each, self)

    async def conflicts(self) -> AsyncGenerator[OpenConflict, None]:
        """Conflicts: those that nobody has answered yet, then each new one.

        Example:
            >>> async for conflict in client.conflicts():
            ...     print(conflict.field, conflict.mine, conflict.theirs)
            ...     await conflict.keep_mine()
        """
        self._check_connected()
        async with aclosing(self._router.disputes.listen()) as disputes:
            async for each in disputes:
                yield OpenConflict(each, self)

    # Decisions; see `decisions.Decider`.

    async def _retry(self, request_id: str) -> PushResult | FieldPushResult | None:
        self._let_go(request_id)
        now = self._now().timestamp()
        return await self._written(self._session.retry(request_id, now))

    def _discard(self, request_id: str) -> None:
        self._let_go(request_id)
        self._session.local.writes.discard(request_id)
        self._router.changed()

    async def _answer(
        self, conflict: OpenConflict, side: Side
    ) -> PushResult | FieldPushResult | None:
        self._router.disputes.drop(conflict.dispute)
        self._let_go(conflict.dispute.refused or "")
        return await self._written(self._session.answer(conflict.dispute, side, self._now()))

    def _let_go(self, request_id: str) -> None:
        """Nobody need be told of this refused write any more."""
        refused = self._session.local.writes.refused.get(request_id)
        if refused is not None:
            self._router.rejections.drop(refused)

    async def _written(self, request_id: str | None) -> PushResult | FieldPushResult | None:
        if request_id is None:
            self._router.changed()
            return None
        answer = await self._router.answer(request_id)
        if isinstance(answer.message, FieldPushAck):
            return FieldPushResult.of(answer.message, answer.conflicts)
        assert isinstance(answer.message, PushAck)
        return PushResult.of(answer.message)


def connect(
    url: str,
    *,
    format: Literal["json", "proto"] = "json",  # noqa: A002 (the field's own word)
    store: str | Path | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    token: str | Callable[[], Awaitable[str]] | None = None,
    headers: Mapping[str, str] | None = None,
    ssl: ssl.SSLContext | None = None,
    open_timeout: float = 10.0,
) -> Client:
    """A client of the server at `url`. It connects when it is entered.

    Args:
        url: `ws://host:port/api/ws`, or `wss://…` for TLS; `http://` and `https://`
            mean the same. A name and a password in it are sent as HTTP asks for them.
        format: how messages are written: readable, or smaller.
        store: a file that keeps records and waiting writes over restarts, so
            that the client can start and work offline; it is made if it is not
            there. One process has it at a time.
        client_id: stable id of this client instance; random if left out. A store
            has its own.
        client_secret: what gives the right to number writes under `client_id`,
            where nobody is asked for a token; the server gives one if left out,
            which lasts as long as this client. Give both to go on under the same
            id the next time; a store keeps its own.
        token: bearer token, or what gets a fresh one for each connection. One
            that the server no longer takes is then replaced, not the end.
        headers: added to the handshake's request, such as `Origin` or `Cookie`.
        ssl: for `wss://`: whom to trust and who this client is, if not what the system
            trusts and nobody, such as `ssl.create_default_context(cafile="ca.pem")`. The
            server's certificate and its name are always verified, unless you say otherwise
            there.
        open_timeout: seconds for connecting.

    Raises:
        RhtmxError: `BAD_MESSAGE`, both `store` and `client_id` are given, or a
            `client_secret` without `client_id`, the URL is none, `ssl` is for one without
            TLS, the token is larger than any server takes (4,096 bytes), or one of the
            texts or headers cannot be sent.

    Example:
        >>> async with rhtmx.connect("ws://localhost:3000/api/ws", store="app.db") as client:
        ...     tasks = client.collection("tasks")
        ...     print([row.data for row in tasks.all()])
    """
    if store is not None and client_id is not None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            "connect: client_id and store exclude each other: a store has an id of its own",
        )
    if client_secret is not None and client_id is None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, "connect: client_secret is of a client_id: give both, or neither"
        )
    url = websocket_url(url, "connect: url")
    if ssl is not None and not url.startswith("wss:"):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"connect: ssl is for wss:// or https://, not '{shown(url)}'"
        )
    checked(Hello(client_id=client_id, secret=client_secret), "connect")
    fixed = build_message.checked_token(token) if isinstance(token, str) else None
    name = client_id or secrets.token_hex(16)
    session = Session(name, random.random, token=fixed)
    session.local.identity.load(name, client_secret)
    added = checked_headers(headers or {}, "connect: headers")
    endpoint = Endpoint(url, Format(format), added, ssl, open_timeout)
    return Client(
        session,
        endpoint,
        token=None if isinstance(token, str) else token,
        store=None if store is None else SqliteStore(store),
    )
