"""The guide for Django: a project that is made as it says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.messages.tables import ERRORS
from tests.docs.markdown import page, programs
from tests.support.asgi_sites import Host, Site, serving
from tests.support.plain_http import ask
from tests.support.sockets import PATIENCE, raw

SETTINGS = """
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}}
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "urls"
SECRET_KEY = "of the test"
"""

URLS = """
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path
from views import add, remove

def sign_in(request):
    user = User.objects.get(username="ada")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("welcome")

def sign_out(request):
    logout(request)
    return HttpResponse("bye")

urlpatterns = [path(each.__name__, each) for each in (sign_in, sign_out, add, remove)]
"""

SITE = """
from {module} import application as site
from django.contrib.auth.models import User
from django.core.management import call_command

call_command("migrate", verbosity=0)
User.objects.get_or_create(username="ada")
"""


def project(folder: Path, module: str) -> Host:
    """A Django project in a folder, whose application is in a module of the guide."""
    found = programs(page("docs/guides/django.md"))
    for name in ("live.py", "asgi.py", "views.py", "plain.py"):
        (folder / name).write_text(found[name][0])
    (folder / "settings.py").write_text(SETTINGS)
    (folder / "urls.py").write_text(URLS)
    return Host(SITE.format(module=module), needs=("django", "channels"))


async def sign_in(site: Site) -> str:
    """Sign ada in: her cookie."""
    answer = await ask(site.url, "/sign_in", Connection="close")
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_users_are_those_of_django_until_they_sign_out(server: str, tmp_path: Path) -> None:
    async with serving(server, project(tmp_path, "asgi"), tmp_path) as site:
        cookie = await sign_in(site)
        headers = {"Cookie": cookie, "Origin": site.origin}
        async with raw(site.url, additional_headers=headers) as client:
            await client.ask({"type": "hello"}, "welcome")
            await client.send({"type": "subscribe", "entities": ["tasks"]})
            await client.settle()
            for view, action in (("add", "create"), ("remove", "delete")):
                await ask(site.url, f"/{view}", Connection="close", Cookie=cookie)
                assert (await client.until("change"))["change"]["action"] == action
            await ask(site.url, "/sign_out", Connection="close", Cookie=cookie)
            async with asyncio.timeout(PATIENCE):
                await client.socket.wait_closed()
            code = ERRORS[ErrorCode.UNAUTHENTICATED].close_code
            assert client.socket.close_code == code
        again = await ask(site.url, "/live/api/sync/tasks", Connection="close", Cookie=cookie)
        assert again.status == 401


async def test_it_needs_no_channels(tmp_path: Path) -> None:
    async with serving("uvicorn", project(tmp_path, "plain"), tmp_path) as site:
        cookie = await sign_in(site)
        sync = "/live/api/sync/tasks"
        assert (await ask(site.url, sync, Connection="close", Cookie=cookie)).status == 200
        assert (await ask(site.url, sync, Connection="close")).status == 401


async def test_signing_out_before_the_server_has_started_is_no_failure(tmp_path: Path) -> None:
    async with serving("daphne", project(tmp_path, "asgi"), tmp_path) as site:
        cookie = await sign_in(site)
        answer = await ask(site.url, "/sign_out", Connection="close", Cookie=cookie)
        assert answer.status == 200
