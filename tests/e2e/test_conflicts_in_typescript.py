"""Open conflicts, history and undo of a TypeScript client, on a real server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.access import anyone, role
from tests.docs.node import RUN, require_node
from tests.support.process import ran

PROGRAM = Path(__file__).parent / "answers.ts"
PARTS = Path(__file__).parent / "part_conflicts.ts"


async def authenticate(request: Request) -> Grant:
    return Grant(request.token, roles=[] if request.token == "guest" else ["clerk"])


@pytest.mark.parametrize(("store", "form"), [("memory", "json"), ("sqlite", "proto")])
async def test_what_lost_is_seen_by_all_answered_once_and_can_be_looked_back_at(
    store: str, form: str, tmp_path: Path
) -> None:
    require_node()
    shutil.copy(PROGRAM, tmp_path)
    where = "memory://" if store == "memory" else f"sqlite:///{tmp_path / 'app.db'}"
    app = App(store=where, config=Config(port=0), undeclared=True)
    app.entity("tasks", merge={"role": "server_wins"})
    async with app:
        program = tmp_path / PROGRAM.name
        ended = await ran("node", RUN, program, environ={"FORMAT": form, "URL": app.url})
    assert json.loads(ended.output) == {
        "lost": ["role", "reader", "owner", "theirs", "server_wins"],
        "authors": ["bob", "ann"],
        "seen": [True, "reader", "theirs"],
        "second": "conflict",
        "third": "done",
        "kept": ["transaction"],
        "won": ["Bob's", "Ann's", "mine"],
        "offline": [0, "Ann's"],
        "told": [None, "number"],
        "first": ["create", "Tea", True],
        "ordered": True,
        "asOf": True,
        "blame": ["bob", True, "ann"],
        "nowhere": "not_found",
        "undone": {"title": "Both", "role": "owner", "n": 2},
        "again": "conflict",
        "back": "owner",
    }


async def test_a_part_has_the_conflicts_of_its_records_and_who_may_not_update_has_none(
    tmp_path: Path,
) -> None:
    require_node()
    shutil.copy(PARTS, tmp_path)
    app = App(store="memory://", config=Config(port=0), authenticate=authenticate)
    orders = app.entity("orders", partition=[["customer"]])
    orders.access(read=anyone, write=role("clerk"))
    async with app:
        ended = await ran("node", RUN, tmp_path / PARTS.name, environ={"URL": app.url})
    assert json.loads(ended.output) == {
        "lost": [["more of 7"], ["more of 8"]],
        "moved": 2,
        "refused": "forbidden",
        "shown": 2,
    }
