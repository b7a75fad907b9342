"""The parsers of the command line.

Knows the options of each command. Must not know what their values mean, nor
what the help says about it beyond the options.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.words import CODEGEN, COMMANDS, DESCRIPTION, EPILOG

__all__ = ["DEFAULT_TIMEOUT", "DEFAULT_URL", "parse"]

DEFAULT_URL = "ws://127.0.0.1:3000/api/ws"
DEFAULT_TIMEOUT = 10.0
"""Seconds."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **words: Any) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
            **words,
        )

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)", USAGE)


def parse(argv: list[str], version: str) -> dict[str, Any]:
    """Take the arguments apart; what was not given is not in the result.

    Args:
        argv: the arguments, without the tool's name.
        version: what `--version` prints.

    Raises:
        CommandError: there is no such command or option, or one lacks its value.
        SystemExit: help or version was asked for and is printed.
    """
    given, rest = _tool(version).parse_known_args(argv)
    options = vars(given)
    # argparse takes all operands at once: those behind a later option are left over.
    wrong = [each for each in rest if each.startswith("-") and each != "-"]
    command = options.get("command")
    if command is None and not wrong:
        names = ", ".join((*COMMANDS, "codegen"))
        raise CommandError(f"which COMMAND? {names} (see rhtmx --help)", USAGE)
    if command == "codegen":
        raise CommandError("codegen takes its own options only: rhtmx codegen --help", USAGE)
    if wrong or (rest and command not in _WITH_OPERANDS):
        first = (wrong or rest)[0].partition("=")[0]
        raise CommandError(
            f"there is no {first!r} here (see rhtmx {command or 'COMMAND'} --help)", USAGE
        )
    if rest:
        options["operands"] = [*options.get("operands", []), *rest]
    return options


def _tool(version: str) -> argparse.ArgumentParser:
    tool = _Parser(
        prog="rhtmx",
        usage="rhtmx COMMAND … [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    tool.add_argument("--version", action="version", version=f"rhtmx {version}")
    _share(tool)
    commands = tool.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", parser_class=_Parser
    )
    for name, words in COMMANDS.items():
        command = commands.add_parser(
            name,
            prog=f"rhtmx {name}",
            usage=words.usage,
            help=words.summary,
            description=words.description,
            epilog=words.epilog,
        )
        _OPTIONS[name](command)
        _share(command)
    # It asks no server, so it takes none of these options, and has a parser of its own.
    commands.add_parser("codegen", add_help=False, help=CODEGEN)
    return tool


def _share(parser: argparse.ArgumentParser) -> None:
    """The options that every command takes; they may stand before it, too."""
    group = parser.add_argument_group("options of all commands")
    group.add_argument(
        "--url",
        help=f"the server; wss:// or https:// for TLS [RHTMX_URL, or {DEFAULT_URL}]",
    )
    group.add_argument(
        "--token",
        help="bearer token [RHTMX_TOKEN]; others on this machine can see the arguments, so "
        "better use the variable, or --token-file",
    )
    group.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the token; read again for each connection",
    )
    group.add_argument(
        "--ca",
        metavar="FILE",
        help="trusted CA certificates for TLS, as PEM [RHTMX_CA, or those of the system]",
    )
    group.add_argument(
        "--cert",
        metavar="FILE",
        help="certificate of this client, as PEM, if the server asks for one [RHTMX_CERT]",
    )
    group.add_argument(
        "--key",
        metavar="FILE",
        help="its key, if it is not in the same file [RHTMX_KEY]",
    )
    group.add_argument(
        "--format", choices=("json", "proto"), help="format of the messages on the wire [json]"
    )
    group.add_argument("--json", action="store_true", help="print JSON lines, for programs")
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        help=f"longest wait for the server, and for each answer [{DEFAULT_TIMEOUT:g}]",
    )


def _operands(
    command: argparse.ArgumentParser,
    metavar: str,
    help: str,  # noqa: A002
    *,
    required: bool = True,
) -> None:
    added = command.add_argument("operands", metavar=metavar, nargs="*", help=help)
    # Only what `argparse` names as missing: what there has to be is looked at later.
    added.required = required


