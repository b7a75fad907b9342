"""From arguments and environment to what is asked for.

Knows what each option's value means and which go together. Must not know the
parsers' wording, nor read files itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rhtmx.cli import values
from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.parser import DEFAULT_TIMEOUT, DEFAULT_URL, parse
from rhtmx.cli.requests import (
    Blame,
    Check,
    CliRequest,
    Conflicts,
    Invocation,
    Log,
    Mcp,
    Push,
    PushMany,
    Resolve,
    Server,
    Sync,
    Tail,
    Undo,
    Validate,
)
from rhtmx.core.address import websocket_url
from rhtmx.errors import RhtmxError
from rhtmx.values.field_operations import FieldOperation
from rhtmx.values.form_value import File
from rhtmx.wire.limits import MAX_TOKEN

__all__ = ["Disk", "read"]

_LONGEST = 86_400.0
"""Seconds; what a timeout may be."""

_PAIR = ("cert", "key")


class Disk(NamedTuple):
    """How files are reached.

    Attributes:
        load: gets the text of one; `-` is standard input.
        choose: looks at one as a form does where it is chosen.
    """

    load: Callable[[str], str]
    choose: Callable[[str], File]


def read(argv: Sequence[str], environ: Mapping[str, str], version: str, disk: Disk) -> Invocation:
    """Read the arguments, and the environment for what they leave open.

    Args:
        argv: the arguments, without the tool's name.
        environ: the environment variables.
        version: what `--version` prints.
        disk: how files are reached.

    Raises:
        CommandError: it makes no sense; in a line.
        SystemExit: help or version was asked for and is printed.
    """
    for place, argument in enumerate(argv, 1):
        if re.search("[\ud800-\udfff]", argument):
            raise _wrong(f"argument {place} is not UTF-8")
    given = parse(list(argv), version)
    request = _REQUESTS[given["command"]](given, disk)
    return Invocation(_server(given, environ), bool(given.get("json")), request)


def _server(given: Mapping[str, Any], environ: Mapping[str, str]) -> Server:
    token, file = given.get("token"), given.get("token_file")
    if token is not None and file is not None:
        raise _wrong("--token and --token-file exclude each other: give one")
    if token is None and file is None:
        token = environ.get("RHTMX_TOKEN", "").strip() or None
    if token is not None and (size := len(token.encode(errors="surrogatepass"))) > MAX_TOKEN:
        raise _wrong(f"--token or RHTMX_TOKEN: at most {MAX_TOKEN} bytes expected, got {size}")
    url = _url(given, environ)
    ca, cert, key = _files(given, environ, url)
    return Server(
        url=url,
        token=token,
        token_file=None if file is None else Path(file),
        format=given.get("format", "json"),
        timeout=_seconds("--timeout", given["timeout"]) if "timeout" in given else DEFAULT_TIMEOUT,
        ca=ca,
        cert=cert,
        key=key,
    )


def _url(given: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    label, url = "--url", given.get("url")
    if "address" in given:
        if url is not None:
            raise _wrong("URL and --url exclude each other: give one")
        label, url = "URL", given["address"]
    if url is None:
        label, url = "RHTMX_URL", environ.get("RHTMX_URL", "").strip() or DEFAULT_URL
    try:
        return websocket_url(url, label)
    except RhtmxError as error:
        raise _wrong(error.message) from None


def _files(
    given: Mapping[str, Any], environ: Mapping[str, str], url: str
) -> tuple[Path | None, Path | None, Path | None]:
    """The files for TLS: those that are given; else, where there is TLS, the environment's."""
    named = [name for name in ("ca", "cert", "key") if name in given]
    if not url.startswith("wss:"):
        if named:
            raise _wrong(f"--{named[0]} needs a wss:// or https:// URL")
        return None, None, None
    if "key" in given and "cert" not in given:
        raise _wrong("--key needs --cert, the certificate of that key")
    # A certificate and its key are one thing: they come from the same place.
    pair = given if "cert" in given else {n: environ.get(f"RHTMX_{n.upper()}") for n in _PAIR}
    if pair.get("key") and not pair.get("cert"):
        raise _wrong("RHTMX_KEY needs RHTMX_CERT, the certificate of that key")
    ca, cert, key = given.get("ca") or environ.get("RHTMX_CA"), pair.get("cert"), pair.get("key")
    return Path(ca) if ca else None, Path(cert) if cert else None, Path(key) if key else None


