"""Facts about `rhtmx_server.buses`: how a bus is named."""

from __future__ import annotations

import sys

import pytest

from rhtmx_server.buses import MemoryBus, ReconnectingBus, open_bus


def test_a_url_names_a_bus() -> None:
    assert isinstance(open_bus("memory://x"), MemoryBus)
    for bus in (
        open_bus("nats://app:secret@host:4222,other"),
        open_bus("tls://token@host"),
        open_bus("notify:", store="postgresql://app:secret@db/app?schema=shop"),
    ):
        assert isinstance(bus, ReconnectingBus)
        assert "secret" not in repr(bus)
        assert "token" not in repr(bus)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "names no bus"),
        ("nats", "names no bus"),
        ("nats:host", "names no bus"),
        ("memory://", "names no bus"),
        ("memory:x", "names no bus"),
        ("redis://app:secret@host", "'redis' names no bus"),
        ("secret@host:4222", "names no bus"),
        ("nats://app:secret@host/x", "host:port expected"),
        ("notify://secret", "nothing follows notify:"),
        ("notify:", "needs a store on PostgreSQL"),
    ],
)
def test_a_wrong_url_is_refused_with_what_to_write(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        open_bus(url, store="sqlite:///app.db")
    assert "app:secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "module", "driver", "extra"),
    [
        ("nats://host", "nats", "nats", "nats"),
        ("notify:", "notify", "asyncpg", "postgres"),
    ],
)
def test_without_its_driver_a_bus_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, driver: str, extra: str
) -> None:
    monkeypatch.delitem(sys.modules, f"rhtmx_server.buses.{module}", raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == driver]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ValueError, match="not installed") as refused:
        open_bus(url, store="postgresql://db/app")
    assert f"pip install 'rhtmx[{extra}]'" in str(refused.value)


def test_a_file_of_credentials_needs_what_can_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx_server.buses.nats.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="nkeys"):
        open_bus("nats://host?credentials=app.creds")
