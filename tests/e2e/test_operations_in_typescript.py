"""Operations of TypeScript clients on a real server: none is lost, doubled, or shown twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.docs.node import RUN, require_node
from tests.support.process import ran

PROGRAM = Path(__file__).parent / "counting.ts"


@pytest.mark.parametrize(
    ("store", "form", "granularity"), [("memory", "json", "records"), ("sqlite", "proto", "fields")]
)
async def test_two_clients_count_to_two_hundred_while_one_is_offline_half_of_the_time(
    store: str, form: str, granularity: str, tmp_path: Path
) -> None:
    require_node()
    shutil.copy(PROGRAM, tmp_path)
    where = "memory://" if store == "memory" else f"sqlite:///{tmp_path / 'app.db'}"
    app = App(store=where, config=Config(port=0), undeclared=True)
    environ = {"FORMAT": form, "GRANULARITY": granularity}
    async with app:
        program = tmp_path / PROGRAM.name
        ended = await ran("node", RUN, program, environ={**environ, "URL": app.url})
    there = {"votes": 200, "by": ["ada", "bob"]}
    assert json.loads(ended.output) == [there, there, []]
