"""Nodes of a cluster that hear little of what the others say; and some that are made wrong.

What is wrong there is found out by what is checked of all others: else it would prove nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cluster import MARKS, Cluster, Load, loaded, running
from tests.support.postgres import Postgres
from tests.support.sockets import raw


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come back soon."""
    monkeypatch.setattr("rhtmx.core.backoff._FIRST", 0.1)
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.2)


def arguments(place: str) -> tuple[str, ...]:
    """The arguments of a node."""
    return ("--store", place, "--bus", "notify:", "--app", "deaf:app", "--heartbeat", "1")


HALF_DEAF = """
from random import Random

from rhtmx_server import App
from rhtmx_server.delivery.follower import Follower
from rhtmx_server.delivery.following import Following
from rhtmx_server.delivery.hub import Hub

dice, heard = Random(1), Following._heard
Following._heard = lambda self, message: dice.random() < {hears} and heard(self, message)
app = App(undeclared=True)
"""

CARELESS = """
def hand_out(self, batch, *, stored):
    news = [row for row in batch if row.upto > self._position(row.entity)]
    if news:
        self._hand_out(news)
    return True

Follower._try = hand_out
Hub._drop = lambda self, groups: None
"""

SELDOM = """
import rhtmx_server.delivery.following as following

following.LOOK_EVERY = 3600.0
"""

ALONE = """
Following.reach = lambda self, entities, seen: None
"""


@contextlib.asynccontextmanager
async def half_deaf(
    folder: Path, place: str, text: str = "", hears: float = 0.7
) -> AsyncIterator[tuple[Cluster, Load]]:
    """Nodes that do not hear all that others say, and are otherwise wrong as the text says."""
    (folder / "deaf.py").write_text(HALF_DEAF.format(hears=hears) + text)
    async with (
        running(folder, [arguments(place)] * 3) as cluster,
        loaded(cluster, folder) as load,
    ):
        await load.written.after(100)
        for node in cluster.nodes:  # so that everybody goes on at another node
            await node.kill()
            await load.written.after(20)
            await node.start()
        await load.finish()
        yield cluster, load


@pytest.mark.parametrize("hears", [0.7, 0.0])
async def test_what_the_bus_loses_costs_time_only(
    tmp_path: Path, postgres: Postgres, hears: float
) -> None:
    async with half_deaf(tmp_path, postgres.place(), hears=hears) as (_, load):
        await load.check()
        assert all(each.resets == [] for each in load.readers)


async def test_nodes_that_do_not_look_whether_one_commit_follows_the_other_are_found_out(
    tmp_path: Path, postgres: Postgres
) -> None:
    """A control."""
    async with half_deaf(tmp_path, postgres.place(), CARELESS) as (_, load):
        with pytest.raises(AssertionError, match="a hole"):
            await load.check()


@pytest.mark.parametrize(("text", "reset"), [("", False), (ALONE, True)])
async def test_nodes_that_know_only_where_they_are_themselves_are_found_out(
    tmp_path: Path, postgres: Postgres, text: str, reset: bool
) -> None:
    """A control: who was further at another node is reset."""
    (tmp_path / "deaf.py").write_text(HALF_DEAF.format(hears=0.0) + SELDOM + text)
    async with running(tmp_path, [arguments(postgres.place())] * 2) as cluster:
        here, there = (node.server.url for node in cluster.nodes)
        async with raw(here) as writer, raw(there) as other, raw(there) as reader:
            await other.send({"type": "subscribe", "entities": [MARKS]})
            await other.settle()
            ack = await writer.push(MARKS, "1", {"n": 1})
            since = {MARKS: {"version": ack["version"], "epoch": ack["epoch"]}}
            await reader.send({"type": "subscribe", "entities": [MARKS], "since": since})
            assert (await reader.until("sync_complete"))["reset"] is reset
