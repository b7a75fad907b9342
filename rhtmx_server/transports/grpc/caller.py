"""Who calls: metadata to subject and client.

Knows the metadata that this server reads. Must not know what is asked.

====================  ========================================================
metadata              what it says
====================  ========================================================
`authorization`       `Bearer TOKEN`, where the app asks for tokens
`x-rhtmx-client-id`   the id of the client: its `seq` numbers belong to it, and
                      it is named in the log; 1 to 255 characters of ASCII
====================  ========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire.limits import MAX_NAME, MAX_TOKEN
from rhtmx_server.services import Services

__all__ = ["CLIENT_ID", "Caller", "identify"]

CLIENT_ID = "x-rhtmx-client-id"


@dataclass(slots=True)
class Caller:
    """Who makes a call.

    Args:
        services: the server.
        subject: on whose behalf; empty where nobody is asked.
        client_id: which client, if it says so.
        until: when the token expires, in seconds of `services.now`.
        known: a token was asked for and good, or none is asked for.
    """

    services: Services
    subject: str = ""
    client_id: str | None = None
    until: float | None = None
    known: bool = True

    def present(self) -> None:
        """Make sure that the token is good at this moment: a call may have waited long.

        Raises:
            RhtmxError: `UNAUTHENTICATED`.
        """
        if self.until is not None and self.services.now() >= self.until:
            raise _expired()


async def identify(
    services: Services, metadata: Mapping[str, Any], *, later: bool = False
) -> Caller:
    """Read who calls.

    Args:
        services: the server.
        metadata: of the call.
        later: a missing token may be presented in the conversation.

    Raises:
        RhtmxError: `UNAUTHENTICATED`; `BAD_MESSAGE` for an impossible client id.
    """
    caller = Caller(services, client_id=_client_id(metadata))
    if services.authenticate is None:
        return caller
    token = _token(metadata)
    if token is None and later:
        caller.known = False
        return caller
    if token is None:
        raise RhtmxError(
            ErrorCode.UNAUTHENTICATED, "a token expected, in the metadata: authorization: Bearer …"
        )
    grant = await services.authenticate(token)
    caller.subject = grant.subject
    if grant.expires is not None:
        left = (grant.expires - services.clock()) / 1e6
        if left <= 0:
            raise _expired()
        caller.until = services.now() + left
    return caller


def _expired() -> RhtmxError:
    return RhtmxError(ErrorCode.UNAUTHENTICATED, "the token has expired")


def _client_id(metadata: Mapping[str, Any]) -> str | None:
    client_id = metadata.get(CLIENT_ID)
    if client_id is None:
        return None
    if not 1 <= len(client_id) <= MAX_NAME:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, f"{CLIENT_ID}: 1 to {MAX_NAME} bytes expected in the metadata"
        )
    return str(client_id)


def _token(metadata: Mapping[str, Any]) -> str | None:
    value = metadata.get("authorization")
    if value is None:
        return None
    scheme, _, token = str(value).partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RhtmxError(
            ErrorCode.UNAUTHENTICATED, "the metadata `authorization` has to be: Bearer TOKEN"
        )
    if len(token) > MAX_TOKEN:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"token: at most {MAX_TOKEN} bytes expected, got {len(token)}",
        )
    return token
