"""What the page about the application's schema shows is what happens, and its tables are true."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from rhtmx import schema as _s
from rhtmx.cli.options import Disk, read
from rhtmx.cli.requests import Mcp
from rhtmx.mcp.arguments import NEEDS, TAKES
from rhtmx.mcp.tools import ACTIONS
from rhtmx.schema.entered import entered
from rhtmx.schema.text import TextError
from rhtmx.values.form_value import File
from rhtmx_codegen.cel.functions import FUNCTIONS, METHODS
from rhtmx_codegen.cel.macros import MACROS
from rhtmx_codegen.cel.times import ACCESSORS
from rhtmx_codegen.emit import emit_python
from rhtmx_codegen.problems import SchemaError
from rhtmx_server import App, Invalid, access
from rhtmx_server.schema.rights import rules_of
from tests.browser.driver import browsing
from tests.docs.board import PAGE, PROGRAMS, SHOWN, generate
from tests.docs.markdown import ROOT, blocks, page, rows
from tests.docs.node import RUN, require_node
from tests.docs.shown import printed
from tests.support.generated import schema_package
from tests.support.process import ServerProcess, serving
from tests.support.programs import chromium, node
from tests.support.schemas import HEAD, descriptors, schema_of

DRIVER = ROOT / "benchmarks" / "first_schema.mjs"
COMMAND = page("rhtmx_codegen/command.py")
TEXTS = list(rows(PAGE, "type", "text", "value"))
MISTAKES = list(rows(PAGE, "written", "said"))
TEXT_KINDS = {
    "int32": _s.INT32,
    "double": _s.DOUBLE,
    "bool": _s.BOOL,
    "string": _s.STRING,
    "google.protobuf.Timestamp": _s.TIMESTAMP,
    "google.protobuf.Duration": _s.DURATION,
}


def names(cell: str) -> list[str]:
    """What is set in code in a cell."""
    return re.findall(r"`(\w+)`", cell)


def listed(*columns: str) -> set[str]:
    """What is set in code in the last of the columns of a table."""
    return {name for row in rows(PAGE, *columns) for name in names(row[columns[-1]])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's command has been run, and the page's server lies."""
    made = tmp_path_factory.mktemp("board")
    assert generate(made).output == SHOWN.partition("\n")[2]
    (made / "board.py").write_text(PROGRAMS["board.py"][0])
    return made


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[ServerProcess]:
    """The page's server, with an empty store."""
    async with serving("--app", "board:app", "--store", "memory://", folder=folder) as server:
        yield server


def test_the_schema_has_25_lines() -> None:
    assert PROGRAMS["app.proto"][0].count("\n") == 25


async def test_the_python_program_prints_what_is_shown(server: ServerProcess, folder: Path) -> None:
    source, shown = PROGRAMS["typed.py"]
    command = (sys.executable, "-W", "error")
    assert await printed(server, folder, "typed.py", source, *command) == shown


async def test_the_typescript_program_prints_what_is_shown(
    server: ServerProcess, folder: Path
) -> None:
    require_node()
    source, shown = PROGRAMS["typed.ts"]
    assert await printed(server, folder, "typed.ts", source, "node", str(RUN)) == shown


