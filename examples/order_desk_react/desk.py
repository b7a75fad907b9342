"""The server of the order desk in React: who somebody is, the records, and the built page."""

import os
import secrets
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import rhtmx_server
from examples.orders_schema import schema
from rhtmx_server import App, ErrorCode, Grant, RhtmxError

PEOPLE = {"ada": (), "bob": (), "cleo": ["clerk"], "dan": ["clerk"]}  # yours are in a database


def by_session(request: rhtmx_server.Request) -> Grant:
    """Say who connects, and as what."""
    if (name := request.scope.get("session", {}).get("name")) not in PEOPLE:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(name, roles=PEOPLE[name])


async def me(request: Request) -> Response:
    """Tell the page who has signed in."""
    name = request.session.get("name")
    if name not in PEOPLE:
        return JSONResponse(None, 401)
    return JSONResponse({"name": name, "clerk": "clerk" in PEOPLE[name]})


async def sign_in(request: Request) -> Response:
    """Sign somebody in; yours asks for a password."""
    request.session["name"] = (await request.json())["name"]
    return Response(status_code=204)


async def sign_out(request: Request) -> Response:
    """Sign somebody out, and end what their pages have open."""
    if (name := request.session.pop("name", None)) is not None:
        app.disconnect(name)
    return Response(status_code=204)


app = App(store="sqlite:///orders.db", schema=schema, authenticate=by_session)
live = app.asgi()
key = os.environ.get("SECRET_KEY") or secrets.token_hex()
web = Starlette(
    routes=[
        Mount("/live", live),
        Route("/me", me),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Mount("/", StaticFiles(directory=Path(__file__).with_name("dist"), html=True)),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=key)],
    lifespan=live.lifespan,
)
