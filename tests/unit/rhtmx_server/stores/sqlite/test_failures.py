from __future__ import annotations

import errno

import apsw
import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.stores.sqlite.failures import failed, in_words, storage_error


@pytest.mark.parametrize(
    ("error", "system_errno", "code", "words"),
    [
        (apsw.FullError("x"), 0, ErrorCode.STORAGE_FULL, "no room left"),
        (apsw.IOError("x"), errno.ENOSPC, ErrorCode.STORAGE_FULL, "no room left"),
        (apsw.IOError("x"), errno.EDQUOT, ErrorCode.STORAGE_FULL, "no room left"),
        (apsw.IOError("x"), errno.EIO, ErrorCode.STORAGE_FAILED, "disk failed"),
        (apsw.BusyError("x"), 0, ErrorCode.STORAGE_FAILED, "locked"),
        (apsw.CorruptError("x"), 0, ErrorCode.STORAGE_FAILED, "damaged"),
        (apsw.NotADBError("x"), 0, ErrorCode.STORAGE_FAILED, "damaged"),
        (apsw.ReadOnlyError("x"), 0, ErrorCode.STORAGE_FAILED, "read-only"),
        (apsw.SQLError("x"), 0, ErrorCode.STORAGE_FAILED, "failed"),
    ],
)
def test_each_error_has_its_code_and_words(
    error: apsw.Error, system_errno: int, code: ErrorCode, words: str
) -> None:
    found = storage_error(error, system_errno)
    assert found.code is code
    assert words in found.message


def test_sql_and_paths_stay_out_of_the_words_and_the_original_is_the_cause() -> None:
    connection = apsw.Connection("")
    with pytest.raises(RhtmxError) as raised, in_words(connection):
        connection.execute("SELECT secret FROM nowhere")
    connection.close()
    assert "secret" not in raised.value.message
    assert "nowhere" not in raised.value.message
    assert isinstance(raised.value.__cause__, apsw.SQLError)


def test_other_exceptions_pass_through() -> None:
    connection = apsw.Connection("")
    with pytest.raises(KeyError), in_words(connection):
        raise KeyError
    connection.close()


def test_failed_is_a_storage_failure() -> None:
    assert failed("why").code is ErrorCode.STORAGE_FAILED
    assert failed("why").message == "why"
