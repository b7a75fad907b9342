"""Runs what a page shows: its programs as they stand there, but on a free port.

Knows the addresses that the pages name. Must not know what the programs print.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.docs.markdown import blocks, page, programs
from tests.support.process import ServerProcess, ran, running
from tests.support.process import command as start
from tests.support.sockets import PATIENCE

SHOWN, SHOWN_GRPC = "127.0.0.1:3000", "127.0.0.1:50051"
"""The addresses on the pages."""


@contextlib.asynccontextmanager
async def served(folder: Path, text: str) -> AsyncIterator[ServerProcess]:
    """The README's app, started by the command on a page, on free ports and with gRPC.

    Args:
        folder: where the app lies.
        text: the page. If it shows what the command prints, that is compared.
    """
    (folder / "app.py").write_text(programs(page("README.md"))["app.py"][0])
    command = next(block.text for block in blocks(text) if "--app app:app" in block.text)
    shown, *prints = command.splitlines()
    chosen = shown.removeprefix("$ rhtmx-server ").split()
    options = (*chosen, "--port", "0", "--grpc-port", "0", "--store", "memory://")
    async with start(*options, folder=folder, at_once=False) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready "), (await process.stderr.read()).decode()
        if prints:
            assert line.replace(line.split("/")[2], SHOWN) == prints[0] + "\n"
        log = (await process.stderr.readuntil(b", plain")).decode()
        yield ServerProcess(process, line.split()[1], log.split()[-2].removesuffix(","))


async def printed(
    server: ServerProcess,
    folder: Path,
    name: str,
    source: str,
    *command: str,
    lines: int | None = None,
) -> str:
    """What a program prints: all of it, or only so many lines, if it does not end by itself."""
    source = source.replace(SHOWN, server.url.split("/")[2]).replace(SHOWN_GRPC, server.grpc)
    (folder / name).write_text(source)
    if lines is None:
        return (await ran(*command, name, folder=folder)).output
    async with running(*command, name, folder=folder) as process, asyncio.timeout(PATIENCE):
        assert process.stdout is not None
        return b"".join([await process.stdout.readline() for _ in range(lines)]).decode()
