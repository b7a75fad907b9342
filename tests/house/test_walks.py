"""How long the walks of a message are: counted as is said, recorded as it was, and not longer."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import page, rows
from tests.docs.node import require_node
from tests.house.source import ROOT
from tests.house.walks import typescript
from tests.house.walks.__main__ import elsewhere, main
from tests.house.walks.recorder import Recorder
from tests.house.walks.walk import Call, House, Place, Walk, heights
from tests.house.walks.walks import WALKS, walk

HOUSE = House(
    lambda module: None if module == "demo" else module.partition(".")[0],
    rooms={"core": 1, "stores": 2, "runtime": 2, "api": 3},
    modules={"core.queue": 1, "core.session": 2, "runtime.loop": 3, "stores.file": 9, "api.one": 4},
)


def place(name: str) -> Place:
    module, _, function = name.partition(":")
    return Place(module, function)


def calls(*names: str) -> list[Call]:
    """`api.one:a core.session:b`: one calls the other; `core.queue:c`: is called from outside."""
    found = []
    for name in names:
        *caller, callee = (place(each) for each in name.split())
        found.append(Call(caller[0] if caller else None, callee))
    return found


def said(found: list[Call]) -> list[str]:
    return [
        f"{each.caller.function if each.caller else ''}>{each.callee.function}" for each in found
    ]


# How it is counted.


def test_a_room_is_entered_by_a_call_from_another_and_not_by_coming_back() -> None:
    gone = Walk(
        calls(
            "api.one:set",
            "api.one:set core.session:push",
            "core.session:push core.queue:add",
            "api.one:set core.session:events",
            "api.one:set stores.file:add",
        ),
        HOUSE,
    )
    assert gone.path == ["api", "core", "core", "stores"]
    assert gone.modules == ["api.one", "core.session", "core.queue", "stores.file"]


def test_the_same_call_counts_once() -> None:
    again = calls("api.one:set core.session:push", "core.queue:add core.session:told") * 3
    gone = Walk(again, HOUSE)
    assert (said(gone.entries), said(gone.turns_back)) == (["set>push"], ["add>told"])


def test_from_outside_a_room_is_entered_once() -> None:
    gone = Walk(calls("api.one:set", "api.one:wait", "runtime.loop:received"), HOUSE)
    assert said(gone.entries) == [">set", ">received"]
    assert gone.turns_back == []


@pytest.mark.parametrize(
    ("call", "up"),
    [
        ("core.session:a api.one:b", True),
        ("core.queue:a core.session:b", True),
        ("core.session:a core.queue:b", False),
        ("api.one:a core.queue:b", False),
        ("runtime.loop:a stores.file:b", False),
        ("core.session:a demo:b", False),
        ("demo:a core.session:b", False),
    ],
)
def test_a_turn_back_goes_to_a_higher_room_or_higher_up_in_the_same(call: str, up: bool) -> None:
    """Between rooms of one floor nothing goes up, whatever the floors of the modules are."""
    assert bool(Walk(calls(call), HOUSE).turns_back) is up


def test_what_is_in_no_room_is_no_part_of_a_walk() -> None:
    assert Walk(calls("demo:a", "core.session:a demo:b"), HOUSE).calls == []


def test_a_floor_is_above_all_that_is_imported_and_a_circle_ends() -> None:
    assert heights({"a": {"b"}, "b": (), "c": {"a", "b"}}) == {"a": 2, "b": 1, "c": 3}
    assert heights({"a": {"b"}, "b": {"a"}}) == {"a": 2, "b": 1}


# What is recorded of a program in Python.

PROGRAM = """
import asyncio

def call(act): act()
def act(): pass

async def pause():
    act()
    await asyncio.sleep(0)
    act()

async def await_it():
    await pause()

async def numbers():
    yield 1
    await asyncio.sleep(0)
    yield 2

async def read():
    async for _ in numbers(): pass

def all_of():
    return [each for each in map(lambda number: number + 1, (each for each in [1, 2]))]

async def hand_to_the_loop():
    asyncio.get_running_loop().call_soon(act)

async def begin_a_task():
    asyncio.get_running_loop().create_task(pause())

async def wake_up():
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda _: act())
    future.set_result(None)

async def wait_for_it():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(finish, future)
    await future

def finish(future): future.set_result(None)

async def hand_to_a_thread():
    asyncio.get_running_loop().run_in_executor(None, thread)

def thread():
    act()

async def set_a_timer():
    asyncio.get_running_loop().call_later(0, act)
