"""Facts about `rhtmx_server.transports.bearer`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire.limits import MAX_TOKEN
from rhtmx_server.transports.bearer import bearer


@pytest.mark.parametrize("given", ["Bearer t.o-k", "bearer t.o-k", "BEARER  t.o-k "])
def test_the_scheme_is_read_in_any_case_and_spaces_are_no_part_of_a_token(given: str) -> None:
    assert bearer([given]) == "t.o-k"


@pytest.mark.parametrize(
    "given",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Bearer   "],
        ["Basic x"],
        ["t"],
        ["Bearer a", "Bearer b"],
    ],
)
def test_what_has_no_one_token_is_nobody_s(given: list[str]) -> None:
    with pytest.raises(RhtmxError, match="authorization: Bearer TOKEN") as caught:
        bearer(given)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


def test_a_token_may_be_so_long_and_no_longer() -> None:
    assert bearer(["Bearer " + "t" * MAX_TOKEN]) == "t" * MAX_TOKEN
    with pytest.raises(RhtmxError, match="at most 4096 bytes expected, got 4097") as caught:
        bearer(["Bearer " + "t" * (MAX_TOKEN + 1)])
    assert caught.value.code is ErrorCode.BAD_MESSAGE
