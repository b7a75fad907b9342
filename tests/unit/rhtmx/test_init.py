"""Facts about `rhtmx`, the package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import rhtmx
from tests.support.process import run


@pytest.mark.parametrize("name", rhtmx.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rhtmx, name) is not None
    assert name in dir(rhtmx)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        getattr(rhtmx, "nope")  # noqa: B009  # the attribute is not meant to exist


def test_the_wire_does_not_load_the_client() -> None:
    code = "import sys, rhtmx.wire; print([m for m in sys.modules if m.startswith('websockets')])"
    root = Path(rhtmx.__file__).parents[1]
    out = run(sys.executable, "-c", code, folder=root)
    assert out.output.strip() == "[]"


def test_it_says_that_it_is_typed() -> None:
    assert (Path(rhtmx.__file__).parent / "py.typed").exists()