def _since(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--since",
        metavar="POSITION",
        help=f"where to start: 0, or EPOCH:VERSION as `rhtmx sync` prints it [{default}]",
    )


def _where(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        help="only this part of the entity, by a field by which the server divides it; "
        "FIELD:=JSON for numbers, true and false; may be given several times",
    )


def _tail(command: argparse.ArgumentParser) -> None:
    _operands(command, "ENTITY", "the entities")
    _where(command)
    _since(command, "with the next change")
    command.add_argument("--fields", action="store_true", help="field by field")
    command.add_argument("-n", "--count", metavar="COUNT", help="end after this many changes")


def _push(command: argparse.ArgumentParser) -> None:
    command.add_argument("entity", metavar="ENTITY", help="the entity")
    _operands(command, "ID DATA", "the id of the record, and its new data")
    command.add_argument(
        "--fields", action="store_true", help="merge the fields into the record, keep the others"
    )
    command.add_argument(
        "--remove",
        metavar="FIELD",
        action="append",
        help="remove a field; needs --fields, may be given several times",
    )
    command.add_argument("--delete", action="store_true", help="delete the record")
    command.add_argument(
        "--base-version",
        metavar="N",
        help="only if the record is still at version N (0: only if there is none)",
    )
    command.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="write many records: each line is a JSON object; - is standard input",
    )


def _sync(command: argparse.ArgumentParser) -> None:
    command.add_argument("entity", metavar="ENTITY", help="the entity")
    _where(command)
    _since(command, "0")
    command.add_argument("--fields", action="store_true", help="field by field")


def _validate(command: argparse.ArgumentParser) -> None:
    command.add_argument("form", metavar="FORM", help="the form's name")
    _operands(command, "field=value", "what was entered; field=@FILE chooses a file")
    command.add_argument("--field", metavar="NAME", help="ask about this field only")


def _record(command: argparse.ArgumentParser) -> None:
    command.add_argument("entity", metavar="ENTITY", help="the entity")
    command.add_argument("entity_id", metavar="ID", help="the id of the record")


def _log(command: argparse.ArgumentParser) -> None:
    _record(command)
    command.add_argument(
        "--until",
        metavar="TIME",
        help="only commits up to this time: 2026-11-29T12:00, or with seconds and a zone",
    )
    command.add_argument("-n", "--count", metavar="COUNT", help="end after this many commits")


def _undo(command: argparse.ArgumentParser) -> None:
    _record(command)
    command.add_argument("version", metavar="VERSION", help="the version of the commit")


def _conflicts(command: argparse.ArgumentParser) -> None:
    command.add_argument("entity", metavar="ENTITY", help="the entity")
    _where(command)
    command.add_argument(
        "--follow", action="store_true", help="go on, as conflicts come and are answered"
    )


def _resolve(command: argparse.ArgumentParser) -> None:
    _record(command)
    command.add_argument("number", metavar="NUMBER", help="the number of the conflict")
    _operands(command, "VALUE", "a third value, as JSON", required=False)
    command.add_argument("--lost", action="store_true", help="write what has lost")
    command.add_argument("--standing", action="store_true", help="leave what stands")


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "schema", metavar="SCHEMA", help="the generated package, as it is imported"
    )
    command.add_argument(
        "--entity",
        metavar="ENTITY",
        action="append",
        help="only this entity; may be given several times [all of the schema]",
    )


def _mcp(command: argparse.ArgumentParser) -> None:
    command.add_argument("address", metavar="URL", nargs="?", help="the server, as for --url")
    command.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        help="only this entity or form; may be given several times [all of the schema]",
    )
    command.add_argument("--read-only", action="store_true", help="offer nothing that writes")


_WITH_OPERANDS = ("tail", "push", "validate", "resolve")

_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "tail": _tail,
    "push": _push,
    "sync": _sync,
    "validate": _validate,
    "log": _log,
    "blame": _record,
    "undo": _undo,
    "conflicts": _conflicts,
    "resolve": _resolve,
    "check": _check,
    "mcp": _mcp,
}
