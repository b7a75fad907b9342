"""An app that runs on a memory store, and listens nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rhtmx.errors import Violation
from rhtmx_server import App, Grant
from rhtmx_server.access import claim, role

ADA, BOB = Grant("ada", claims={"team": "red"}), Grant("bob", claims={"team": "blue"})


def build() -> App:
    """An app whose tasks are for their teams, and whose notes are for everybody."""
    app = App(store="memory://")
    tasks = app.entity("tasks", partition=["team"])
    team = claim("team")
    tasks.access(read=team, create=team, update=team, delete=role("admin"))
    tasks.hide({"secret": Violation("secret", "server_only", "is the server's")})
    app.entity("notes")
    app.entity("prices", fields=False)
    app.entity("docs", partition=["project"])
    return app


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = build()
    async with app.asgi():
        yield app
