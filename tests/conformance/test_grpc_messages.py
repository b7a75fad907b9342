"""Messages without an envelope, as gRPC carries them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.model import Message
from rhtmx.wire import decode_message, encode_message
from tests.conformance.strategies import SCHEMA, messages
from tests.vectors.oracle import message_class

PLAIN = [message for message in SCHEMA.messages if message.name != "Envelope"]


@pytest.mark.parametrize("message", PLAIN, ids=lambda message: message.name)
@settings(max_examples=20)
@given(st.data())
def test_the_library_and_we_read_each_other(message: Message, data: st.DataObject) -> None:
    value: Any = data.draw(messages(message))
    ours = encode_message(value)
    theirs = message_class(message.name).FromString(ours).SerializeToString(deterministic=True)
    assert theirs == ours
    assert decode_message(type(value), theirs) == value
