from __future__ import annotations

import sys

import pytest

from rhtmx.messages import Push
from rhtmx.wire.engine import engine_class
from tests.support.process import run


def test_a_class_is_found_by_its_full_name() -> None:
    push = engine_class("rhtmx.v1.Push")
    assert push.DESCRIPTOR.full_name == "rhtmx.v1.Push"
    assert [field.name for field in push.DESCRIPTOR.fields] == list(Push.__dataclass_fields__)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        engine_class("rhtmx.v1.Nothing")


def test_the_slow_engine_is_refused_with_what_to_do() -> None:
    environ = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    done = run(sys.executable, "-c", "import rhtmx.wire", code=1, environ=environ)
    assert "runs on its 'python' engine, but 'upb' is needed: unset PROTOCOL_BUFFERS" in done.errors
