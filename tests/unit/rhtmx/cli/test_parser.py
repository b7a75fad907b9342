"""Facts about `rhtmx.cli.parser`."""

from __future__ import annotations

import pytest

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.parser import parse
from rhtmx.cli.words import COMMANDS


def test_what_is_not_given_is_not_there() -> None:
    assert parse(["sync", "tasks"], "") == {"command": "sync", "entity": "tasks"}


@pytest.mark.parametrize(
    "argv",
    [
        ["push", "tasks", "7", "a=1", "--fields", "b:=2", "--json", "c=3"],
        ["push", "--fields", "--json", "tasks", "7", "a=1", "b:=2", "c=3"],
        ["push", "tasks", "--fields", "7", "a=1", "--json", "b:=2", "c=3"],
        ["--json", "push", "tasks", "7", "a=1", "b:=2", "c=3", "--fields"],
    ],
)
def test_options_may_stand_anywhere(argv: list[str]) -> None:
    given = parse(argv, "")
    assert given["operands"] == ["7", "a=1", "b:=2", "c=3"]
    assert (given["fields"], given["json"]) == (True, True)


def test_an_option_behind_the_command_goes_before_one_in_front_of_it() -> None:
    assert parse(["--url", "a", "sync", "tasks"], "")["url"] == "a"
    assert parse(["--url", "a", "sync", "tasks", "--url", "b"], "")["url"] == "b"


def test_a_dash_and_a_negative_number_are_data() -> None:
    assert parse(["push", "tasks", "7", "-"], "")["operands"] == ["7", "-"]
    assert parse(["push", "tasks", "7", "-5"], "")["operands"] == ["7", "-5"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], f"which COMMAND? {', '.join(COMMANDS)}, codegen (see rhtmx --help)"),
        (["--json", "codegen"], "codegen takes its own options only: rhtmx codegen --help"),
        (["tial"], "argument COMMAND: invalid choice: 'tial'"),
        (["tail", "tasks", "--sinc", "0"], "there is no '--sinc' here (see rhtmx tail --help)"),
        (["sync", "a", "b"], "there is no 'b' here (see rhtmx sync --help)"),
        (["blame", "a", "7", "b"], "there is no 'b' here (see rhtmx blame --help)"),
        (["undo", "a", "7"], "the following arguments are required: VERSION"),
        (["sync", "a", "--tokn=s3cr3t"], "there is no '--tokn' here"),
        (["push"], "the following arguments are required: ENTITY"),
        (["sync", "a", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["sync", "a", "--url"], "argument --url: expected one argument"),
    ],
)
def test_a_mistake_is_told_with_where_to_look(argv: list[str], words: str) -> None:
    with pytest.raises(CommandError) as raised:
        parse(argv, "")
    assert raised.value.message.startswith(words)
    assert "--help" in raised.value.message
    assert raised.value.status == USAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_options_and_the_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([command, "--help"], "")
    assert not ended.value.code
    told = capsys.readouterr().out
    assert told.startswith(f"usage: {COMMANDS[command].usage}")
    assert "--timeout SECONDS" in told
    assert COMMANDS[command].epilog in told


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--version"], "1.2.3")
    assert capsys.readouterr().out == "rhtmx 1.2.3\n"
