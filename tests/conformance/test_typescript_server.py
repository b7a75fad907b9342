"""The server for tests of TypeScript answers as a real one does, as far as it says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rhtmx_server import App, Config
from tests.docs.node import RUN, require_node
from tests.support.process import ran

PROGRAM = Path(__file__).parent / "test_server.ts"

SEEDS = os.environ.get("RHTMX_SEEDS", "0-99")
"""Which dialogues, from the first to the last."""


async def test_it_answers_as_a_real_one(tmp_path: Path) -> None:
    require_node()
    shutil.copy(PROGRAM, tmp_path)
    app = App(store="memory://", config=Config(port=0))
    async with app:
        environ = {"URL": app.url, "SEEDS": SEEDS}
        ended = await ran("node", RUN, tmp_path / PROGRAM.name, code=None, environ=environ)
    assert (ended.code, ended.output) == (0, ""), ended.output + ended.errors
