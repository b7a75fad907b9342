"""The live side of the order desk: an app of rhtmx that knows the site's users."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.dispatch import receiver
from django.http import HttpRequest

from examples.orders_schema import schema
from rhtmx_server import App, ErrorCode, Grant, Request, RhtmxError


def grant_of(user: Any) -> Grant:
    """Say what a user of the site may do: the groups are the roles."""
    if not user.is_authenticated:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(user.get_username(), roles=user.groups.values_list("name", flat=True))


def by_session(request: Request) -> Grant:
    """Say so of whoever connects, by the session of the site."""
    asked = HttpRequest()
    asked.session = SessionStore(request.cookies.get(settings.SESSION_COOKIE_NAME))
    return grant_of(get_user(asked))


app = App(store="sqlite:///orders.db", schema=schema, authenticate=by_session)


@receiver(user_logged_out)
async def sign_out(user: Any, **_: object) -> None:
    """End what the pages of somebody have open who signs out."""
    if user is not None:
        app.disconnect(user.get_username())
