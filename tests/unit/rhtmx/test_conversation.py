"""Facts about `rhtmx.conversation`; what it does is in `test_session.py`."""

from __future__ import annotations

import pytest

from rhtmx.conversation import _HANDLERS
from rhtmx.errors import ErrorCode
from rhtmx.events import Problem, State
from rhtmx.messages import Error
from rhtmx.messages.tables import SERVER_MESSAGES
from rhtmx.session import Session
from rhtmx.verdict import ConnectionClosed
from rhtmx.words import unknown


def test_every_message_of_a_server_has_a_handler() -> None:
    assert set(_HANDLERS) == set(SERVER_MESSAGES)


@pytest.mark.parametrize("code", [4500, 4999, 4000, 1006])
def test_a_hello_refused_in_a_word_of_a_newer_server_ends_as_its_close_code_says(
    code: int,
) -> None:
    session = Session("c1", lambda: 0.5)
    session.connected(0)
    session.receive(Error("moved", unknown(ErrorCode, "tenant_moved")), 0)
    (told,) = session.events()
    assert isinstance(told, Problem)
    assert told.error.code.name == "tenant_moved"
    wait = session.lost(0, code)
    assert (session.state is State.CLOSED) == (code >= 4500)
    assert (wait is None) == (code >= 4500)
    assert session.error is None or isinstance(session.error, ConnectionClosed)
