"""Who calls: metadata to subject and client.

Knows the metadata that this server reads. Must not know what is asked.

=========================  ===================================================
metadata                   what it says
=========================  ===================================================
`authorization`            `Bearer TOKEN`, where the app asks for tokens
`x-rhtmx-client-id`        the id of the client: its `seq` numbers belong to it,
                           and it is named in the log; 1 to 255 characters of
                           ASCII
`x-rhtmx-client-secret`    where the app asks for no tokens: what gives the right
                           to number under that id. The client makes it up, and
                           sends the same with every call; as long as an id
`traceparent`              the span in which the call is made, by W3C Trace
                           Context: what is traced of it links to that one
=========================  ===================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grpclib.server import Stream

from rhtmx_server.access.grant import GUEST, Grant
from rhtmx_server.access.request import NOBODY, Request
from rhtmx_server.connections.checks import check_name
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit, token_expired
from rhtmx_server.transports.bearer import bearer
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.writing.identity import hashed

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Caller", "caller_of", "identify", "request_of"]

CLIENT_ID = "x-rhtmx-client-id"
CLIENT_SECRET = "x-rhtmx-client-secret"  # noqa: S105 (a name)


@dataclass(slots=True, eq=False)
class Caller:
    """Who makes a call.

    Args:
        services: the server.
        request: what the call says of its peer.
        grant: who it is; a guest where nobody is asked.
        client_id: which client, if it says so.
        until: when the token expires, in seconds of `services.now`.
        known: a token was asked for and good, or none is asked for.
        secret: hash of what gives it the right to its id.
        visit: the call, as what its subject's rights end.
    """

    services: Services
    request: Request = NOBODY
    grant: Grant = GUEST
    client_id: str | None = None
    until: float | None = None
    known: bool = True
    secret: bytes | None = field(default=None, repr=False)
    visit: Visit | None = None

    @property
    def subject(self) -> str:
        """On whose behalf it calls; empty for a guest."""
        return self.grant.subject

    @property
    def traceparent(self) -> str | None:
        """What it says of its own trace."""
        return self.request.headers.get("traceparent")

    def present(self) -> None:
        """Make sure that the token is good at this moment: a call may have waited long.

        Raises:
            RhtmxError: `UNAUTHENTICATED`.
        """
        if self.until is not None and self.services.now() >= self.until:
            raise token_expired()


async def caller_of(door: Door, stream: Stream[Any, Any], *, later: bool = False) -> Caller:
    """Read who calls, and end the call with its caller's rights. See `identify`."""

    def enter(caller: Caller) -> None:
        caller.visit = door.services.visits.enter(caller.grant, caller.until)
        door.visited(caller.visit)

    return await identify(door.services, request_of(stream), later=later, known=enter)


async def identify(
    services: Services,
    request: Request,
    *,
    later: bool = False,
    known: Callable[[Caller], None] = lambda caller: None,
) -> Caller:
    """Read who calls.

    Args:
        services: the server.
        request: what the call says of its peer; see `request_of`.
        later: a missing token may be presented in the conversation.
        known: is told as soon as it is known who it is: from then on they may be disconnected.

    Raises:
        RhtmxError: `UNAUTHENTICATED`; `BAD_MESSAGE` for an impossible client id
            or secret; `CLIENT_ID_TAKEN`, the id is another's.
    """
    secret = _text(request.headers, CLIENT_SECRET)
    caller = Caller(
        services,
        request,
        client_id=_text(request.headers, CLIENT_ID),
        secret=None if secret is None else hashed(secret),
    )
    if services.authenticate is not None:
        await _authenticate(caller, later=later)
    if caller.known:
        known(caller)
    # Without a secret it may come with `hello`, or never be needed: writes are checked in any case.
    if caller.client_id is not None and (caller.subject or caller.secret is not None):
        await services.client(caller.client_id, caller.subject, caller.secret)
    return caller


async def _authenticate(caller: Caller, *, later: bool) -> None:
    request = caller.request
    given = request.headers.get("authorization")
    if given is None and later:
        caller.known = False
        return
    # A certificate may be enough: that is for the program to say.
    token = "" if given is None and request.certificate else bearer([given] if given else [])
    caller.request = replace(request, token=token)
    caller.grant, caller.until = await caller.services.grant(caller.request)


def request_of(stream: Stream[Any, Any]) -> Request:
    """Read what a call says of its peer."""
    metadata: Mapping[str, object] = stream.metadata or {}
    address = stream.peer.addr()
    return Request(
        transport="grpc",
        path=stream._method_name,
        # Values of `-bin` names are bytes: nothing here reads those.
        headers={name: value for name, value in metadata.items() if isinstance(value, str)},
        address=str(address[0]) if isinstance(address, tuple) else "",
        certificate=stream.peer.cert() or None,
    )


def _text(metadata: Mapping[str, str], name: str) -> str | None:
    value = metadata.get(name)
    if value is None:
        return None
    return check_name(name, value)
