"""Facts about `rhtmx.cli.connected`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import NO_CONNECTION, USAGE, CommandError
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.messages import Hello
from tests.unit.rhtmx.cli.screens import Screen, server
from tests.unit.rhtmx.peer import Peer


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again without waiting."""
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 0.0)


def tokens(peer: Peer) -> list[str | None]:
    return [each.token for each in peer.heard if isinstance(each, Hello)]


async def test_it_says_when_the_connection_is_lost_and_when_it_is_there_again(peer: Peer) -> None:
    screen = Screen()
    async with connected(server(peer.url), screen.output):
        for times in (1, 2):
            await peer.drop()
            assert (await screen.err.until(2 * times))[-2:] == [
                f"lost the connection to '{peer.url}': connecting again",
                "connected again",
            ]


async def test_a_token_is_read_again_for_each_connection(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    screen = Screen()
    async with connected(replace(server(peer.url), token_file=path), screen.output):
        path.write_text("new")
        await peer.drop()
        await screen.err.until(2)
    assert tokens(peer) == ["old", "new"]


async def test_a_token_file_that_is_not_there_is_told_before_anything(peer: Peer) -> None:
    with pytest.raises(CommandError) as raised:
        async with connected(
            replace(server(peer.url), token_file=Path("/nowhere")), Screen().output
        ):
            pass
    assert raised.value.status == USAGE
    assert peer.connections == 0


async def test_a_token_goes_to_the_server(peer: Peer) -> None:
    async with connected(replace(server(peer.url), token="t"), Screen().output):
        assert tokens(peer) == ["t"]


async def test_who_is_not_patient_waits_for_no_longer_than_the_timeout(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhtmx.core.backoff._LONGEST", 1000.0)
    monkeypatch.setattr("rhtmx.api.connect.random.random", lambda: 0.99)

    async def wait() -> None:
        async with connected(server(peer.url, timeout=0.1), Screen().output, patient=False):
            await peer.drop()
            await asyncio.get_running_loop().create_future()

    with pytest.raises(CommandError) as raised:
        await wait()
    assert raised.value.status == NO_CONNECTION
    assert raised.value.message.startswith(f"'{peer.url}' did not answer for 0.1 s")


async def test_connections_that_come_back_in_time_are_no_failure(peer: Peer) -> None:
    screen = Screen()
    loop = asyncio.get_running_loop()
    async with connected(server(peer.url, timeout=1.0), screen.output, patient=False):
        late = loop.time() + 1.2
        while loop.time() < late:
            await peer.drop()
            await screen.err.until(len(screen.news) + 2)


async def test_no_server_is_no_connection() -> None:
    with pytest.raises(ConnectionClosed, match="is the server running"):
        async with connected(server("ws://127.0.0.1:1/"), Screen().output):
            pass


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    never = asyncio.get_running_loop().create_future()
    with pytest.raises(CommandError) as raised:
        await answer(server("ws://h/", timeout=0.01), "tasks/7", never, "look")
    assert raised.value.message == "tasks/7: no answer from 'ws://h/' within 0.01 s: look"
    assert raised.value.status == NO_CONNECTION
