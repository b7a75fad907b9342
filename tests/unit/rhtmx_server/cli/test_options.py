"""Facts about `rhtmx_server.cli.options`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pytest

from rhtmx_server.cli.errors import USAGE, CommandError
from rhtmx_server.cli.options import CommandOptions, read
from rhtmx_server.cli.table import GROUPS, Option, OptionKind
from rhtmx_server.config import Config

ALL = list(chain.from_iterable(GROUPS.values()))


def of(*argv: str, **environ: str) -> CommandOptions:
    return read(argv, environ, "1.2.3")


def refused(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(CommandError) as caught:
        read(argv, environ or {}, "1.2.3")
    assert caught.value.status == USAGE
    return caught.value.message


def test_nothing_given_leaves_everything_to_the_app() -> None:
    assert of() == CommandOptions(app=None, store=None, config={})


def test_app_and_store_are_no_settings() -> None:
    options = of("--app", "app:app", "--store", "memory://")
    assert options == CommandOptions("app:app", "memory://", config={})


@pytest.mark.parametrize(
    ("argv", "config"),
    [
        (["--port", "0"], {"port": 0}),
        (["--port=80"], {"port": 80}),
        (["--host", "::"], {"host": "::"}),
        (["--heartbeat", "1.5"], {"heartbeat": 1.5}),
        (["--max-size", "65536"], {"max_size": 65536}),
        (["--max-size", "64KiB"], {"max_size": 65536}),
        (["--outbox", "1 MiB"], {"outbox": 1048576}),
        (["--deflate", "off"], {"deflate": False}),
        (["--deflate", "TRUE"], {"deflate": True}),
        (["--open"], {"open": True}),
        (["--open", "--port", "0"], {"open": True, "port": 0}),
        (["--open", "off"], {"open": False}),
        (["--log-format", "json"], {"log_format": "json"}),
        (["--port", "1", "--port", "2"], {"port": 2}),
        (
            ["--origin", "https://a.com", "--origin", "https://b.com"],
            {"origins": ("https://a.com", "https://b.com")},
        ),
    ],
)
def test_an_option_becomes_a_setting(argv: list[str], config: dict[str, Any]) -> None:
    assert of(*argv).config == config


def test_the_environment_gives_what_the_arguments_leave_open() -> None:
    options = of("--port", "1", RHTMX_PORT="2", RHTMX_HOST="::1", RHTMX_APP="a:b")
    assert options == CommandOptions("a:b", None, config={"port": 1, "host": "::1"})


def test_origins_in_the_environment_are_separated_by_commas() -> None:
    options = of(RHTMX_ORIGIN="https://a.com, https://b.com,")
    assert options.config == {"origins": ("https://a.com", "https://b.com")}


def test_an_empty_variable_is_none() -> None:
    assert of(RHTMX_PORT="", RHTMX_APP=" ") == CommandOptions()


_GIVEN = {"secret": "a secret of 16 letters"}
"""What is written for an option without a default, where a number is none."""


@pytest.mark.parametrize("option", ALL, ids=lambda option: option.flag)
def test_every_option_can_be_given_as_its_variable(option: Option) -> None:
    value = "x:y"
    if option.name in Config.__dataclass_fields__:
        default = getattr(Config(), option.name)
        written = {
            bool: str(default).lower(),
            tuple: "https://a.com",
            type(None): _GIVEN.get(option.name, "1"),
        }
        value = written.get(type(default)) or str(default)
        if option.name == "without":
            value = "legacy"
    assert of(**{option.variable: value}) == of(option.flag, value) != CommandOptions()


def test_every_setting_has_an_option() -> None:
    assert {option.name for option in ALL} - {"app", "store", "bus"} == set(
        Config.__dataclass_fields__
    )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--port", "many"], "--port: a whole number expected, got 'many'"),
        (["--port", "70000"], "--port: a whole number from 0 to 65535 expected, got 70000"),
        (["--port", "1e3"], "--port: a whole number expected, got '1e3'"),
        (["--heartbeat", "soon"], "--heartbeat: a number expected, got 'soon'"),
        (["--outbox", "1GB"], "--outbox: bytes expected, such as 65536, 64KiB or 1MiB, got '1GB'"),
        (["--deflate", "maybe"], "--deflate: on or off expected, got 'maybe'"),
        (["--log-format", "xml"], "--log-format: text or json expected, got 'xml'"),
        (["--host", ""], "--host: an address or a host name expected, got ''"),
        (["--origin", "*"], "--origin: scheme and host as browsers send them"),
        (["--nope"], "unrecognized arguments: --nope (see --help)"),
        (["--por", "1"], "unrecognized arguments: --por 1 (see --help)"),
        (["--port"], "argument --port: expected one argument (see --help)"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(argv: list[str], words: str) -> None:
    assert refused(argv).startswith(words)


def test_a_wrong_variable_is_named_as_such() -> None:
    words = refused([], {"RHTMX_PORT": "70000"})
    assert words == "RHTMX_PORT: a whole number from 0 to 65535 expected, got 70000"
    assert refused([], {"RHTMX_ORIGIN": "https://a.com,*"}).startswith("RHTMX_ORIGIN: scheme")


def test_help_tells_every_option_with_variable_and_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as end:
        of("--help")
    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for option in ALL:
        value = f"[{option.metavar}]" if option.kind is OptionKind.SWITCH else option.metavar
        assert f"{option.flag} {value} {option.help} [{option.variable}]" in told
        assert "(default: " in option.help
    assert "examples:" in told


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        of("--version")
    assert end.value.code == 0
    assert capsys.readouterr().out == "rhtmx-server 1.2.3\n"
