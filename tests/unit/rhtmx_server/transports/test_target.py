"""What a request asks for."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.target import parse_target


def test_a_target_is_segments_and_query() -> None:
    target = parse_target("/api/sync/users?since=4&since=5")
    assert target.path == "/api/sync/users"
    assert target.segments == ("api", "sync", "users")
    assert target.query == {"since": ["4", "5"]}


def test_segments_are_decoded_one_by_one_so_an_encoded_slash_separates_nothing() -> None:
    assert parse_target("/api/sync/a%2Fb").segments == ("api", "sync", "a/b")
    assert parse_target("/%C3%BC").segments == ("ü",)


def test_the_root_is_one_empty_segment() -> None:
    assert parse_target("/").segments == ("",)


def test_the_absolute_form_is_taken_for_its_path() -> None:
    assert parse_target("http://localhost:3000/healthz").segments == ("healthz",)
    assert parse_target("http://localhost:3000").segments == ("",)


def test_two_slashes_name_no_host() -> None:
    assert parse_target("//api/ws").segments == ("", "api", "ws")
    assert parse_target("//[").segments == ("", "[")


def test_a_fragment_is_not_part_of_it() -> None:
    assert parse_target("/a?b=1#c").query == {"b": ["1"]}


@pytest.mark.parametrize(
    "text", ["", "*", "healthz", "/%", "/%zz", "/%ff", "/?a=%ff", "/?" + "a=1&" * 20]
)
def test_what_is_no_target_is_refused_in_words(text: str) -> None:
    with pytest.raises(RhtmxError, match="expected") as refused:
        parse_target(text)
    assert refused.value.code is ErrorCode.BAD_MESSAGE


@given(st.text(st.characters(max_codepoint=127)))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    with contextlib.suppress(RhtmxError):
        assert parse_target(text).segments
