"""Each order desk does what its guide says, in a real Chromium: a walk of `walks.mjs`."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from rhtmx_server.authenticators import hash_token, new_token
from tests.browser.driver import Browser
from tests.examples.conftest import address, built, desk
from tests.support.process import running
from tests.support.programs import node

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["django", "fastapi"])
async def test_pages_of_a_server_are_live_checked_and_show_each_their_own(
    browser: Browser, tmp_path: Path, pictures: Path, name: str
) -> None:
    async with desk(f"examples.order_desk_{name}", tmp_path) as ours:
        await browser.run(name, ours.url, ours.do, pictures)


@pytest.mark.long
async def test_a_page_in_react_goes_on_without_its_server(
    browser: Browser, shared: Path, pictures: Path
) -> None:
    name = "order_desk_react"
    async with desk(f"examples.{name}", built(shared, name)) as ours:
        await browser.run("react", ours.url, ours.do, pictures)


@pytest.mark.long
async def test_a_page_that_node_renders_has_its_records_before_its_script_runs(
    browser: Browser, shared: Path, tmp_path: Path, pictures: Path
) -> None:
    name = "order_desk_ssr"
    pages = built(shared, name) / "examples" / name
    async with (
        desk(f"examples.{name}", tmp_path) as ours,
        running(
            node("esbuild"),
            "server.js",
            folder=pages,
            environ={"DESK": ours.url, "NODE_ENV": "production", "PORT": "0"},
        ) as rendering,
    ):
        await browser.run("ssr", await address(rendering), ours.do, pictures)


async def test_a_warehouse_packs_what_is_there_and_goes_on_after_a_restart_of_the_desk(
    browser: Browser, tmp_path: Path, pictures: Path
) -> None:
    token, port = new_token(), free_port()
    settings = {"WAREHOUSE_HASH": hash_token(token), "GRPC_PORT": port}
    command = (sys.executable, "-m", "examples.order_backend_grpc")
    async with (
        desk("examples.order_backend_grpc.desk", tmp_path, **settings) as ours,
        running(*command, environ={"WAREHOUSE_TOKEN": token, "GRPC_PORT": port}) as warehouse,
    ):
        await browser.run("grpc", ours.url, ours.do, pictures)
        assert warehouse.returncode is None


def free_port() -> str:
    """A port that nobody has just now; two programs have to be told of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
