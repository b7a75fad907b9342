"""Facts about `rhtmx_server.access.request`."""

from __future__ import annotations

import pytest

from rhtmx_server.access.request import Request, cookies_of, headers_of


def test_headers_are_found_by_their_lower_case_name_and_several_are_joined() -> None:
    pairs = [("X-Team", "red"), ("Accept", "a"), ("ACCEPT", "b")]
    assert headers_of(pairs) == {"x-team": "red", "accept": "a, b"}


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        (["a=1; b=2", "c=3"], {"a": "1", "b": "2", "c": "3"}),
        (["a=1; a=2"], {"a": "1"}),
        (['a="x y"'], {"a": "x y"}),
        (['a="'], {"a": '"'}),
        (["a=b=c=="], {"a": "b=c=="}),
        (["; ;=x;alone; b=2"], {"b": "2"}),
        (["a="], {"a": ""}),
        (["a[1]=x; b=2"], {"a[1]": "x", "b": "2"}),
    ],
)
def test_cookies_are_read_pair_by_pair(headers: list[str], cookies: dict[str, str]) -> None:
    assert cookies_of(headers) == cookies


def test_what_may_be_secret_is_in_no_repr() -> None:
    canary = "s3cret"
    request = Request(
        canary,
        query={"token": canary},
        headers={"authorization": canary},
        cookies={"session": canary},
        certificate={"serialNumber": canary},
    )
    assert canary not in repr(request)
    assert canary not in str(request)
