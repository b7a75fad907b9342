"""gzip with a bound on what comes out."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.gzipped import compress, decompress

LIMIT = 1000


@given(st.binary(max_size=LIMIT), st.integers(1, 9))
def test_what_was_compressed_comes_back(data: bytes, level: int) -> None:
    assert decompress(compress(data, level), LIMIT) == data


@given(st.binary(max_size=LIMIT))
def test_the_standard_library_understands_it_and_is_understood(data: bytes) -> None:
    assert gzip.decompress(compress(data, 6)) == data
    assert decompress(gzip.compress(data), LIMIT) == data


def test_the_header_holds_no_time() -> None:
    assert compress(b"abc", 6)[4:8] == bytes(4)


def test_exactly_the_limit_passes() -> None:
    assert decompress(compress(b"x" * LIMIT, 6), LIMIT) == b"x" * LIMIT


@pytest.mark.parametrize("more", [1, 2, 100_000])
def test_above_the_limit_is_refused_without_being_unpacked(more: int) -> None:
    refused(compress(b"x" * (LIMIT + more), 6), "at most 1000 bytes")


def test_every_cut_is_refused() -> None:
    whole = compress(b"hello hello hello", 6)
    for end in range(len(whole)):
        refused(whole[:end], "cut off")


def test_what_follows_is_refused() -> None:
    whole = compress(b"hello", 6)
    refused(whole + b"x", "1 bytes follow")
    refused(whole + whole, "bytes follow")


@pytest.mark.parametrize("data", [b"hello", b'{"type":"ping"}', b"\x1f\x8b\x09" + bytes(20)])
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    refused(data, "gzip data expected")


def test_a_wrong_checksum_is_refused() -> None:
    whole = bytearray(compress(b"hello", 6))
    whole[-5] ^= 1
    refused(bytes(whole), "damaged")


def refused(data: bytes, words: str) -> None:
    with pytest.raises(RhtmxError, match=words) as error:
        decompress(data, LIMIT)
    assert error.value.code is ErrorCode.BAD_MESSAGE
