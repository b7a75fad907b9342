"""What a host application knows of a request, and what it has forgotten."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import MisuseError
from rhtmx_server.transports.requests import FOREIGN_SCOPE, HostScope


def test_what_the_host_did_not_put_there_is_a_key_error_that_says_what_to_do() -> None:
    scope = HostScope(session={"name": "ada"})
    assert scope["session"] == {"name": "ada"}
    assert scope.get("user") is None
    with pytest.raises(MisuseError, match="no 'user' into the scope: its middleware") as missing:
        scope["user"]
    assert isinstance(missing.value, KeyError)


def test_who_asks_for_a_page_of_another_site_is_nobody() -> None:
    assert FOREIGN_SCOPE.get("session") is None
    with pytest.raises(RhtmxError, match="of another site do not count") as refused:
        FOREIGN_SCOPE["session"]
    assert refused.value.code is ErrorCode.UNAUTHENTICATED
    assert isinstance(refused.value, KeyError)