def _tail(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    entities = tuple(dict.fromkeys(given.get("operands", ())))
    if not entities:
        raise _wrong("which ENTITY? (see rhtmx tail --help)")
    since = values.since(given["since"]) if "since" in given else None
    if len(entities) > 1 and since not in (None, 0):
        raise _wrong(
            f"--since {given['since']}: a position is a place in the log of one entity, "
            f"got {len(entities)}: run one command for each"
        )
    where = values.where(given.get("where", ()))
    if len(entities) > 1 and where is not None:
        raise _wrong(
            f"--where {given['where'][0]}: a part of one entity, got {len(entities)}: "
            "run one command for each"
        )
    count = _whole("--count", given["count"], 1) if "count" in given else None
    return Tail(entities, since, bool(given.get("fields")), count, where)


def _push(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    operands, entity = given.get("operands", []), given["entity"]
    if "source" in given:
        for name in ("remove", "delete", "base_version"):
            if name in given:
                flag = name.replace("_", "-")
                raise _wrong(f"--from and --{flag} exclude each other: give it in each line")
        if operands:
            raise _wrong(f"--from: ids and data come from the lines, not from {operands[0]!r}")
        return PushMany(entity, given["source"], bool(given.get("fields")))
    if not operands:
        raise _wrong("which ID? (see rhtmx push --help)")
    entity_id, *rest = operands
    remove, delete = tuple(given.get("remove", ())), bool(given.get("delete"))
    fields = bool(given.get("fields"))
    if delete and (rest or fields):
        raise _wrong("--delete takes the whole record: no DATA, no --fields")
    data = {} if remove and not rest else None if delete else _data(rest, disk.load)
    fields = fields or _operates(data)
    if remove and not fields:
        raise _wrong("--remove needs --fields: without it the whole record is replaced")
    if fields and not isinstance(data, dict):
        raise _wrong("--fields: DATA has to be fields: field=value …, or a JSON object")
    base = _whole("--base-version", given["base_version"], 0) if "base_version" in given else None
    return Push(entity, entity_id, data, fields, remove, delete, base)


def _operates(data: Any) -> bool:
    """Whether there is an operation: it says what to do with what is there, so that stays."""
    fields = data.values() if isinstance(data, dict) else ()
    return any(isinstance(each, FieldOperation) for each in fields)


def _data(rest: Sequence[str], load: Callable[[str], str]) -> Any:
    if not rest:
        raise _wrong("which DATA? field=value …, a JSON text, @FILE or - (see rhtmx push --help)")
    (first, *others) = rest
    if first == "-" or (first.startswith("@") and "=" not in first):
        if others:
            raise _wrong(f"{first} is all of DATA: remove {others[0]!r}")
        name = first.removeprefix("@")
        return values.parse_json(load(name), "standard input" if name == "-" else name)
    return values.data(rest)


def _sync(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    since = values.since(given.get("since", "0"))
    where = values.where(given.get("where", ()))
    return Sync(given["entity"], since, bool(given.get("fields")), where)


def _validate(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    entered = values.form_values(given.get("operands", []), disk.choose)
    field = given.get("field")
    if field is not None and field not in entered:
        raise _wrong(f"--field {field}: give its value, too: {field}=…")
    return Validate(given["form"], entered, field)


def _log(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    until = values.time(given["until"]) if "until" in given else None
    count = _whole("--count", given["count"], 1) if "count" in given else None
    return Log(given["entity"], given["entity_id"], until, count)


def _blame(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    return Blame(given["entity"], given["entity_id"])


def _undo(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    version = _whole("VERSION", given["version"], 1)
    return Undo(given["entity"], given["entity_id"], version)


def _conflicts(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    where = values.where(given.get("where", ()))
    return Conflicts(given["entity"], bool(given.get("follow")), where)


def _resolve(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    number = _whole("NUMBER", given["number"], 1)
    about = given["entity"], given["entity_id"], number
    operands = given.get("operands", [])
    sides = [side for side in ("lost", "standing") if given.get(side)]
    if not operands and not sides:
        raise _wrong("what shall stand? --standing, --lost or VALUE (see rhtmx resolve --help)")
    if len(operands) + len(sides) > 1:
        raise _wrong("VALUE, --lost and --standing exclude each other: give one of them")
    if sides:
        return Resolve(*about, "lost" if sides == ["lost"] else "standing")
    return Resolve(*about, None, values.parse_json(operands[0], "VALUE (a text: '\"…\"')"))


def _check(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    return Check(given["schema"], tuple(dict.fromkeys(given.get("entity", ()))))


def _mcp(given: Mapping[str, Any], disk: Disk) -> CliRequest:
    return Mcp(tuple(dict.fromkeys(given.get("only", ()))), bool(given.get("read_only")))


_REQUESTS: Mapping[str, Callable[[Mapping[str, Any], Disk], CliRequest]] = {
    "tail": _tail,
    "push": _push,
    "sync": _sync,
    "validate": _validate,
    "log": _log,
    "blame": _blame,
    "undo": _undo,
    "conflicts": _conflicts,
    "resolve": _resolve,
    "check": _check,
    "mcp": _mcp,
}


def _whole(label: str, text: str, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < least:
        raise _wrong(f"{label}: a whole number from {least} on expected, got {text!r}")
    return int(text)


def _seconds(label: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= _LONGEST:
        raise _wrong(f"{label}: seconds from above 0 to {_LONGEST:.0f} expected, got {text!r}")
    return float(text)


def _wrong(message: str) -> CommandError:
    return CommandError(message, USAGE)
