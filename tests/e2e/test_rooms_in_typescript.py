"""Rooms of TypeScript clients on a real server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.docs.node import RUN, require_node
from tests.support.process import ran

PROGRAM = Path(__file__).parent / "rooms.ts"


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_clients_meet_in_a_room_tell_one_another_leave_and_come_back(
    form: str, tmp_path: Path
) -> None:
    require_node()
    program = shutil.copy(PROGRAM, tmp_path)
    async with App(store="memory://", config=Config(port=0), undeclared=True) as app:
        await app.changes.push("orders", "7", {"goods": "tea"})
        ended = await ran("node", RUN, program, environ={"FORMAT": form, "URL": app.url})
    ada = {"name": "ada", "x": -1}
    assert json.loads(ended.output) == [ada, {"typing": True}, True, "bad_message", "not_found"]
