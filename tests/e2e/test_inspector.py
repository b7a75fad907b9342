"""Who serves the inspector; its page is tested in a browser."""

from __future__ import annotations

import pytest

from rhtmx_server import App, Config
from rhtmx_server.inspector import inspector_pages
from tests.support.plain_http import ask


@pytest.mark.parametrize("served", [True, False])
async def test_it_is_served_to_those_who_ask_for_it_only(*, served: bool) -> None:
    app = App(store="memory://", config=Config(port=0, inspector=served))
    async with app:
        for path in inspector_pages():
            assert (await ask(app.url, path)).status == (200 if served else 404)


async def test_what_the_application_serves_there_itself_stays() -> None:
    own = {"/inspector.css": ("text/css", b"p {}")}
    app = App(store="memory://", config=Config(port=0, inspector=True), pages=own)
    async with app:
        assert (await ask(app.url, "/inspector.css")).body == b"p {}"
