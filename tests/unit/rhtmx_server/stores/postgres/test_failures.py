"""Facts about `rhtmx_server.stores.postgres.failures`: what goes wrong, in words."""

from __future__ import annotations

import asyncpg
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.postgres.failures import in_words, storage_error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (asyncpg.ReadOnlySQLTransactionError("x"), "is it a standby?"),
        (asyncpg.TooManyConnectionsError("x"), "takes no more connections"),
        (asyncpg.DataCorruptedError("x"), "restored from a backup"),
        (asyncpg.InsufficientPrivilegeError("x"), "its role needs the rights"),
        (asyncpg.ConnectionDoesNotExistError("x"), "cannot be reached"),
        (asyncpg.AdminShutdownError("x"), "cannot be reached"),
        (ConnectionRefusedError("x"), "cannot be reached"),
        (TimeoutError(), "cannot be reached"),
        (asyncpg.UndefinedTableError("secret SQL"), "the server's database failed"),
    ],
)
def test_each_error_says_what_it_means_and_nothing_of_the_database(
    error: Exception, words: str
) -> None:
    with pytest.raises(RhtmxError, match=words) as caught, in_words():
        raise error
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert caught.value.__cause__ is error
    assert "SQL" not in str(caught.value)


def test_no_room_is_an_error_of_its_own() -> None:
    assert storage_error(asyncpg.DiskFullError("x")).code is ErrorCode.STORAGE_FULL


def test_a_fault_of_the_program_is_none_of_the_database() -> None:
    with pytest.raises(KeyError), in_words():
        raise KeyError
