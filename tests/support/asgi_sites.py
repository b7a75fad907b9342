"""Applications of several frameworks that have our server mounted, under several ASGI servers.

Each is a program of its own, as a user would write it, and serves `/sign-in` and `/sign-out`
beside `/live`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.process import OURS, running
from tests.support.sockets import PATIENCE

__all__ = ["HOSTS", "Host", "Site", "serving"]

_FRAMES = "rhtmx_server.transports.asgi.uvicorn:FrameProtocol"

_COMMANDS = {
    "uvicorn": ("uvicorn", "site_app:site", "--port"),
    "uvicorn --ws": ("uvicorn", "site_app:site", "--ws", _FRAMES, "--port"),
    "hypercorn": ("hypercorn", "site_app:site", "--graceful-timeout", "0", "--bind"),
    "granian": ("granian", "site_app:site", "--interface", "asgi", "--port"),
    "daphne": ("daphne", "site_app:site", "--port"),
}

_APP = """
from rhtmx_server import App, Config, ErrorCode, Grant, RhtmxError

def who(request):
    name = request.token or name_of(request)
    if not name:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "sign in first")
    return Grant(subject=name)

app = App(store="sqlite:///live.db", authenticate=who, config=Config(stall_timeout=60))
for name in ("tasks", "pieces"):
    app.entity(name)
app.form("signup").field("age", required=True, type=int, ge=18)
live = app.asgi()
"""

_BARE = """
def name_of(request):
    return request.cookies.get("name")

site = live
"""

_STARLETTE = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

def name_of(request):
    return request.scope["session"].get("name")

async def sign_in(request):
    request.session["name"] = "ada"
    return PlainTextResponse("welcome")

def sign_out(request):  # in a thread
    app.disconnect(request.session["name"])
    return PlainTextResponse("bye")

routes = [Route("/sign-in", sign_in), Route("/sign-out", sign_out), Mount("/live", live)]
sessions = Middleware(SessionMiddleware, secret_key="of the test")
site = Starlette(routes=routes, middleware=[sessions], lifespan=live.lifespan)
"""

_FASTAPI = """
from fastapi import FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware

def name_of(request):
    return request.scope["session"].get("name")

class Plain(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)

site = FastAPI(lifespan=live.lifespan)
site.add_middleware(Plain)
site.add_middleware(GZipMiddleware)
site.add_middleware(CORSMiddleware, allow_origins=["https://app.example"])
site.add_middleware(SessionMiddleware, secret_key="of the test")
site.mount("/live", live)

@site.get("/sign-in")
async def sign_in(request: Request) -> str:
    request.session["name"] = "ada"
    return "welcome"

@site.get("/sign-out")
def sign_out(request: Request) -> str:  # in a thread
    app.disconnect(request.session["name"])
    return "bye"
"""

_LITESTAR = """
from litestar import Litestar, Request, asgi, get
from litestar.middleware.session.client_side import CookieBackendConfig

def name_of(request):
    return request.scope["session"].get("name")

@get("/sign-in")
async def sign_in(request: Request) -> str:
    request.session["name"] = "ada"
    return "welcome"

@get("/sign-out", sync_to_thread=True)
def sign_out(request: Request) -> str:
    app.disconnect(request.session["name"])
    return "bye"

site = Litestar(
    [asgi("/live", is_mount=True, copy_scope=True)(live), sign_in, sign_out],
    middleware=[CookieBackendConfig(secret=bytes(32), secure=False).middleware],
    lifespan=[live.lifespan],
)
"""

_DJANGO = """
import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}},
    INSTALLED_APPS=[f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the test",
)
django.setup()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import path, re_path

call_command("migrate", verbosity=0)
User.objects.get_or_create(username="ada")

def name_of(request):
    return request.scope["user"].get_username()

def sign_in(request):
    user = User.objects.get(username="ada")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("welcome")

def sign_out(request):
    app.disconnect(request.user.get_username())
    return HttpResponse("bye")

urlpatterns = [path("sign-in", sign_in), path("sign-out", sign_out)]
ours = re_path("^live/", AuthMiddlewareStack(live))
site = ProtocolTypeRouter({
    "http": URLRouter([ours, re_path("", get_asgi_application())]),
    "lifespan": live,
    "websocket": URLRouter([ours]),
})
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A framework.

    Args:
        program: the application.
        needs: packages.
        prefix: where our server is.
    """

    program: str
    needs: tuple[str, ...] = ()
    prefix: str = "/live"


HOSTS = {
    "bare": Host(_BARE, prefix=""),
    "django": Host(_DJANGO, needs=("django", "channels")),
    "fastapi": Host(_FASTAPI, needs=("fastapi",)),
    "litestar": Host(_LITESTAR, needs=("litestar",)),
    "starlette": Host(_STARLETTE),
}
"""The frameworks, by name."""


@dataclass(slots=True)
class Site:
    """A running application.

    Attributes:
        port: where it listens.
        prefix: where our server is in it.
        stops: to be set for it to stop.
    """

    port: int
    prefix: str
    stops: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """The address of our WebSocket endpoint."""
        return f"ws://127.0.0.1:{self.port}{self.prefix}/api/ws"

    @property
    def origin(self) -> str:
        """What its own pages send as `Origin`."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def serving(server: str, host: str | Host, folder: Path) -> AsyncIterator[Site]:
    """Run an application of a framework under an ASGI server; skips if one is not installed.

    Args:
        server: its name; with `--ws` it takes frames that are made already.
        host: the framework, by name; or one that is no framework.
        folder: where it runs.
    """
    framework = HOSTS[host] if isinstance(host, str) else host
    for package in (_COMMANDS[server][0], *framework.needs):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no {package}")
    app = _APP if isinstance(host, str) else ""
    (folder / "site_app.py").write_text(app + framework.program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site = Site(int(free.getsockname()[1]), framework.prefix)
    where = f"127.0.0.1:{site.port}" if server == "hypercorn" else str(site.port)
    path = ":".join([str(folder), OURS, *filter(None, sys.path)])
    command = (sys.executable, "-m", *_COMMANDS[server], where)
    async with running(*command, folder=folder, environ={"PYTHONPATH": path}) as process:
        await _listening(site.port)

        async def stop() -> None:
            await site.stops.wait()
            process.terminate()

        stopping = asyncio.create_task(stop())
        yield site
        stopping.cancel()


async def _listening(port: int) -> None:
    """Wait until somebody listens."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0)
