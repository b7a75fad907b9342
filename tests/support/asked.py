"""An app's function that is asked who a peer is, and remembers what it was told."""

from __future__ import annotations

from rhtmx_server import ErrorCode, Grant, Request, RhtmxError

__all__ = ["Asked"]


class Asked:
    """Keeps what it is told, and knows everybody who says something."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Grant:
        self.requests.append(request)
        who = request.token or request.cookies.get("session", "")
        if not who and request.certificate is not None:
            names = dict(pair for each in request.certificate["subject"] for pair in each)
            who = names["commonName"]
        if not who:
            raise RhtmxError(ErrorCode.UNAUTHENTICATED, "who are you?")
        return Grant(who)

    @property
    def last(self) -> Request:
        return self.requests[-1]
