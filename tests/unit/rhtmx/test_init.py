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


@pytest.mark.parametrize(
    ("imported", "spared"),
    [
        ("rhtmx.wire", ("websockets",)),
        ("rhtmx", ("rhtmx.schema", "rhtmx.patterns")),
        # Who has no schema needs nothing of its room, nor what makes of its records others.
        ("rhtmx; rhtmx.connect('ws://x/')", ("rhtmx.schema", "rhtmx.api.typed", "rhtmx.patterns")),
        # What follows the tables of patterns does not need what makes them.
        ("rhtmx.schema", ("rhtmx.patterns.pattern", "rhtmx.patterns.unicode_data")),
    ],
)
def test_what_is_not_needed_is_not_loaded(imported: str, spared: tuple[str, ...]) -> None:
    code = f"import sys, {imported}; print([m for m in sys.modules if m.startswith({spared})])"
    root = Path(rhtmx.__file__).parents[1]
    out = run(sys.executable, "-c", code, folder=root)
    assert out.output.strip() == "[]"


def test_it_says_that_it_is_typed() -> None:
    assert (Path(rhtmx.__file__).parent / "py.typed").exists()
