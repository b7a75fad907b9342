"""Whose a `client_id` is. Pure.

Knows subjects, secrets and what is kept of a client. Must not know doors, the
store, nor what a mutation does.

An id names the author of a change, so everybody can read it. What may be
written under it depends on who writes:

====================  ======================================================
a subject             whatever is not another's: its first write, numbered or
                      not, makes the id its own
nobody in particular  as long as the id is nobody's: anything without numbers.
                      The first numbered write binds the id to the secret that
                      was presented with it; from then on every write needs it
the app itself        without numbers in any name; with numbers under the ids
                      that it numbered first, which no door can use. On behalf
                      of a subject (`app.collection(…, who=…)`): as a subject
====================  ======================================================

Where there is a subject its token is the right, and secrets are not looked at.
Of a secret only a hash is kept: SHA-256 alone, since those that the server
makes cannot be guessed.
"""

from __future__ import annotations

import hashlib
import hmac

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import ClientRow

__all__ = ["check_owner", "check_right_to_number", "hashed"]


def hashed(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def check_owner(client: ClientRow | None, subject: str, secret: bytes | None) -> None:
    """Make sure that an id may be used.

    Args:
        client: what is kept of it, if anything.
        subject: who wants to; empty for nobody in particular.
        secret: the hash of what was presented.

    Raises:
        RhtmxError: `CLIENT_ID_TAKEN`, it is another's.
    """
    if client is None:
        return
    if client.subject != subject:
        raise RhtmxError(
            ErrorCode.CLIENT_ID_TAKEN,
            "this client_id belongs to another user: make a new one for this client",
        )
    # No secret is bound yet; or there is a subject, and then its token is what counts.
    if client.secret is None or subject:
        return
    # In constant time: how long a wrong one takes must not tell how much of it is right.
    if secret is None or not hmac.compare_digest(client.secret, secret):
        raise RhtmxError(
            ErrorCode.CLIENT_ID_TAKEN,
            "this client_id belongs to the client that has its secret: say hello with the secret "
            "that the first welcome gave, or make a new client_id",
        )


def check_right_to_number(subject: str, secret: bytes | None) -> None:
    """Make sure that there is something to bind an id to.

    Raises:
        RhtmxError: `BAD_MESSAGE`, neither a subject nor a secret.
    """
    if not subject and secret is None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            "seq: numbers need the client's secret where nobody is asked for a token: say hello "
            "with the client_id first, and keep what welcome gives (gRPC: send "
            "x-rhtmx-client-secret with each call)",
        )
