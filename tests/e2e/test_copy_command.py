"""`rhtmx-server copy`, as it is typed; clients go on where they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import rhtmx
from rhtmx_server import App, Config
from rhtmx_server.__main__ import main
from tests.support.postgres import Postgres
from tests.support.sockets import raw


async def test_a_client_resumes_on_the_copy(
    tmp_path: Path, postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    file, database = f"sqlite:///{tmp_path / 'app.db'}", postgres.place()
    async with App(store=file, config=Config(port=0)) as app:
        async with rhtmx.connect(app.url) as client:
            await client.push("tasks", "1", {"title": "a"})
            await client.push_fields("tasks", "1", {"title": "b"})
        async with raw(app.url) as old:
            welcome = await old.ask({"type": "hello"}, "welcome")
    command = ["copy", "--from", file, "--to", database]
    assert await run(command) == 0
    assert "the epoch is the same" in capsys.readouterr().err
    async with App(store=database, config=Config(port=0)) as app, raw(app.url) as new:
        assert (await new.ask({"type": "hello"}, "welcome"))["epoch"] == welcome["epoch"]
        since = {"tasks": {"epoch": welcome["epoch"], "version": 1}}
        await new.send({"type": "subscribe", "entities": ["tasks"], "since": since})
        change = await new.until("change")
        assert change["change"]["data"] == {"title": "b"}
        complete = await new.until("sync_complete")
        assert not complete.get("reset", False)


async def run(command: list[str]) -> int:
    """Run the command in a thread: it has a loop of its own."""
    return await asyncio.to_thread(main, command)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "sqlite:///nowhere.db", "--to", "sqlite:///new.db"], "there is no file"),
        (["--from", "memory://", "--to", "sqlite:///new.db"], "memory:// holds nothing"),
        (["--from", "app.db", "--to", "sqlite:///new.db"], "--from: 'app.db' is not the URL"),
        (["--from", "sqlite:///a.db"], "required: --to (see rhtmx-server copy --help)"),
    ],
)
def test_a_wrong_use_is_told(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["copy", *options]) == 2
    assert said in capsys.readouterr().err
