from __future__ import annotations

import subprocess
import sys

import pytest

from rhtmx.messages import Push
from rhtmx.wire.engine import engine_class


def test_a_class_is_found_by_its_full_name() -> None:
    push = engine_class("rhtmx.v1.Push")
    assert push.DESCRIPTOR.full_name == "rhtmx.v1.Push"
    assert [field.name for field in push.DESCRIPTOR.fields] == list(Push.__dataclass_fields__)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        engine_class("rhtmx.v1.Nothing")


def test_the_slow_engine_is_refused_with_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import rhtmx.wire"],
        env={"PYTHONPATH": ":".join(sys.path), "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "runs on its 'python' engine, but 'upb' is needed: unset PROTOCOL_BUFFERS" in done.stderr
