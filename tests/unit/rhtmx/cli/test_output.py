"""Facts about `rhtmx.cli.output`."""

from __future__ import annotations

import asyncio
import io
import json
import os

import pytest

from rhtmx.cli.output import Output
from tests.unit.rhtmx.cli.screens import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_results_and_news_go_their_own_ways() -> None:
    screen = Screen()
    screen.output.line("result")
    screen.output.note("news")
    assert (screen.lines, screen.news) == (["result"], ["news"])


def test_news_are_one_line_without_what_is_to_be_hidden() -> None:
    err = io.StringIO()
    output = Output(io.StringIO(), err, {}, hide=lambda text: text.replace("s3cr3t", "***"))
    output.note("a\nb\x1b[2J s3cr3t")
    assert err.getvalue() == "a\\nb\\u001b[2J ***\n"


def test_a_record_is_a_line_that_no_terminal_obeys() -> None:
    screen = Screen()
    screen.output.record({"a": "ö\x9b\u202e"})
    assert screen.lines == ['{"a": "ö\\u009b\\u202e"}']
    assert screen.records == [{"a": "ö\x9b\u202e"}]


def test_only_a_terminal_has_columns_and_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    pipe = Output(io.StringIO(), io.StringIO(), {})
    assert (pipe.columns, pipe.paint("red", "x")) == (None, "x")
    terminal = Output(Terminal(), io.StringIO(), {})
    assert terminal.columns == 77
    assert terminal.paint("red", "x") != "x"
    assert Output(Terminal(), io.StringIO(), {"NO_COLOR": "1"}).paint("red", "x") == "x"


def test_nobody_has_to_read_the_news() -> None:
    output = Output(Closed(), Closed(), {})
    output.note("news")
    with pytest.raises(BrokenPipeError):
        output.line("result")


@pytest.mark.parametrize("programs", [True, False])
def test_json_is_utf_8_whatever_the_terminal_speaks(programs: bool) -> None:
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(raw, encoding="ascii")
    Output(stdout, io.StringIO(), {}, json=programs).line('"ö"')
    stdout.flush()
    text = raw.getvalue()
    assert text == ('"ö"\n'.encode() if programs else b'"\\xf6"\n')
    if programs:
        assert json.loads(text) == "ö"


async def test_it_notices_that_the_reader_of_a_pipe_goes() -> None:
    ours, its = os.pipe()
    with os.fdopen(its, "w") as stdout:
        output = Output(stdout, io.StringIO(), {})
        gone = asyncio.Event()
        with output.watched(gone.set):
            output.line("one")
            assert os.read(ours, 100) == b"one\n"
            assert not gone.is_set()
            os.close(ours)
            async with asyncio.timeout(60):
                await gone.wait()


async def test_what_is_no_pipe_is_not_watched() -> None:
    with Screen().output.watched(lambda: pytest.fail("called")):
        await asyncio.sleep(0)


def test_what_nobody_reads_goes_nowhere() -> None:
    ours, its = os.pipe()
    os.close(ours)
    stdout = os.fdopen(its, "w")
    output = Output(stdout, io.StringIO(), {})
    with pytest.raises(BrokenPipeError):
        output.line("lost")
    output.abandon()
    stdout.close()  # would raise again
    Screen().output.abandon()
