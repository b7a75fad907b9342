"""A new message is the schema, one handler, and one method in each client; the rest is generated.

Two that the product does not have are added to a copy of the tree, and used there: `whisper`, which
is told and never stored, and `echo`, which is answered.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from codegen.__main__ import generate
from codegen.__main__ import main as codegen
from tests.house.source import ROOT
from tests.house.test_form import MOST_LINES
from tests.support.process import run
from tests.support.programs import node

COPIED = ("buf.gen.yaml", "buf.yaml", "clients", "codegen", "docs", "proto", "pyproject.toml")
COPIED_TOO = ("rhtmx_server", "tests/house", "tests/support", "tests/vectors")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "dist", ".*_cache")


def before(anchor: str, text: str) -> Callable[[str], str]:
    """An edit: `text` goes in before the one place that `anchor` matches."""

    def edit(content: str) -> str:
        edited, count = re.subn(anchor, lambda found: text + found.group(), content, flags=re.M)
        assert count == 1, f"{anchor!r} is there {count} times"
        return edited

    return edit


def at_the_end(text: str) -> Callable[[str], str]:
    """An edit: `text` goes in behind everything."""
    return lambda content: content + text


def both(*edits: Callable[[str], str]) -> Callable[[str], str]:
    """Several edits of one file."""

    def edit(content: str) -> str:
        for each in edits:
            content = each(content)
        return content

    return edit


CASES = """
    // Says something that is not kept.
    Whisper whisper = 90 [
      (direction) = DIRECTION_BOTH,
      (ephemeral) = true
    ];
    // Asks for the same again.
    Echo echo = 91 [
      (direction) = DIRECTION_CLIENT,
      (answer) = "echoed"
    ];
    // Says the same again.
    Echoed echoed = 92 [(direction) = DIRECTION_SERVER];
"""
MESSAGES = """
// Says something to everyone who reads a collection now.
message Whisper {
  // The collection.
  string entity = 1;
  // What is said.
  string text = 2;
}

// Asks for the same again.
message Echo {
  // What is said.
  string text = 1;
  // Comes back in the answer.
  optional string request_id = 2;
}

// The same again.
message Echoed {
  // What was said.
  string text = 1;
  // The request that this answers.
  optional string request_id = 2;
}
"""
IMPORT = before(r"(?<=^from rhtmx\.messages import \(\n)", "    Echo, Echoed, Whisper,\n")
HANDLERS = """

@handler
def _whisper(caller: Sender, message: Whisper) -> None:
    caller.services.known(message.entity)
    caller.services.hub.tell(message.entity, message)


@handler
def _echo(caller: Sender, message: Echo) -> Echoed:
    return Echoed(text=message.text, request_id=message.request_id)
"""
PYTHON = """\
    def whisper(self, entity: str, text: str) -> bool:
        \"""Say something to everyone who reads an entity now; returns whether it was sent.\"""
        return self._runtime.tell(Whisper(entity=entity, text=text))

    async def echo(self, text: str) -> str:
        \"""Ask for the same again.\"""
        answer = await self._runtime.ask(Echo(text=text))
        assert isinstance(answer.message, Echoed)
        return answer.message.text

"""
TYPESCRIPT = """\
  /** Says something to everyone who reads an entity now; returns whether it was sent. */
  whisper(entity: string, text: string): boolean {
    return tell(this.#tab, { type: "whisper", entity, text });
  }

  /** Asks for the same again. */
  async echo(text: string): Promise<string> {
    const answer = await this.#tab.ask<m.Echoed>({ type: "echo", text });
    return answer.text;
  }

"""
BY_HAND: Mapping[str, Callable[[str], str]] = {
    "proto/rhtmx/v1/envelope.proto": both(before(r"^  }\n}\n\Z", CASES), at_the_end(MESSAGES)),
    "rhtmx_server/connections/dispatch.py": both(IMPORT, at_the_end(HANDLERS)),
    "clients/python/rhtmx/api/client.py": both(IMPORT, before(r"^    # Writing\.$", PYTHON)),
    "clients/typescript/src/api/client.ts": before(r"^  #onList<", TYPESCRIPT),
}
"""All that somebody writes who adds the messages."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with two messages more, and what codegen makes of it."""
    root = tmp_path_factory.mktemp("tree")
    for name in (*COPIED, *COPIED_TOO):
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT)
        else:
            shutil.copy(source, target)
    for path, edit in BY_HAND.items():
        (root / path).write_text(edit((root / path).read_text(encoding="utf-8")), encoding="utf-8")
    assert codegen(["--root", str(root)]) == 0
    modules = ROOT / "clients/typescript/node_modules"
    if modules.is_dir():
        (root / "clients/typescript/node_modules").symlink_to(modules)
    return root


def files(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file() and "node_modules" not in path.parts:
            yield path.relative_to(root).as_posix()


def test_one_file_of_the_schema_one_of_the_server_and_one_of_each_client_are_written_by_hand(
    tree: Path,
) -> None:
    changed = {
        name
        for name in files(tree)
        if not (ROOT / name).is_file() or not filecmp.cmp(tree / name, ROOT / name, shallow=False)
    }
    assert changed - set(generate(tree)) == set(BY_HAND)


def test_there_is_room_for_it_in_each_of_these_files(tree: Path) -> None:
    """Where there is none, somebody has to move code before a message can be added."""
    lines = {name: len((tree / name).read_text(encoding="utf-8").splitlines()) for name in BY_HAND}
    assert {name for name, count in lines.items() if count > MOST_LINES} == set()


def test_the_typescript_client_is_right_with_it(tree: Path) -> None:
    run(
        *(node("typescript"), "node_modules/typescript/bin/tsc"),
        *("-p", "tsconfig.build.json", "--noEmit"),
        *("--emitDeclarationOnly", "false", "--declaration", "false"),
        folder=tree / "clients/typescript",
    )


def test_clients_of_both_languages_tell_and_ask_in_both_formats(tree: Path) -> None:
    node("ws")
    client = tree / "clients/typescript"
    esbuild = client / "node_modules/.bin/esbuild"
    script = shutil.copy(ROOT / "tests/house/whispering.mjs", client)
    bundle = ("--bundle", "--format=esm", "--log-level=warning")
    run(esbuild, "src/index.ts", *bundle, "--outfile=client.mjs", folder=client)
    # The copy's packages come before the ones that are installed.
    path = os.pathsep.join([str(tree), str(tree / "clients/python")])
    heard = run(
        *(sys.executable, "-m", "tests.house.whispering", script),
        folder=tree,
        environ={"PYTHONPATH": path},
    )
    assert heard.output.splitlines() == [
        line.replace("FORMAT", form)
        for form in ("json", "proto")
        for line in (
            "python: tasks in FORMAT",
            "a page without our client: nothing",
            "python asked: again in FORMAT",
            "python was refused: no entity 'nowhere' on this server: is it declared?",
            "python: tasks here",
            "typescript: tasks in FORMAT, and asked: again in FORMAT",
        )
    ]
