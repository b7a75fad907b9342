"""An order desk with FastAPI and htmx: pages of the server that are live."""

import os
import secrets
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.middleware.sessions import SessionMiddleware

import rhtmx_server
from examples.orders_schema import Order, Stock, schema
from rhtmx_server import App, ErrorCode, FormVerdict, Grant, RhtmxError
from rhtmx_server.adapters.fastapi import validated
from rhtmx_server.authenticators import first_of, static_tokens

GOODS = ("rice", "salt", "tea")
PEOPLE = {"ada": (), "bob": (), "cleo": ["clerk"], "dan": ["clerk"]}  # yours are in a database
PROGRAMS = dict.fromkeys(os.environ.get("WAREHOUSE_HASH", "").split(), "warehouse")


def grant_of(session: dict[str, str]) -> Grant:
    """Say who has signed in, and as what."""
    if (name := session.get("name")) not in PEOPLE:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(name, roles=PEOPLE[name])


async def by_session(request: rhtmx_server.Request) -> Grant:
    """Say so of whoever connects."""
    return grant_of(request.scope.get("session", {}))


def signed_in(request: Request) -> Grant:
    """Say so of whoever asks for a page."""
    return grant_of(request.session)


Who = Annotated[Grant, Depends(signed_in)]

authenticate = first_of(static_tokens(PROGRAMS), by_session)
app = App(store="sqlite:///orders.db", schema=schema, authenticate=authenticate)
live = app.asgi()
web = FastAPI(lifespan=live.lifespan)
web.add_middleware(
    SessionMiddleware, secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex()
)
web.mount("/live", live)
Ordered = Annotated[FormVerdict, Depends(validated(app.form("order"), who=signed_in))]
templates = Jinja2Templates(Path(__file__).with_name("templates"))


@web.get("/", response_class=HTMLResponse)
def desk(request: Request, who: Who) -> Response:
    """Show the page, whose lists are the next two routes."""
    return templates.TemplateResponse(request, "desk.html", {"who": who, "goods": GOODS})


@web.get("/orders", response_class=HTMLResponse)
async def orders(request: Request, who: Who) -> Response:
    """List the orders that somebody may see: their own, or as a clerk all of them."""
    rows = await app.of(Order, who=who).all()
    return templates.TemplateResponse(request, "orders.html", {"who": who, "rows": rows})


@web.get("/stock", response_class=HTMLResponse)
async def stock(request: Request, who: Who) -> Response:
    """List how much there is of all goods."""
    counted = dict.fromkeys(GOODS, 0)
    counted |= {row.id: row.data.counted for row in await app.of(Stock, who=who).all()}
    return templates.TemplateResponse(request, "stock.html", {"who": who, "counted": counted})


@web.post("/orders", response_class=HTMLResponse)
async def order(request: Request, who: Who, ordered: Ordered) -> Response:
    """Order something, and show an empty form again."""
    await app.of(Order, who=who).create(Order(**ordered.cleaned))
    return templates.TemplateResponse(request, "order_form.html", {"goods": GOODS})


@web.get("/sign-in", response_class=HTMLResponse)
def ask_who(request: Request) -> Response:
    """Ask who somebody is."""
    return templates.TemplateResponse(request, "sign_in.html", {"people": PEOPLE})


@web.post("/sign-in")
def sign_in(request: Request, name: Annotated[str, Form()]) -> Response:
    """Sign somebody in; yours asks for a password."""
    request.session["name"] = name
    return RedirectResponse("/", 303)


@web.post("/sign-out")
async def sign_out(request: Request, who: Who) -> Response:
    """Sign somebody out, and end what their pages have open."""
    request.session.clear()
    app.disconnect(who.subject)
    return RedirectResponse("/sign-in", 303)


@web.exception_handler(RhtmxError)
def refused(request: Request, error: RhtmxError) -> Response:
    """Send whoever is not signed in to do so; tell others what was wrong."""
    if error.code is ErrorCode.UNAUTHENTICATED:
        return RedirectResponse("/sign-in", 303)
    return PlainTextResponse(str(error), 403 if error.code is ErrorCode.FORBIDDEN else 422)
