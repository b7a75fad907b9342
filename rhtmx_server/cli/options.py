"""The options of the command, and how they are read.

Knows each option, its environment variable and its help. Must not know what the
settings mean beyond that: `Config` judges their values.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NoReturn

from rhtmx_server.cli.errors import USAGE, CommandError
from rhtmx_server.cli.table import DESCRIPTION, EPILOG, GROUPS, Option, OptionKind
from rhtmx_server.config import Config

__all__ = ["CommandOptions", "read"]


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What was asked for.

    Args:
        app: `module:attribute`; `None` for the demo.
        store: URL of the store; `None` for the app's own.
        bus: URL of the bus; `None` for the app's own.
        config: the settings that were given, by their name in `Config`.
    """

    app: str | None = None
    store: str | None = None
    bus: str | None = None
    config: Mapping[str, object] = field(default_factory=dict)


def read(argv: Sequence[str], environ: Mapping[str, str], version: str) -> CommandOptions:
    """Read the arguments, and the environment for what they leave open.

    Args:
        argv: the arguments, without the command's name.
        environ: the environment variables.
        version: what `--version` prints.

    Raises:
        CommandError: an option does not exist or its value makes no sense.
        SystemExit: help or version was asked for and is printed.
    """
    given = vars(_parser(version).parse_args(argv))
    values: dict[str, object] = {}
    for option in chain.from_iterable(GROUPS.values()):
        label, texts = option.flag, given.get(option.name)
        if texts is None and environ.get(option.variable, "").strip():
            text = environ[option.variable]
            label, texts = option.variable, text.split(",") if option.repeatable else [text]
        if texts is not None:
            values[option.name] = _value(option, label, texts)
    named = [values.pop(name, None) for name in ("app", "store", "bus")]
    app, store, bus = (None if each is None else str(each) for each in named)
    return CommandOptions(app, store, bus, values)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see --help)", USAGE)


def _parser(version: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rhtmx-server",
        usage="rhtmx-server [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rhtmx-server {version}")
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for option in options:
            is_switch = option.kind is OptionKind.SWITCH
            group.add_argument(
                option.flag,
                dest=option.name,
                metavar=option.metavar,
                # All of them: an option that may be repeated keeps each, of the others the last one
                # counts.
                action="append",
                nargs="?" if is_switch else None,
                const="on" if is_switch else None,
                help=f"{option.help} [{option.variable}]".replace("%", "%%"),
            )
    return parser


def _value(option: Option, label: str, texts: Sequence[str]) -> object:
    """Turn what was written into a setting that `Config` accepts."""
    if option.repeatable:
        value: object = tuple(text.strip() for text in texts if text.strip())
    else:
        value = _PARSERS[option.kind](label, texts[-1].strip())
    if option.name in Config.__dataclass_fields__:
        try:
            # Judged alone, to name the flag or the variable that it came from.
            Config(**{option.name: value})  # type: ignore[arg-type]
        except ValueError as reason:
            raise _wrong(label, str(reason).removeprefix(f"{option.name}: ")) from None
    return value


def _whole(label: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise _wrong(label, f"a whole number expected, got {text!r}")
    return int(text)


def _number(label: str, text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise _wrong(label, f"a number expected, got {text!r}")
    return float(text)


_UNITS = {"": 1, "kib": 1024, "mib": 1024 * 1024}


def _size(label: str, text: str) -> int:
    parts = re.fullmatch(r"([0-9]{1,12}) ?(|kib|mib)", text.lower())
    if parts is None:
        raise _wrong(label, f"bytes expected, such as 65536, 64KiB or 1MiB, got {text!r}")
    return int(parts[1]) * _UNITS[parts[2]]


_SWITCH = dict.fromkeys(("on", "true", "yes", "1"), True) | dict.fromkeys(
    ("off", "false", "no", "0"), False
)


def _switch(label: str, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise _wrong(label, f"on or off expected, got {text!r}")
    return _SWITCH[text.lower()]


_PARSERS: Mapping[OptionKind, Callable[[str, str], object]] = {
    OptionKind.TEXT: lambda label, text: text,
    OptionKind.WHOLE: _whole,
    OptionKind.NUMBER: _number,
    OptionKind.SIZE: _size,
    OptionKind.SWITCH: _switch,
}


def _wrong(label: str, reason: str) -> CommandError:
    return CommandError(f"{label}: {reason}", USAGE)