async def test_a_validator_is_added_to_a_form_of_the_schema(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("board_with_validator", folder / "board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        for name in [each for each in sys.modules if each.partition(".")[0] == "app_schema"]:
            del sys.modules[name]
    app: App = module.app
    added = next(b.text for b in blocks(PAGE) if b.text.startswith("@app.form("))
    exec(added, {"app": app, "Invalid": Invalid})
    assert len(app.form("task").fields["title"]) == 2


async def test_the_first_minute_in_two_browsers_is_as_the_page_says(
    server: ServerProcess,
) -> None:
    steps: list[str] = []

    async def took(_: str, name: str, seconds: float) -> None:
        steps.append(name)

    async with browsing(node("playwright-core"), chromium(), driver=DRIVER) as browser:
        await browser.run("the first minute", f"{server.http}/", took)
    assert steps[-1] == "A wrong one is refused, in the words of the rule"


def test_every_option_of_the_command_is_listed() -> None:
    shown = {
        row["option of codegen"].strip("`").split()[0] for row in rows(PAGE, "option of codegen")
    }
    assert shown == set(re.findall(r'"(--[a-z-]+)"', COMMAND))


@pytest.mark.parametrize(
    ("column", "message"), [("of an entity", "EntityOptions"), ("of a field", "FieldTraits")]
)
def test_all_that_an_entity_and_a_field_can_say_is_listed(column: str, message: str) -> None:
    fields = {each.name for each in messages("rhtmx/v1/schema.proto")[message].field}
    shown = [name for row in rows(PAGE, column) for name in names(row[column])]
    assert len(shown) == len(set(shown))
    assert set(shown) == fields


def test_who_may_do_what_is_said_as_in_python() -> None:
    fields = "string employee = 1; string team = 2; string status = 3;"
    parts = "".join(f'partition: {{fields: "{name}"}}' for name in ("employee", "team", "status"))
    for row in rows(PAGE, "an `access` has", "the rule in Python"):
        said, rule = (cell.strip("`") for cell in row.values())
        option = f"option (rhtmx.v1.entity) = {{{parts} access: {{{said}}}}};"
        made = schema_package(f"message Task {{ {option} {fields} }}").schema
        expected = eval(rule, vars(access))
        assert {each.words for each in rules_of(made.entities["task"]).values()} == {expected.words}


def test_the_schema_about_claims_says_what_is_said_of_it() -> None:
    text = next(each.text for each in blocks(PAGE) if each.text.startswith("message Claim {"))
    rules = rules_of(schema_package(text).schema.entities["claims"])
    assert {action: rule.words for action, rule in rules.items()} == {
        "read": "owner('employee') | role('manager') | backend",
        "create": "owner('employee') | backend",
        "update": "owner('employee') | role('manager') | backend",
        "delete": "owner('employee') | backend",
    }


def test_every_rule_of_the_library_is_listed() -> None:
    found = messages("buf/validate/validate.proto")
    rules = {each.name for each in found["FieldRules"].field if each.type_name.endswith("Rule")}
    own = {"cel", "cel_expression", "required", "ignore"}
    for name, message in found.items():
        if name.endswith("Rules") and name not in ("FieldRules", "PredefinedRules"):
            rules |= {each.name for each in message.field}
    assert listed("of", "rules") == (rules | own) - {"example"}


def messages(file: str) -> dict[str, Any]:
    found = descriptor_pb2.FileDescriptorSet.FromString(descriptors({"app.proto": HEAD}))
    (one,) = (each for each in found.file if each.name == file)
    return {message.name: message for message in one.message_type}


def test_every_function_of_cel_that_is_compiled_is_listed() -> None:
    others = {"matches", "join", "unique", "format", "getField"}
    compiled = set(FUNCTIONS) | set(METHODS) | set(ACCESSORS) | MACROS | others
    assert listed("what", "functions") == compiled


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"])
def test_a_text_of_a_form_is_read_as_is_said(row: dict[str, str]) -> None:
    kinds = [TEXT_KINDS[name] for name in re.findall(r"`([\w.]+)`", row["type"])]
    for kind in kinds or TEXT_KINDS.values():
        for text in re.findall(r"`(\".*?\")`", row["text"]):
            try:
                value = json.dumps(entered(_s.field("it", kind), [json.loads(text)]))
            except TextError as wrong:
                value = wrong.words
            said = row["value"].strip("`")
            assert value == ("null" if said == "absent" else said)


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: row["said"][:30])
def test_the_command_says_of_a_mistake_what_is_shown(row: dict[str, str]) -> None:
    line = row["written"].strip("`")
    entity = f"message Task {{ option (rhtmx.v1.entity) = {{}};\n{line}\n}}"
    with pytest.raises(SchemaError) as refused:
        emit_python(schema_of(entity))
    assert str(refused.value).partition(": ")[2] == row["said"]


def test_the_violations_are_those_that_are_shown() -> None:
    """Each of the table, by a rule as in the table."""
    step = _s.message("Step", _s.field("street", _s.STRING, required=True))
    few = _s.rules((_s.max_len, 3))
    table = _s.message(
        "Task",
        _s.field("title", _s.STRING, (_s.max_len, 40)),
        _s.field("votes", _s.INT64),
        _s.field("tags", _s.list_of(_s.STRING, (_s.min_len, 1))),
        _s.field("notes", _s.map_of(_s.STRING, _s.STRING, values=few)),
        _s.field("home", _s.message_of(lambda: step), presence=True),
        _s.field("url", _s.STRING, presence=True, oneof="source"),
        _s.field("ticket", _s.STRING, presence=True, oneof="source"),
        rules=(_s.one_of("source", ("url", "ticket")),),
    )
    data = {
        "title": "x" * 41,
        "votes": "many",
        "tags": ["a", ""],
        "notes": {"a b": "long"},
        "home": {},
        "url": "a",
        "ticket": "b",
    }
    shown = [tuple(row.values()) for row in rows(PAGE, "field", "code", "message")]
    found = [(f"`{v.field}`", f"`{v.code}`", v.message) for v in _s.judge(table, data)]
    assert found == shown[:-1]
    assert "is due before it starts" in PROGRAMS["app.proto"][0]


def test_a_host_is_told_a_command_that_there_is(tmp_path: Path) -> None:
    (shown,) = [json.loads(block.text) for block in blocks(PAGE) if "mcpServers" in block.text]
    board = shown["mcpServers"]["board"]
    assert board["command"] == "rhtmx"
    asked = read(board["args"], {}, "", Disk(str, lambda name: File(name, 0)))
    assert asked.server.url == "ws://127.0.0.1:3000/api/ws"
    assert asked.request == Mcp()


def test_every_option_for_assistants_is_listed() -> None:
    said = rows(PAGE, "option of mcp", "what it does")
    listed_ = {name for row in said for name in re.findall(r"`(--[\w-]+)", row["option of mcp"])}
    assert listed_ == {"--url", "--token", "--token-file", "--read-only", "--only", "--timeout"}
    for name in listed_ - {"--token"}:  # which excludes the file with it
        value = {"--read-only": [], "--url": ["ws://h"]}.get(name, ["1"])
        read(["mcp", name, *value], {}, "", Disk(str, lambda name: File(name, 0)))


def test_the_actions_of_a_tool_are_listed_with_what_they_take() -> None:
    said = {
        names(row["action"])[0]: (names(row["needs"]), names(row["takes"]))
        for row in rows(PAGE, "action", "needs", "takes", "what comes back")
    }
    assert list(said) == list(ACTIONS)
    for action, (needs, takes) in said.items():
        assert (action, needs) == (action, list(NEEDS[action]))
        assert (action, takes) == (action, list(TAKES[action]))


def test_the_same_figure_of_the_campaign_is_everywhere() -> None:
    of_all = re.compile(r"([\d,]+) of (?:the|its) 2,216")
    pages = (PAGE, page("docs/guarantees.md"), page("docs/decisions/0065-one-judge-over-json.md"))
    assert {figure for each in pages for figure in of_all.findall(" ".join(each.split()))} == {
        "2,211"
    }
