"""Facts about `rhtmx.cli.main`."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

import rhtmx
from rhtmx.cli import main
from rhtmx.cli.errors import CommandError
from rhtmx.errors import ErrorCode, RhtmxError

MODULE = "rhtmx.cli.main"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine."""
    for name in ("RHTMX_URL", "RHTMX_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def behave(monkeypatch: pytest.MonkeyPatch, name: str, outcome: Any) -> list[Any]:
    """Have a command end in some way; returns what it was asked."""
    asked: list[Any] = []

    async def command(server: Any, request: Any, output: Any) -> int:
        asked.append(request)
        if isinstance(outcome, BaseException):
            raise outcome
        if callable(outcome):
            outcome()
            return 0
        return int(outcome)

    commands = vars(sys.modules[MODULE])["COMMANDS"]
    (kind,) = [kind for kind, known in commands.items() if known.__name__ == name]
    monkeypatch.setitem(commands, kind, command)
    return asked


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["tail", "a"], "tail"),
        (["sync", "a"], "sync"),
        (["push", "a", "7", "1"], "push"),
        (["push", "a", "--from", "-"], "push_many"),
        (["validate", "f"], "validate"),
        (["log", "a", "7"], "log"),
        (["blame", "a", "7"], "blame"),
        (["undo", "a", "7", "1"], "undo"),
        (["conflicts", "a"], "conflicts"),
        (["resolve", "a", "7", "1", "--lost"], "resolve"),
        (["check", "app_schema"], "check"),
        (["mcp"], "mcp"),
    ],
)
def test_each_command_is_run_and_its_status_is_the_tools(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    asked = behave(monkeypatch, name, 7)
    assert main(argv) == 7
    assert len(asked) == 1


def test_the_arguments_are_the_processs_own_if_none_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behave(monkeypatch, "sync", 7)
    monkeypatch.setattr(sys, "argv", ["rhtmx", "sync", "a"])
    assert main() == 7


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [
        (CommandError("no", 2), 2, "error: no\n"),
        (RhtmxError(ErrorCode.INTERNAL, "oh"), 1, "error: oh\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_an_end_is_an_exit_code_and_at_most_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    outcome: BaseException,
    status: int,
    told: str,
) -> None:
    behave(monkeypatch, "sync", outcome)
    assert main(["sync", "a"]) == status
    assert capsys.readouterr().err == told


def test_what_is_secret_in_a_url_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "ws://ada:pw@h/api/ws?token=s3cr3t"
    behave(monkeypatch, "sync", CommandError(f"cannot connect to '{url}'", 3))
    main(["sync", "a", "--url", url])
    assert capsys.readouterr().err == "error: cannot connect to 'ws://h/api/ws'\n"


def test_what_the_client_logs_is_news_and_only_while_the_tool_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("rhtmx")
    before = (list(log.handlers), log.propagate)
    behave(monkeypatch, "sync", lambda: log.warning("the server reports: %s", "a\nb"))
    main(["sync", "a"])
    assert capsys.readouterr().err == "the server reports: a\\nb\n"
    assert (log.handlers, log.propagate) == before


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["tail", "--help"]])
def test_help_and_version_are_no_failure(argv: list[str]) -> None:
    assert main(argv) == 0


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rhtmx {rhtmx.__version__}\n"
