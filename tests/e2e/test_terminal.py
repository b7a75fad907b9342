"""The terminal tool against a real server: each a process of its own.

What depends on how a process starts, ends, or is tied to its terminal runs as it does `by_hand`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import signal
import struct
import termios
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import ServerProcess, serving
from tests.support.sockets import PATIENCE
from tests.support.terminal import Ended, Running, Terminal

APP = """
from rhtmx_server import App, ErrorCode, Grant, Invalid, RhtmxError

app = App()
app.entity("tasks")
app.entity("copies")
app.entity("users", merge={"role": "server_wins"})
signup = app.form("signup")
signup.field("age", required=True, type=int, ge=18)

@signup.field("email", required=True, email=True)
async def email_is_free(value: str) -> None:
    if value == "ada@example.com":
        raise Invalid("is already registered", metadata={"hint": "sign in instead?"})

article = app.form("article")
article.field("tags", required=True, one_of=["red", "blue"])
article.field("document", required=True, file=True, max_size=10, accept=".pdf")

async def authenticate(request):
    if request.token != "s3cr3t":
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "this token is not known")
    return Grant("ada")

guarded = App(undeclared=True, authenticate=authenticate)
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server with a few entities and a form."""
    (tmp_path / "shop.py").write_text(APP)
    async with serving("--app", "shop:app", folder=tmp_path) as server:
        yield server


@pytest.fixture
def terminal(server: ServerProcess) -> Terminal:
    """The tool, told of that server."""
    return Terminal(server.url)


@pytest.fixture
def by_hand(server: ServerProcess) -> Terminal:
    """The same, started as a person starts it."""
    return Terminal(server.url, by_hand=True)


def objects(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.lines]


async def following(running: Running) -> None:
    """Wait until the server has taken the subscriptions."""
    assert (await running.news()).startswith("following ")


# Reading.


async def test_tail_prints_what_others_write_as_it_happens(
    terminal: Terminal, by_hand: Terminal
) -> None:
    async with by_hand.running("tail", "tasks", "users") as tail:
        await following(tail)
        await terminal.run("push", "tasks", "7", "title=Write it down")
        line = await tail.line()
        assert re.fullmatch(
            r' {3}1  create  tasks/7  \{"title": "Write it down"\}'
            r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  [0-9a-f]{4}…",
            line,
        )
        await terminal.run("push", "users", "ada", "name=Ada")
        assert "create  users/ada  " in await tail.line()


async def test_tail_ends_after_so_many(terminal: Terminal) -> None:
    for n in range(3):
        await terminal.run("push", "tasks", str(n), f"n:={n}")
    ended = await terminal.run("tail", "tasks", "--since", "0", "-n", "2")
    assert (ended.status, len(ended.lines)) == (0, 2)


async def test_a_json_line_is_the_whole_change(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "7", "title=Wörk", "done:=false")
    (change,) = objects(await terminal.run("tail", "tasks", "--since=0", "-n1", "--json"))
    epoch, client, at = change.pop("epoch"), change.pop("client_id"), change.pop("created_at")
    assert change == {
        "type": "change",
        "entity": "tasks",
        "entity_id": "7",
        "action": "create",
        "data": {"title": "Wörk", "done": False},
        "version": 1,
    }
    assert epoch
    assert len(client) == 32
    assert at.endswith("Z")


async def test_tail_can_tell_fields_apart(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "7", "title=a", "done:=false")
    await terminal.run("push", "tasks", "7", "--fields", "done:=true")
    changes = objects(
        await terminal.run("tail", "tasks", "--fields", "--since", "0", "-n", "2", "--json")
    )
    assert {c["type"] for c in changes} == {"field_change"}
    assert {c["field"]: c["value"] for c in changes} == {"title": "a", "done": True}


async def test_tail_goes_on_when_the_server_comes_back(tmp_path: Path) -> None:
    async with serving(folder=tmp_path) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        terminal = Terminal(first.url)
        async with terminal.running("tail", "tasks") as tail:
            await following(tail)
            await terminal.run("push", "tasks", "1", "1")
            assert "tasks/1" in await tail.line()
            await first.kill()
            assert await tail.news() == f"lost the connection to '{first.url}': connecting again"
            async with serving(folder=tmp_path, port=port):
                await terminal.run("push", "tasks", "2", "2")
                assert "tasks/2" in await tail.line()
                assert await tail.news() == "connected again"


async def test_tail_tells_of_a_reset(tmp_path: Path) -> None:
    memory = ("--store", "memory://")
    async with serving(*memory, folder=tmp_path) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        terminal = Terminal(first.url)
        async with terminal.running("tail", "tasks", "--json") as tail:
            await following(tail)
            await terminal.run("push", "tasks", "1", "1")
            before = json.loads(await tail.line())
            await first.kill()
            await tail.news()
            async with serving(*memory, folder=tmp_path, port=port):
                await terminal.run("push", "tasks", "2", "2")
                reset = json.loads(await tail.line())
                assert reset == {
                    "type": "reset",
                    "entity": "tasks",
                    "position": {"epoch": before["epoch"], "version": 1},
                }
                after = json.loads(await tail.line())
                assert (after["entity_id"], after["version"]) == ("2", 1)
                assert after["epoch"] != before["epoch"]
                told = {await tail.news(), await tail.news()}
                assert any(
                    line.startswith("reset: tasks could not resume from version 1") for line in told
                )


async def test_ctrl_c_ends_tail_without_a_word(by_hand: Terminal) -> None:
    async with by_hand.running("tail", "tasks") as tail:
        await following(tail)
        tail.process.send_signal(signal.SIGINT)
        assert await tail.end() == Ended(130, "", "")


async def test_tail_ends_quietly_when_its_reader_goes_even_if_nothing_happens(
    by_hand: Terminal,
) -> None:
    ours, its = os.pipe()
    async with by_hand.running("tail", "tasks", stdout=its) as tail:
        os.close(its)
        await following(tail)
        os.close(ours)
        async with asyncio.timeout(PATIENCE):
            assert await tail.process.wait() == 0
        assert await tail.news() == ""


async def test_output_that_nobody_reads_ends_the_tool_quietly(by_hand: Terminal) -> None:
    await by_hand.run("push", "tasks", "7", json.dumps("x" * 1000))
    ours, its = os.pipe()
    os.close(ours)
    async with by_hand.running("sync", "tasks", stdout=its) as sync:
        os.close(its)
        async with asyncio.timeout(PATIENCE):
            assert await sync.process.wait() == 0
        assert await sync.news() == ""


async def test_sync_says_where_to_go_on_and_goes_on_there(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "1", "n:=1")
    first = await terminal.run("sync", "tasks")
    assert len(first.lines) == 1
    since = first.err.removeprefix("continue with: --since ").strip()
    await terminal.run("push", "tasks", "2", "n:=2")
    (change, position) = objects(await terminal.run("sync", "tasks", "--since", since, "--json"))
    assert (change["entity_id"], change["data"]) == ("2", {"n": 2})
    assert position == {
        "type": "position",
        "entity": "tasks",
        "epoch": change["epoch"],
        "version": 2,
    }


async def test_sync_from_a_place_of_another_log_is_a_reset(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "1", "n:=1")
    ended = await terminal.run("sync", "tasks", "--since", "elsewhere:1", "--json")
    assert [line["type"] for line in objects(ended)] == ["reset", "change", "position"]
    assert ended.err.startswith("reset: tasks could not resume from version 1")


# Writing.


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_what_is_pushed_is_there(terminal: Terminal, tmp_path: Path, form: str) -> None:
    (tmp_path / "task.json").write_text('{"title": "from a file"}')
    push = ("push", "--format", form, "tasks")
    assert (await terminal.run(*push, "1", "n:=1")).out == "✓ tasks/1  version 1\n"
    await terminal.run(*push, "2", '["any", "JSON"]')
    await terminal.run(*push, "3", f"@{tmp_path / 'task.json'}")
    await terminal.run(*push, "4", "-", given=b'{"title": "from stdin"}')
    await terminal.run(*push, "1", "--delete")
    ended = await terminal.run("--format", form, "sync", "tasks", "--json")
    assert {line["entity_id"]: line["data"] for line in objects(ended)[:-1]} == {
        "1": None,
        "2": ["any", "JSON"],
        "3": {"title": "from a file"},
        "4": {"title": "from stdin"},
    }


async def test_fields_are_merged(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "7", "title=a", "note=x", "done:=false")
    merged = await terminal.run("push", "tasks", "7", "--fields", "done:=true", "--remove", "note")
    assert merged == Ended(0, "✓ tasks/7  version 2\n", "")
    (change, _) = objects(await terminal.run("sync", "tasks", "--json"))
    assert change["data"] == {"title": "a", "done": True}


async def test_a_field_that_loses_is_told(terminal: Terminal) -> None:
    for role in ("reader", "editor"):
        await terminal.run("push", "users", "ada", f"role={role}")
    late = ("push", "users", "ada", "--fields", "role=owner", "name=Ada", "--base-version", "1")
    ended = await terminal.run(*late)
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[0] == "✓ users/ada  version 3"
    assert re.fullmatch(
        r'✗ role  "owner" lost against "editor" of [-\d]{10} [:\d]{8} \(server_wins\)',
        ended.lines[1],
    )
    (ack,) = objects(await terminal.run(*late, "--json"))
    assert (ack["type"], ack["applied"]) == ("field_push_ack", 1)
    (conflict,) = ack["conflicts"]
    assert (conflict["field"], conflict["server_value"]) == ("role", "editor")


async def test_a_stale_base_version_is_refused(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "7", "title=a")
    ended = await terminal.run("push", "tasks", "7", "title=b", "--base-version", "0")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("error: tasks/7: ")
    assert ended.err.count("\n") == 1


async def test_many_are_pushed_in_order_and_a_refused_one_stops_no_other(
    terminal: Terminal,
) -> None:
    lines = [json.dumps({"entity_id": str(n), "data": {"n": n}}) for n in range(600)]
    lines[300] = '{"entity_id": "300", "data": 1, "base_version": 5}'
    ended = await terminal.run("push", "tasks", "--from", "-", given="\n".join(lines).encode())
    assert ended.status == 1
    assert ended.lines == [
        f"✓ tasks/{n}  version {version}"
        for version, n in enumerate([n for n in range(600) if n != 300], 1)
    ]
    refusal, told = ended.err.splitlines()
    assert refusal.startswith("error: standard input, line 301: tasks/300: ")
    assert told == "599 written, 1 rejected"


async def test_a_line_is_pushed_before_the_next_one_is_there(by_hand: Terminal) -> None:
    async with by_hand.running("push", "tasks", "--from", "-") as push:
        assert push.process.stdin is not None
        for n in (1, 2):
            push.process.stdin.write(b'{"entity_id": "7", "data": 1}\n')
            assert await push.line() == f"✓ tasks/7  version {n}"
        push.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            assert await push.process.wait() == 130


async def test_a_line_that_is_no_json_ends_it_after_those_before_it(terminal: Terminal) -> None:
    lines = b'{"entity_id": "1", "data": 1}\n{"entity_id"\n{"entity_id": "3", "data": 3}\n'
    ended = await terminal.run("push", "tasks", "--from", "-", given=lines)
    assert (ended.status, ended.lines) == (2, ["✓ tasks/1  version 1"])
    told, error = ended.err.splitlines()
    assert told == "1 written"
    assert error.startswith("error: standard input, line 2: not JSON at line 1, column 13")


async def test_what_sync_prints_can_be_pushed(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "1", "n:=1")
    await terminal.run("push", "tasks", "2", "n:=2")
    await terminal.run("push", "tasks", "1", "--delete")
    read = await terminal.run("sync", "tasks", "--json")
    written = await terminal.run("push", "copies", "--from", "-", given=read.out.encode())
    assert written.status == 0
    copies = objects(await terminal.run("sync", "copies", "--json"))[:-1]
    assert {c["entity_id"]: c["data"] for c in copies if c["data"]} == {"2": {"n": 2}}


# Asking.


async def test_a_form_is_judged(terminal: Terminal) -> None:
    ended = await terminal.run("validate", "signup", "email=nope", "age=20")
    assert ended == Ended(1, "✗ email  is not an email address\n✓ age\n", "")
    assert (await terminal.run("validate", "signup", "email=eve@example.com", "age=20")).status == 0
    (verdict,) = objects(await terminal.run("validate", "signup", "age=20", "--json"))
    assert verdict["errors"] == [{"field": "email", "error": "is required"}]


async def test_one_field_is_judged(terminal: Terminal) -> None:
    ended = await terminal.run("validate", "signup", "email=ada@example.com", "--field", "email")
    reason = '✗ email  is already registered  {"hint": "sign in instead?"}\n'
    assert ended == Ended(1, reason, "")


async def test_a_form_has_several_values_and_files(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x" * 10)
    (tmp_path / "b.pdf").write_bytes(b"x" * 11)
    good = ("tags=red", "tags=blue", f"document=@{tmp_path}/a.pdf")
    assert await terminal.run("validate", "article", *good) == Ended(0, "✓ tags\n✓ document\n", "")
    bad = ("tags=red", "tags=mauve", f"document=@{tmp_path}/b.pdf")
    tags = "“mauve” must be one of: red, blue"
    document = "is too large: 11 bytes, at most 10 bytes allowed"
    ended = await terminal.run("validate", "article", *bad)
    assert ended == Ended(1, f"✗ tags      {tags}\n✗ document  {document}\n", "")
    for field, error in (("tags", tags), ("document", document)):
        ended = await terminal.run("validate", "article", *bad, "--field", field)
        assert ended == Ended(1, f"✗ {field}  {error}\n", "")
        assert (await terminal.run("validate", "article", *good, "--field", field)).status == 0


# What goes wrong.


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["validate", "sign-up", "a=b"], 1, "sign-up: no form 'sign-up' is registered here"),
        (["tail", "nothing"], 1, "nothing: no entity 'nothing' on this server"),
        (["sync", "nothing"], 1, "nothing: no entity 'nothing' on this server"),
        (["push", "nothing", "1", "1"], 1, "nothing/1: no entity 'nothing' on this server"),
        (["push", "tasks", "1", "{'a': 1}"], 2, "DATA: not JSON at line 1, column 2: "),
        (["push", "tasks", "--from", "/nowhere"], 2, "/nowhere cannot be read: No such file"),
        (["tail", "tasks", "--token-file", "/nowhere"], 2, "/nowhere cannot be read: No such"),
        (["tail", "tasks", "--url", "ws://127.0.0.1:1/api/ws"], 3, "cannot connect to 'ws://127"),
        (["tail"], 2, "which ENTITY?"),
        (["validate", "article", "document=@/nowhere"], 2, "'document=@/nowhere': /nowhere cannot"),
    ],
)
async def test_a_failure_is_one_line(
    terminal: Terminal, arguments: list[str], status: int, words: str
) -> None:
    ended = await terminal.run(*arguments)
    assert (ended.status, ended.out) == (status, "")
    assert ended.err.startswith(f"error: {words}")
    assert ended.err.count("\n") == 1


async def test_a_wrong_address_is_told_without_what_is_secret_in_it(server: ServerProcess) -> None:
    url = server.url.replace("/api/ws", "/nope?token=s3cr3t")
    ended = await Terminal(url).run("sync", "tasks")
    assert ended.status == 3
    assert "HTTP 404" in ended.err
    assert "s3cr3t" not in ended.err


async def test_a_token_opens_the_door_and_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "token").write_text("s3cr3t\n")
    async with serving("--app", "shop:guarded", folder=tmp_path) as server:
        terminal = Terminal(server.url)
        for without in ([], ["--token", "wr0ng"]):
            ended = await terminal.run("sync", "tasks", *without)
            assert ended.status == 1
            assert "give a token with --token-file, --token or RHTMX_TOKEN" in ended.err
            assert ended.err.count("\n") == 1
            assert "wr0ng" not in ended.err
        assert (await terminal.run("sync", "tasks", "--token", "s3cr3t")).status == 0
        assert (
            await terminal.run("sync", "tasks", "--token-file", f"{tmp_path}/token")
        ).status == 0
        named = Terminal(server.url, RHTMX_TOKEN="s3cr3t")
        assert (await named.run("sync", "tasks")).status == 0


async def test_a_server_that_stays_away_ends_a_push_in_time(tmp_path: Path) -> None:
    async with serving(folder=tmp_path) as server:
        terminal = Terminal(server.url)
        async with terminal.running("push", "tasks", "--from", "-", "--timeout", "0.5") as push:
            assert push.process.stdin is not None
            push.process.stdin.write(b'{"entity_id": "1", "data": 1}\n')
            assert await push.line() == "✓ tasks/1  version 1"
            await server.kill()
            assert "lost the connection" in await push.news()
            push.process.stdin.write(b'{"entity_id": "2", "data": 2}\n')
            assert await push.news() == "1 written"
            assert "no answer" in await push.news()
            assert (await push.end()).status == 3


# On a terminal.


async def on_a_terminal(terminal: Terminal, *arguments: str, columns: int) -> str:
    """Run the tool with a terminal as its standard output; what it shows there."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    async with terminal.running(*arguments, stdout=its) as running:
        os.close(its)
        ended = await running.end()
        assert ended.status == 0
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    return shown


async def test_on_a_terminal_lines_are_cut_and_coloured(by_hand: Terminal) -> None:
    by_hand.environ["TERM"] = "xterm"
    for name in ("COLUMNS", "NO_COLOR"):
        by_hand.environ[name] = None
    await by_hand.run("push", "tasks", "7", f"text={'x' * 200}")
    shown = await on_a_terminal(by_hand, "sync", "tasks", columns=90)
    assert "\x1b[32mcreate\x1b[0m" in shown
    plain = re.sub(r"\x1b\[\d+m", "", shown).removesuffix("\r\n")
    assert len(plain) == 90
    assert "xxx…  " in plain
    by_hand.environ["NO_COLOR"] = "1"
    assert (await on_a_terminal(by_hand, "sync", "tasks", columns=90)) == f"{plain}\r\n"


async def test_in_a_pipe_nothing_is_cut_or_coloured(terminal: Terminal) -> None:
    await terminal.run("push", "tasks", "7", f"text={'x' * 200}")
    ended = await terminal.run("sync", "tasks")
    assert "x" * 200 in ended.out
    assert "\x1b" not in ended.out
