"""Transactions of a TypeScript client on a real server: nobody ever sees a half of one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rhtmx_server import App, Config
from tests.docs.node import RUN, require_node
from tests.support.process import ran

PROGRAM = Path(__file__).parent / "together.ts"


@pytest.mark.parametrize(
    ("store", "form", "granularity"), [("memory", "json", "records"), ("sqlite", "proto", "fields")]
)
async def test_who_reads_two_collections_sees_both_records_of_each_transaction_or_none(
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
    assert json.loads(ended.output) == {
        "torn": 0,
        "control": True,
        "many": True,
        "queued": ["transaction"],
        "results": ["orders", "stock"],
        "refused": ["conflict", 1],
        "last": [201, 201],
    }
