"""The desk behind pages that Node renders: who somebody is, the records, and live data."""

import os
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

import rhtmx_server
from examples.orders_schema import schema
from rhtmx_server import App, ErrorCode, Grant, RhtmxError

PEOPLE = {"ada": (), "bob": (), "cleo": ["clerk"], "dan": ["clerk"]}  # yours are in a database


def by_session(request: rhtmx_server.Request) -> Grant:
    """Say who connects, and as what."""
    if (name := request.scope.get("session", {}).get("name")) not in PEOPLE:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(name, roles=PEOPLE[name])


async def records(request: Request) -> Response:
    """Tell the server of the pages what whoever asks for one may see."""
    if (name := request.session.get("name")) not in PEOPLE:
        return JSONResponse(None, 401)
    who = Grant(name, roles=PEOPLE[name])
    me = {"name": name, "clerk": who.has_role("clerk")}
    orders, stock = await kept("orders", who), await kept("stock", who)
    return JSONResponse({"me": me, "orders": orders, "stock": stock})


async def kept(entity: str, who: Grant) -> list[dict[str, Any]]:
    """List the records that somebody may see, as the page has them."""
    return [{"id": row.id, "data": row.data} for row in await app.collection(entity, who=who).all()]


async def sign_in(request: Request) -> Response:
    """Sign somebody in; yours asks for a password."""
    async with request.form() as entered:
        request.session["name"] = entered["name"]
    return RedirectResponse("/", 303)


async def sign_out(request: Request) -> Response:
    """Sign somebody out, and end what their pages have open."""
    if (name := request.session.pop("name", None)) is not None:
        app.disconnect(name)
    return RedirectResponse("/sign-in", 303)


app = App(store="sqlite:///orders.db", schema=schema, authenticate=by_session)
live = app.asgi()
key = os.environ.get("SECRET_KEY") or secrets.token_hex()
web = Starlette(
    routes=[
        Mount("/live", live),
        Route("/api/records", records),
        Route("/api/sign-in", sign_in, methods=["POST"]),
        Route("/api/sign-out", sign_out, methods=["POST"]),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=key)],
    lifespan=live.lifespan,
)
