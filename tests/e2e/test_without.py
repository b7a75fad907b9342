"""What a server does not serve beside its one endpoint, at either door."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from rhtmx_server import App, Config
from rhtmx_server.config import PARTS
from tests.support.mounted import Mounted
from tests.support.plain_http import ask
from tests.support.sockets import raw

PATHS = {
    "client": ("/api/client.js", "/api/forms.js"),
    "health": ("/healthz", "/readyz"),
    "legacy": (),
    "metrics": ("/metrics",),
    "reads": ("/api/sync/e", "/api/field-sync/e", "/api/field-sync/e/1/latest"),
    "schema": ("/api/schema", "/api/asyncapi"),
}


async def is_taken(url: str) -> bool:
    """Whether sockets are taken there."""
    try:
        async with raw(url):
            return True
    except InvalidStatus:
        return False


@pytest.mark.parametrize("kind", [App, Mounted])
@pytest.mark.parametrize("part", PARTS)
async def test_each_part_can_be_left_out_alone(part: str, kind: Any) -> None:
    config = Config(port=0, without=(part,))
    async with kind(store="memory://", config=config) as app:
        for other, paths in PATHS.items():
            for path in paths:
                nothing = b"there is nothing at" in (await ask(app.url, path)).body
                assert nothing is (other == part), path
        assert await is_taken(app.url.replace("/api/ws", "/api/sync/ws")) is (part != "legacy")
        async with raw(app.url) as client:
            await client.push("e", "1", {"n": 1})
