"""What `nox -s serve -- --cluster` starts: two servers as processes, and one address for both."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import rhtmx
from tests.support.process import ROOT, Started, running

SAID = re.compile(r"^(?:node )?(\w+) +http://(127\.0\.0\.1:\d+)/(?:  process (\d+))?", re.M)


class LocalCluster(NamedTuple):
    """A cluster that is running.

    Attributes:
        process: what has started it.
        urls: of node `a`, of node `b`, and of `any` of them.
        pids: the processes of the nodes.
    """

    process: Started
    urls: dict[str, str]
    pids: dict[str, int]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where it keeps what it has: short, and open to all, as PostgreSQL is started as nobody."""
    made = Path(tempfile.mkdtemp(prefix="lc"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def left_in(folder: Path) -> list[str]:
    """The names of what is there."""
    return [each.name for each in folder.iterdir()]


@contextlib.asynccontextmanager
async def local_cluster(folder: Path) -> AsyncIterator[LocalCluster]:
    """One that has said where it is; ended as with Ctrl-C."""
    program = (sys.executable, "-W", "error", "-m", "tests.support.local_cluster", "--port", "0")
    async with running(*program, folder=ROOT, environ={"TMPDIR": str(folder)}) as process:
        assert process.stdout is not None
        try:
            said = (await process.stdout.readuntil(b"keeps nothing.\n")).decode()
            found = SAID.findall(said)
            urls = {name: f"ws://{place}/api/ws" for name, place, _ in found}
            yield LocalCluster(process, urls, {name: int(pid) for name, _, pid in found if pid})
        finally:
            process.send_signal(signal.SIGINT)
            await process.wait()


async def test_what_is_written_at_one_node_shows_at_the_other_and_nothing_is_left_behind(
    folder: Path,
) -> None:
    async with local_cluster(folder) as cluster:
        here, there = cluster.urls["a"], cluster.urls["b"]
        async with rhtmx.connect(here) as one, rhtmx.connect(there) as other:
            changes = other.changes("notes", since=0)
            await one.push("notes", "1", {"n": 1})
            change = await anext(aiter(changes))
            assert (change.entity_id, change.data) == ("1", {"n": 1})
            assert (one.node, other.node) == ("a", "b")
    assert cluster.process.returncode == 0
    assert left_in(folder) == []


async def test_who_is_at_any_node_goes_on_at_the_other_when_that_one_is_killed(
    folder: Path,
) -> None:
    async with (
        local_cluster(folder) as cluster,
        rhtmx.connect(cluster.urls["any"]) as client,
    ):
        await client.push("notes", "1", {"n": 1})
        killed = str(client.node)
        os.kill(cluster.pids[killed], signal.SIGKILL)
        await client.push("notes", "1", {"n": 2})
        assert {client.node, killed} == {"a", "b"}
        assert [change.data for change in await client.sync("notes")] == [{"n": 2}]
