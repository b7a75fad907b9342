"""Facts about `rhtmx.core.traceparent`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from rhtmx.core.traceparent import Traceparent, traceparent_source
from rhtmx.errors import RhtmxError

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def of(given: Traceparent) -> Callable[[], str | None]:
    source = traceparent_source(given)
    assert source is not None
    return source


def test_who_traces_nothing_says_nothing() -> None:
    assert traceparent_source(None) is None


def test_a_text_is_said_each_time() -> None:
    source = of(ONE)
    assert [source(), source()] == [ONE, ONE]


def test_a_function_is_asked_each_time() -> None:
    said = iter([None, ONE, None])
    source = of(lambda: next(said))
    assert [source() for _ in range(3)] == [None, ONE, None]


@pytest.mark.parametrize("text", ["", "traces", ONE[:-1], ONE.upper(), f"{ONE}-", f"{ONE}\n"])
def test_a_text_that_is_none_is_refused_at_once(text: str) -> None:
    with pytest.raises(RhtmxError, match="traceparent: as in W3C Trace Context expected"):
        traceparent_source(text)


@pytest.mark.parametrize("said", ["", "traces", 7, f"{ONE}\n"])
def test_what_a_function_says_is_left_out_if_it_is_none(said: Any) -> None:
    assert of(lambda: said)() is None


def test_a_function_that_fails_fails_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> str:
        raise KeyError("span")

    with caplog.at_level(logging.WARNING, "rhtmx"):
        assert of(fails)() is None
    assert caplog.messages == ["traceparent failed, and is left out: KeyError('span')"]