"""


async def recorded(name: str, program: str = PROGRAM, elsewhere: str = "") -> list[str]:
    """What is recorded while a function of a program runs, the second time."""
    names: dict[str, Any] = {}
    exec(compile(elsewhere, "elsewhere.py", "exec"), names)
    exec(compile(program, "program.py", "exec"), names)
    recorder = Recorder({"program.py": "program"}, without=frozenset({"elsewhere.py"}))

    async def go(_: int) -> None:
        done = names[name]()
        if asyncio.iscoroutine(done):
            await done

    with recorder.attached():
        await recorder.second(go)
    return said(recorder.calls)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("await_it", [">await_it", "await_it>pause", "pause>act", "pause>act"]),
        ("read", [">read", "read>numbers"]),
        ("all_of", [">all_of", "all_of>all_of", "all_of>all_of", *2 * ["all_of>all_of.<lambda>"]]),
        ("hand_to_the_loop", [">hand_to_the_loop", "hand_to_the_loop>act"]),
        ("begin_a_task", [">begin_a_task", "begin_a_task>pause", "pause>act", "pause>act"]),
        ("wake_up", [">wake_up", "wake_up>wake_up.<lambda>", "wake_up.<lambda>>act"]),
        ("wait_for_it", [">wait_for_it", "wait_for_it>finish"]),
        ("hand_to_a_thread", [">hand_to_a_thread", "hand_to_a_thread>thread", "thread>act"]),
        ("set_a_timer", [">set_a_timer"]),
    ],
)
async def test_a_call_is_recorded_once_with_who_wanted_it(name: str, found: list[str]) -> None:
    assert await recorded(name) == found


async def test_what_others_call_is_left_out() -> None:
    elsewhere = "def other(act): act()"
    program = "def here(): other(there)\ndef there(): pass"
    assert await recorded("here", program, elsewhere) == [">here"]
    assert await recorded("here", program.replace("other(there)", "there()"), elsewhere) == [
        ">here",
        "here>there",
    ]


async def test_the_profiler_and_the_loop_are_left_as_they_were() -> None:
    loop = type(asyncio.get_running_loop())
    before = (sys.getprofile(), threading.getprofile(), loop.call_soon, ThreadPoolExecutor.submit)
    with Recorder({}).attached():
        assert loop.call_soon is not before[2]
    now = (sys.getprofile(), threading.getprofile(), loop.call_soon, ThreadPoolExecutor.submit)
    assert now == before


# What is recorded of a program in TypeScript.

MODULES = {
    "index.ts": """
        import { File } from "./file.ts";
        import { call } from "./call.ts";
        export const connect = () => ({ onError() {}, collection: () => new Collection() });
        class Collection {
          readonly #file = new File();
          async set(): Promise<void> {
            await this.#file.save();
            call(() => this.done);
            try {
              await this.#file.fail();
            } catch {
              call(this.failed);
            }
            call(() => ({ a: 1 }));
            queueMicrotask(this.soon);
            setTimeout(this.atOnce, 0);
            setTimeout(this.later, 1);
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
          failed = () => {};
          soon(): void {}
          atOnce(): void {}
          later(): void {}
          get done(): boolean {
            return true;
          }
        }
    """,
    "file.ts": """
        import { call } from "./call.ts";
        export class File {
          async save(): Promise<void> {
            await undefined;
            call(() => {});
          }
          async fail(): Promise<void> {
            throw new Error("no");
          }
        }
    """,
    "call.ts": "export function call<T>(act: () => T): T { return act(); }",
}


def test_a_call_in_typescript_is_recorded_with_who_wanted_it(tmp_path: Path) -> None:
    require_node()
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    assert said(typescript.record(tmp_path)) == [
        ">Collection.set",
        "Collection.set>File.save",
        "File.save>call",
        "call>File.save.<function>",
        "Collection.set>call",
        "call>Collection.set.<function>",
        "Collection.set.<function>>Collection.done",
        "Collection.set>File.fail",
        "Collection.set>call",
        "call>Collection.failed",
        "Collection.set>call",
        "call>Collection.set.<function>",
        "Collection.set>Collection.set.<function>",
        "Collection.set>Collection.soon",
        "Collection.set>Collection.atOnce",
    ]


def test_an_import_of_types_makes_no_floor() -> None:
    graph = typescript.imports()
    assert "core/session.ts" in graph["runtime/leader.ts"]
    assert "api/client.ts" in graph["index.ts"]
    assert graph["core/options.ts"] == set()


# The walks.


def test_the_command_prints_the_table_and_what_it_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["push", "--flat", "--calls"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^\| push \| \d+ \| \d+ \| \d+ \|$", said, re.MULTILINE)
    assert "\n  enters a room: outside -> rhtmx_server.transports.socket:" in said
    assert "\n  turns back: rhtmx_server.writing.committer:_answer -> rhtmx_server." in said
    assert "\n  rhtmx_server.writing.batch:Batch.decide -> rhtmx_server.writing.batch:" in said


def test_another_checkout_is_imported_before_this_one(tmp_path: Path) -> None:
    command, environ = elsewhere(tmp_path, ["push", "--tree", str(tmp_path), "--flat"])
    assert command[1:] == ["-P", "-m", "tests.house.walks", "push", "--flat"]
    path = environ["PYTHONPATH"].split(os.pathsep)
    assert path == [str(tmp_path), str(tmp_path / "clients" / "python"), str(ROOT)]


def test_a_walk_that_there_is_not_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["pull"])
    assert "no walk pull: there are push, validate_field" in capsys.readouterr().err


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_is_no_longer_than_the_documentation_says(name: str) -> None:
    """`python -m tests.house.walks` prints the table."""
    if name == "a write in TypeScript":
        require_node()
    (most,) = (
        row
        for row in rows(page("docs/architecture.md"), "walk", "rooms", "turns back")
        if row["walk"] == name
    )
    gone = walk(name)
    assert len(gone.modules) > 10
    assert len(gone.modules) <= int(most["modules"]), gone.modules
    assert len(gone.path) <= int(most["rooms"]), [str(each) for each in gone.entries]
    assert len(gone.turns_back) <= int(most["turns back"]), [str(each) for each in gone.turns_back]
