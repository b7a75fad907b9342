from __future__ import annotations

import sys

import pytest

from rhtmx_server.stores import MemoryStore, SqliteStore, open_store


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///app.db", "app.db"),
        ("sqlite:///data/app.db", "data/app.db"),
        ("sqlite:////var/lib/app.db", "/var/lib/app.db"),
        ("sqlite:///a%20b c.db", "a%20b c.db"),
    ],
)
def test_a_sqlite_url_names_a_file_as_it_is_written(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert repr(store) == f"<SqliteStore {path}>"


def test_a_memory_url_makes_a_new_store_each_time() -> None:
    store = open_store("memory://")
    assert isinstance(store, MemoryStore)
    assert open_store("memory://") is not store


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("app.db", "is not the URL of a store"),
        ("", "is not the URL of a store"),
        ("sqlite://app.db", "write sqlite:///app.db"),
        ("sqlite://", "lacks a slash"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "write memory://"),
        ("sqlite:///app.db?mode=ro", "options after '?'"),
        ("memory://here", "nothing follows memory://"),
        ("mysql://localhost/app", "no store of kind 'mysql'"),
        ("postgresql://localhost", "names no database"),
    ],
)
def test_a_wrong_url_is_refused_with_what_to_write(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"store|sqlite|memory|write") as refusal:
        open_store(url)
    assert words in str(refusal.value)
    assert repr(url) in str(refusal.value)


def test_a_wrong_url_is_told_without_its_password() -> None:
    for url in ("mysql://app:secret@db/app", "postgresql://a:secret@db"):
        with pytest.raises(ValueError, match="write") as refusal:
            open_store(url)
        assert "secret" not in str(refusal.value)


def test_without_its_driver_a_store_on_postgresql_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [each for each in sys.modules if each.startswith("rhtmx_server.stores.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ValueError, match=r"pip install 'rhtmx\[postgres\]'"):
        open_store("postgresql://localhost/app")
