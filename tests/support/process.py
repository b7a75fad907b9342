"""The server as a process of its own, as an operator starts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.sockets import PATIENCE

ROOT = Path(__file__).parents[2]

ANY_APP = """
from rhtmx_server import App
app = App(undeclared=True)
"""


class ServerProcess:
    """A running server.

    Attributes:
        url: the address that it printed when it was ready.
        grpc: the address of its gRPC door, where one was asked for.
    """

    def __init__(self, process: asyncio.subprocess.Process, url: str, grpc: str = "") -> None:
        self.process = process
        self.url = url
        self.grpc = grpc

    @property
    def http(self) -> str:
        return self.url.replace("ws://", "http://").removesuffix("/api/ws")

    async def terminate(self) -> int:
        """Ask it to stop, and wait for it."""
        self.process.terminate()
        return await self.ended()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


async def start(*arguments: str, folder: Path) -> asyncio.subprocess.Process:
    """Start the command in a folder that holds `live.py`, whose `app` takes any entity."""
    (folder / "live.py").write_text(ANY_APP)
    path = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "rhtmx_server"),
        *arguments,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@contextlib.asynccontextmanager
async def serving(*arguments: str, folder: Path, port: int = 0) -> AsyncIterator[ServerProcess]:
    """A server process that is ready; killed at the end if it still runs."""
    process = await start(
        "--app", "live:app", "--port", str(port), "--store", "sqlite:///live.db", *arguments,
        folder=folder,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        if not line.startswith("ready "):
            raise AssertionError((await process.stderr.read()).decode())
        yield ServerProcess(process, line.split()[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def refused(*arguments: str, folder: Path) -> tuple[int, str]:
    """Start a server that cannot start: its exit code and what it says."""
    process = await start(*arguments, folder=folder)
    async with asyncio.timeout(PATIENCE):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()
