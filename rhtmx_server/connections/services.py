"""What a connection needs of the server, in one object.

Knows the interfaces. `app.py` fills it with concrete parts.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.connections.admission import Admission
from rhtmx_server.connections.turns import Turns
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.forms.forms import FormTracker
from rhtmx_server.metrics import Metrics
from rhtmx_server.model import Granularity
from rhtmx_server.ports import Store
from rhtmx_server.writing.committer import Committer

__all__ = ["Authenticator", "Grant", "Services"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is good for.

    Args:
        subject: on whose behalf it speaks.
        expires: when it ends; microseconds since 1970, `None` for never.

    Example:
        >>> from rhtmx_server import App
        >>> TOKENS = {"t0ken": "ada"}
        >>> async def authenticate(token: str) -> Grant:
        ...     if token not in TOKENS:
        ...         raise RhtmxError(ErrorCode.UNAUTHENTICATED, "no such token: sign in again")
        ...     return Grant(TOKENS[token])
        >>> app = App(store="memory://", authenticate=authenticate)
    """

    subject: str
    expires: int | None = None


Authenticator = Callable[[str], Awaitable[Grant]]
"""Turns a token into a grant, or raises `RhtmxError` with `UNAUTHENTICATED`."""


@dataclass(slots=True)
class Services:
    """The server, as its connections see it.

    Args:
        config: limits and times.
        store: what was written.
        hub: what is being written.
        committer: where to write.
        tick: when bytes go out.
        turns: who has more to do than one turn of the loop allows.
        forms: the validators.
        metrics: takes figures.
        clock: the time; microseconds since 1970.
        now: seconds, of a clock that does not jump.
        entities: the names that may be used; `None` for any.
        fieldless: the entities that are kept without fields.
        authenticate: turns tokens into subjects; `None` where all are strangers.
        admission: counts connections.
        new_secret: makes what gives the right to a client id there.
    """

    config: Config
    store: Store
    hub: Hub
    committer: Committer
    tick: Tick
    turns: Turns
    forms: FormTracker
    metrics: Metrics
    clock: Callable[[], int]
    now: Callable[[], float]
    entities: frozenset[str] | None = None
    fieldless: frozenset[str] = frozenset()
    authenticate: Authenticator | None = None
    admission: Admission = field(default_factory=Admission)
    new_secret: Callable[[], str] = secrets.token_urlsafe

    def known(self, entity: str, granularity: Granularity = Granularity.RECORDS) -> None:
        """Make sure that an entity may be used in this way.

        Raises:
            RhtmxError: `UNKNOWN_ENTITY`; `NOT_SUPPORTED` for the fields of one
                that is kept without.
        """
        if granularity is Granularity.FIELDS and entity in self.fieldless:
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"'{entity[:40]}' is kept without fields: read whole records instead",
            )
        if self.entities is not None and entity not in self.entities:
            raise RhtmxError(
                ErrorCode.UNKNOWN_ENTITY,
                f"no entity '{entity[:40]}' on this server: is it declared?",
            )
