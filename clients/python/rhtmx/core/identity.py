"""Who this client is to the server: an id, and what gives it the right to number under it. Pure.

Knows that the id is no secret, since every change carries it, and that the secret
is kept before anything is numbered under it. Must not know the connection, the
queue or disks.

Where nobody is asked for a token, `welcome` gives the secret while the id is
bound to none, and the first number binds the id to it. Who lost it then can
number under that id no more: so no number is sent before it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rhtmx.core.storage_ops import Op, PendingOps, SetIdentity
from rhtmx.messages import Hello, SchemaVersion, Welcome
from rhtmx.messages.tables import SCHEMA_HASH

__all__ = ["Identity"]


class Identity:
    """The id of one client, and the secret that belongs to it.

    Args:
        pending_ops: where what changes is put down.

    Attributes:
        client_id: stable id of this client instance.
        secret: said in every `hello`; never shown.
        stored: the store has it, if there is one.
        app_schema: the application's schema that this program was built with, if it has said so.
        schema_version: the version of that: it writes under it.
        server_schema: the application's schema of the server, once that has said so.
        node: the name of the server that was connected to last, if it is one of several.
        traceparent: says where in a trace its user is; `None` where nobody traces.
    """

    def __init__(self, pending_ops: PendingOps) -> None:
        self.client_id = ""
        self.secret: str | None = None
        self.stored = True
        self.app_schema: SchemaVersion | None = None
        self.schema_version: int | None = None
        self.server_schema: SchemaVersion | None = None
        self.node: str | None = None
        self.traceparent: Callable[[], str | None] | None = None
        self._pending_ops = pending_ops

    def load(self, client_id: str, secret: str | None = None) -> None:
        """Begin with what was kept."""
        self.client_id, self.secret = client_id, secret

    def hello(self, token: str | None, epoch: str | None, confirmed: int) -> Hello:
        """What is said first on every connection.

        Args:
            token: bearer token.
            epoch: the one that was seen last.
            confirmed: every answer up to this number has arrived.
        """
        return Hello(
            client_id=self.client_id,
            token=token,
            schema=SCHEMA_HASH,
            epoch=epoch,
            confirmed_seq=confirmed,
            secret=self.secret,
            app_schema=self.app_schema,
            traceparent=self.traceparent and self.traceparent(),
        )

    def welcomed(self, message: Welcome) -> None:
        """The server has answered: maybe it gave a secret."""
        self.server_schema, self.node = message.app_schema, message.node
        if message.secret is not None:
            self.given(message.secret)

    def given(self, secret: str) -> None:
        """The server gave a secret."""
        self._become(self.client_id, secret)

    def built_with(self, schema: SchemaVersion) -> None:
        """Say that the program was built with that schema of the application."""
        self.app_schema, self.schema_version = schema, schema.version

    def renew(self, random: Callable[[], float]) -> None:
        """Be somebody else from now on.

        Args:
            random: gives a number from 0 to 1, 1 excluded, each time it is called.
        """
        self._become("".join(f"{int(random() * 2**32):08x}" for _ in range(4)), None)

    def kept(self, ops: Iterable[Op]) -> None:
        """These are stored."""
        if SetIdentity(self.client_id, self.secret) in ops:
            self.stored = True

    def _become(self, client_id: str, secret: str | None) -> None:
        self.client_id, self.secret = client_id, secret
        self.stored = not self._pending_ops.durable
        self._pending_ops.put(SetIdentity(client_id, secret))
