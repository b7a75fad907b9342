"""Facts about `rhtmx.cli.compiling`: `rhtmx codegen` is the compiler, and nothing else loads it."""

from __future__ import annotations

import sys

import pytest

from rhtmx.cli import main
from tests.support.process import run


def test_it_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codegen", "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: rhtmx codegen")
    assert "--url" not in told


def test_its_exit_code_is_that_of_the_tool(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codegen"]) == 2
    assert capsys.readouterr().err == "error: which FILE? (see rhtmx codegen --help)\n"


def test_the_help_of_the_tool_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "make typed code of an application's schema" in capsys.readouterr().out


def test_other_commands_do_not_load_it() -> None:
    lines = "import sys; from rhtmx.cli import main; main(['--version']); "
    loaded = "print([name for name in sys.modules if name.startswith('rhtmx_codegen')])"
    assert run(sys.executable, "-c", lines + loaded).output.splitlines()[-1] == "[]"
