"""Makes a client: what was given is checked, and put together.

Knows the concrete parts of a client. Decides nothing else.
"""

from __future__ import annotations

import random
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rhtmx.api.client import Client
from rhtmx.core.address import checked_headers, shown, websocket_url
from rhtmx.core.build_message import checked_token
from rhtmx.core.choice import choice
from rhtmx.core.session import Session
from rhtmx.core.traceparent import Traceparent, traceparent_source
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Hello, SchemaVersion
from rhtmx.runtime.handshake import WebSocketEndpoint
from rhtmx.stores.sqlite import SqliteStore
from rhtmx.wire import Format
from rhtmx.wire.check_outgoing import checked

if TYPE_CHECKING:
    from rhtmx.schema.declared import Schema

__all__ = ["connect"]


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
    schema: Schema | None = None,
    traceparent: Traceparent = None,
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
        schema: the application's, as `rhtmx codegen` has generated it. The server is told its
            version, and every write says that it was made under it, so that a server of a later
            version knows what it means. What is written by `Client.of` says so without this.
        traceparent: where in a trace this client is, as W3C Trace Context writes it, or a function
            that says so, `None` for nowhere: it is called for each connection and each write,
            and what a server traces links to it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, both `store` and `client_id` are given, or a
            `client_secret` without `client_id`, the URL is none, `ssl` is for one without
            TLS, the token is larger than any server takes (4,096 bytes), `store` is a URL,
            there is no such `format`, the `traceparent` is none, or one of the texts or
            headers cannot be sent.

    Example:
        >>> async with rhtmx.connect("ws://localhost:3000/api/ws", store="app.db") as client:
        ...     tasks = client.collection("tasks")
        ...     print([row.data for row in tasks.all()])  # what the file holds
        []
    """
    _check_whose(store, client_id, client_secret)
    url = websocket_url(url, "connect: url")
    if ssl is not None and not url.startswith("wss:"):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"connect: ssl is for wss:// or https://, not '{shown(url)}'"
        )
    checked(Hello(client_id=client_id, secret=client_secret), "connect")
    fixed = checked_token(token) if isinstance(token, str) else None
    name = client_id or secrets.token_hex(16)
    session = Session(name, random.random, token=fixed)
    session.local.identity.load(name, client_secret)
    session.local.identity.traceparent = traceparent_source(traceparent)
    added = checked_headers(headers or {}, "connect: headers")
    if schema is not None:
        said = SchemaVersion(version=schema.version, hash=schema.hash, oldest=schema.oldest)
        session.local.identity.built_with(said)
    spoken = choice(Format, format, "connect: format")
    endpoint = WebSocketEndpoint(url, spoken, added, ssl, open_timeout)
    return Client(
        session,
        endpoint,
        token=None if isinstance(token, str) else token,
        store=None if store is None else SqliteStore(store),
    )


def _check_whose(
    store: str | Path | None, client_id: str | None, client_secret: str | None
) -> None:
    """Refuse what does not go together of a store and the id under which a client writes."""
    if store is not None and client_id is not None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            "connect: client_id and store exclude each other: a store has an id of its own",
        )
    if client_secret is not None and client_id is None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, "connect: client_secret is of a client_id: give both, or neither"
        )
    if isinstance(store, str) and "://" in store:  # as a server's store is named
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"connect: store: the path of a file expected, such as 'app.db', got '{shown(store)}'",
        )
