"""Facts about `rhtmx.cli.options`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.options import Disk, read
from rhtmx.cli.requests import (
    Blame,
    Check,
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
from rhtmx.messages import Position
from rhtmx.values.form_value import File

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
A = File("a.txt", 3, "text/plain")
FILES = {"-": "1", "task.json": '{"title": "x"}', "bad.json": "{"}


def run(*argv: str, environ: Mapping[str, str] | None = None) -> Invocation:
    return read(argv, environ or {}, "", Disk(FILES.__getitem__, {"a.txt": A}.__getitem__))


def test_left_alone_it_is_the_server_on_this_machine() -> None:
    server = Server("ws://127.0.0.1:3000/api/ws", None, None, "json", 10.0)
    assert run("sync", "tasks") == Invocation(server, False, Sync("tasks", 0, False))


def test_the_environment_names_the_server_and_options_go_before_it() -> None:
    environ = {"RHTMX_URL": "wss://e/api/ws", "RHTMX_TOKEN": "t1"}
    server = run("sync", "tasks", environ=environ).server
    assert (server.url, server.token) == ("wss://e/api/ws", "t1")
    server = run("sync", "tasks", "--url", "ws://o:1", "--token", "t2", environ=environ).server
    assert (server.url, server.token) == ("ws://o:1", "t2")
    server = run("sync", "tasks", "--token-file", "f", environ=environ).server
    assert (server.token, server.token_file) == (None, Path("f"))


def test_an_assistant_is_offered_the_server_that_is_named_first() -> None:
    environ = {"RHTMX_URL": "wss://e/api/ws"}
    assert run("mcp", "ws://h/api/ws", environ=environ).server.url == "ws://h/api/ws"
    assert run("mcp", environ=environ).server.url == "wss://e/api/ws"
    with pytest.raises(CommandError, match="URL and --url exclude each other"):
        run("mcp", "ws://h", "--url", "ws://h")
    with pytest.raises(CommandError, match="URL: ws://host:port"):
        run("mcp", "h")


def test_http_and_https_are_taken_for_ws_and_wss() -> None:
    assert run("sync", "a", "--url", "http://h/api/ws").server.url == "ws://h/api/ws"
    assert run("sync", "a", environ={"RHTMX_URL": "https://h"}).server.url == "wss://h"


def files(*argv: str, **environ: str) -> tuple[str | None, ...]:
    url = ("--url", "wss://h") if "--url" not in argv else ()
    server = run("sync", "a", *url, *argv, environ=environ).server
    return tuple(None if p is None else str(p) for p in (server.ca, server.cert, server.key))


def test_the_files_for_tls_come_from_options_or_the_environment() -> None:
    environ = {"RHTMX_CA": "ca", "RHTMX_CERT": "cert", "RHTMX_KEY": "key"}
    assert files() == (None, None, None)
    assert files("--ca", "a", "--cert", "c", "--key", "k") == ("a", "c", "k")
    assert files(**environ) == ("ca", "cert", "key")
    assert files("--ca", "a", **environ) == ("a", "cert", "key")


def test_a_key_of_the_environment_is_not_taken_for_another_certificate() -> None:
    assert files("--cert", "c", RHTMX_CERT="cert", RHTMX_KEY="key") == (None, "c", None)
    with pytest.raises(CommandError, match="RHTMX_KEY needs RHTMX_CERT"):
        files(RHTMX_KEY="key")


def test_files_of_the_environment_do_not_stand_in_the_way_of_a_url_without_tls() -> None:
    assert files("--url", "ws://h", RHTMX_CA="ca", RHTMX_KEY="key") == (None, None, None)


def test_the_shared_options_are_read() -> None:
    invocation = run("sync", "tasks", "--format", "proto", "--json", "--timeout", "2.5")
    assert (invocation.server.format, invocation.server.timeout) == ("proto", 2.5)
    assert invocation.json


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("tail tasks", Tail(("tasks",), None, False, None)),
        ("tail a b a --since 0 --fields -n 3", Tail(("a", "b"), 0, True, 3)),
        ("tail a --since e:41", Tail(("a",), Position(epoch="e", version=41), False, None)),
        ("sync a --since e:41", Sync("a", Position(epoch="e", version=41), False)),
        ("push a 7 n:=1", Push("a", "7", {"n": 1})),
        ("push a 7 -", Push("a", "7", 1)),
        ("push a 7 @task.json", Push("a", "7", {"title": "x"})),
        ("push a 7 @task.json --fields", Push("a", "7", {"title": "x"}, fields=True)),
        ("push a 7 @a=b", Push("a", "7", {"@a": "b"})),
        (
            "push a 7 --fields n:=1 --remove x --remove y --base-version 0",
            Push("a", "7", {"n": 1}, True, ("x", "y"), False, 0),
        ),
        ("push a 7 --fields --remove x", Push("a", "7", {}, True, ("x",))),
        ("tail a --where c=7", Tail(("a",), None, False, None, {"c": "7"})),
        ("sync a --where c=7 --where n:=1", Sync("a", 0, False, {"c": "7", "n": 1})),
        ("push a 7 --delete", Push("a", "7", None, delete=True)),
        ("push a --from -", PushMany("a", "-", False)),
        ("push a --from x.jsonl --fields", PushMany("a", "x.jsonl", True)),
        ("validate f", Validate("f", {}, None)),
        ("validate f a=1 b=2 --field a", Validate("f", {"a": ["1"], "b": ["2"]}, "a")),
        ("validate f a=1 a=2 b=@a.txt", Validate("f", {"a": ["1", "2"], "b": [A]}, None)),
        ("log a 7", Log("a", "7")),
        ("log a 7 -n 2 --until 2026-11-29T12:00Z", Log("a", "7", NOON, 2)),
        ("blame a 7", Blame("a", "7")),
        ("undo a 7 42", Undo("a", "7", 42)),
        ("conflicts a", Conflicts("a")),
        ("conflicts a --follow --where c=7", Conflicts("a", True, {"c": "7"})),
        ("resolve a 7 12 --lost", Resolve("a", "7", 12, "lost")),
        ("resolve a --standing 7 12", Resolve("a", "7", 12, "standing")),
        ("resolve a 7 12 [1]", Resolve("a", "7", 12, None, [1])),
        ("resolve a 7 12 --json null", Resolve("a", "7", 12, None, None)),
        ("check app_schema", Check("app_schema")),
        ("check shop.schema --entity a --entity b --entity a", Check("shop.schema", ("a", "b"))),
        ("mcp", Mcp()),
        ("mcp --only a --only b --only a --read-only", Mcp(("a", "b"), read_only=True)),
    ],
)
def test_a_command_is_read(line: str, request_: object) -> None:
    assert run(*line.split()).request == request_


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tail", "which ENTITY?"),
        ("tail a b --since e:1", "--since e:1: a position is a place in the log of one entity"),
        ("tail a b --where c=7", "--where c=7: a part of one entity, got 2"),
        ("tail a --where c", "'c': field=value"),
        ("tail a -n 0", "--count: a whole number from 1 on expected, got '0'"),
        ("tail a -n x", "--count: a whole number from 1 on expected, got 'x'"),
        ("push a", "which ID?"),
        ("push a 7", "which DATA?"),
        ("push a 7 - x", "- is all of DATA: remove 'x'"),
        ("push a 7 @task.json x", "@task.json is all of DATA: remove 'x'"),
        ("push a 7 @bad.json", "bad.json: not JSON at line 1, column 2"),
        ("push a 7 1 --delete", "--delete takes the whole record"),
        ("push a 7 --delete --fields", "--delete takes the whole record"),
        ("push a 7 n=1 --remove x", "--remove needs --fields"),
        ("push a 7 1 --fields", "--fields: DATA has to be fields"),
        ("push a 7 1 --base-version -1", "--base-version: a whole number from 0 on expected"),
        ("push a 7 --from -", "--from: ids and data come from the lines, not from '7'"),
        ("push a --from - --delete", "--from and --delete exclude each other"),
        ("push a --from - --base-version 1", "--from and --base-version exclude each other"),
        ("validate f --field a", "--field a: give its value, too: a=…"),
        ("log a 7 --until noon", "--until noon: a time expected, such as 2026-11-29T12:00"),
        ("undo a 7 x", "VERSION: a whole number from 1 on expected, got 'x'"),
        ("resolve a 7 x --lost", "NUMBER: a whole number from 1 on expected, got 'x'"),
        ("resolve a 7", "the following arguments are required: NUMBER (see"),
        ("resolve a 7 12", "what shall stand? --standing, --lost or VALUE"),
        ("resolve a 7 12 --lost --standing", "VALUE, --lost and --standing exclude each other"),
        ("resolve a 7 12 1 --lost", "VALUE, --lost and --standing exclude each other"),
        ("resolve a 7 12 1 2", "VALUE, --lost and --standing exclude each other"),
        ("resolve a 7 12 Both", "VALUE (a text: '\"…\"'): not JSON at line 1, column 1"),
        ("sync a --timeout 0", "--timeout: seconds from above 0 to 86400 expected, got '0'"),
        ("sync a --timeout 1e9", "--timeout: seconds from above 0"),
        ("sync a --token t --token-file f", "--token and --token-file exclude each other"),
        ("sync a --url ftp://h/api/ws", "--url: ws://host:port/api/ws or wss://… expected"),
        ("sync a --url wss://h/#x", "--url: ws://host:port/api/ws or wss://… expected"),
        ("sync a --ca f", "--ca needs a wss:// or https:// URL"),
        ("sync a --url http://h --cert f", "--cert needs a wss:// or https:// URL"),
        ("sync a --url wss://h --key f", "--key needs --cert, the certificate of that key"),
        ("sync a --url ws://", "--url: ws://host:port/api/ws or wss://… expected"),
        ("sync a --url ws://h:99999/", "--url: ws://host:port/api/ws or wss://… expected"),
        ("sync a --url ws://[h/", "--url: ws://host:port/api/ws or wss://… expected"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, words: str) -> None:
    with pytest.raises(CommandError) as raised:
        run(*line.split())
    assert raised.value.message.startswith(words)
    assert raised.value.status == USAGE


@pytest.mark.parametrize("where", ["argument", "environment"])
def test_a_token_that_no_server_takes_is_refused_and_not_repeated(where: str) -> None:
    for size, fits in ((4096, True), (4097, False)):
        token = "s3cr3t" + "t" * (size - 6)
        words = ("--token", token) if where == "argument" else ()
        environ = {} if where == "argument" else {"RHTMX_TOKEN": token}
        if fits:
            assert run("sync", "a", *words, environ=environ).server.token == token
            continue
        with pytest.raises(CommandError, match="at most 4096 bytes expected, got 4097") as refused:
            run("sync", "a", *words, environ=environ)
        assert "s3cr3t" not in refused.value.message


def test_a_wrong_url_of_the_environment_is_told_by_its_name_and_without_its_token() -> None:
    with pytest.raises(CommandError) as raised:
        run("sync", "a", environ={"RHTMX_URL": "ftp://h/?token=s3cr3t"})
    assert raised.value.message.startswith("RHTMX_URL: ws://")
    assert "s3cr3t" not in raised.value.message


def test_an_argument_that_is_not_utf_8_is_told_by_its_place() -> None:
    with pytest.raises(CommandError, match="argument 3 is not UTF-8"):
        run("push", "a", "\udcff", "1")
