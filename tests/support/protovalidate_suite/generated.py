"""Our own judges of the suite's messages, generated in both languages.

Knows how generated code is run. Must not know the suite.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rhtmx import schema as _s
from rhtmx_codegen.emit_names import Names, table_name
from rhtmx_codegen.messages import Reader
from rhtmx_codegen.model import Enum, Message, Schema
from rhtmx_codegen.names import name_problems
from rhtmx_codegen.pool import Pool
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.rules import compile_schema, python_tables, typescript_tables
from rhtmx_codegen.rules.typescript import rules_name
from tests.support.cel_judges import Program
from tests.support.programs import TYPESCRIPT

__all__ = ["Generated", "Judgement", "bundle", "generate", "python_judges", "typescript_judges"]

JUDGING = Path(__file__).parents[1] / "random_schemas"

Judgement = list[tuple[str, str]]
"""Path and rule id of each violation, sorted."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The code of one message of the suite.

    Attributes:
        name: its full name.
        schema: the message, and all that it reaches.
        problems: why there is none.
    """

    name: str
    schema: Schema
    problems: tuple[Problem, ...]


def generate(pool: Pool, name: str) -> Generated:
    """Read a message with all that it reaches, and compile its rules.

    Args:
        pool: of the files.
        name: the full name of the message.
    """
    reader = Reader(pool)
    messages: dict[str, Message] = {}
    enums: dict[str, Enum] = {}
    ahead = [name]
    for each in ahead:
        if (enum := reader.enum(each)) is not None:
            enums[each] = enum
        elif each not in messages and (message := reader.message(each)) is not None:
            messages[each] = message
            ahead += [one.type.name for one in message.fields if one.type.name]
    schema = Schema(messages, enums, (), 1, 0, b"")
    problems = [*reader.problems, *name_problems(schema), *compile_schema(schema).problems]
    return Generated(name, schema, tuple(problems))


def python_judges(generated: Generated) -> Any:
    """The table of a message, as generated Python makes it."""
    names = Names(generated.schema)
    room: dict[str, Any] = {"_s": _s}
    for name, enum in generated.schema.enums.items():
        numbers = {each.word: each.number for each in enum.values}
        room[names.of(name)] = SimpleNamespace(numbers=numbers)
    for lines in python_tables(generated.schema).values():
        exec("\n".join(lines), room)
    return room[table_name(names.of(generated.name))]


_TABLES = """\
import * as s from "@rhtmx/client/schema";
const tables: Record<string, s.Message> = {};
%s
export const TABLES: any = { suite: tables };
"""


def bundle(tables: str, folder: Path) -> Path:
    """`judging.ts` of random schemas, with other tables: for Node and for browsers.

    Args:
        tables: the module that says `TABLES`.
        folder: an empty one.
    """
    source, built = folder / "tables.ts", folder / "judging.js"
    source.write_text(tables)
    alias = {
        "@rhtmx/client/schema": TYPESCRIPT / "src" / "schema.ts",
        "@rhtmx/value": TYPESCRIPT / "src" / "wire" / "value.ts",
        "tables": source,
    }
    subprocess.run(
        [
            TYPESCRIPT / "node_modules" / ".bin" / "esbuild",
            *(JUDGING / "judging.ts", "--bundle", "--format=iife", "--target=es2022"),
            *("--log-level=error", "--charset=utf8", f"--outfile={built}"),
            *(f"--alias:{name}={path}" for name, path in alias.items()),
        ],
        check=True,
    )
    return built


def typescript_judges(
    generated: Iterable[Generated],
    asked: Sequence[tuple[str, Any]],
    now: int,
    folder: Path,
    chromium: str = "",
) -> dict[str, list[list[tuple[str, str, str]]]]:
    """What generated TypeScript says, by where it runs: `node`, and `chromium` if that is asked.

    Args:
        generated: all messages.
        asked: the full name of a message with a record, each.
        now: nanoseconds since 1970.
        folder: an empty one.
        chromium: its path.
    """
    pieces = []
    for each in generated:
        names = Names(each.schema)
        lines = [line for lines in typescript_tables(each.schema).values() for line in lines]
        body = "\n".join(line.removeprefix("export ") for line in lines)
        table = rules_name(names.of(each.name))
        pieces.append(
            f"tables[{json.dumps(each.name)}] = (() => {{\n{body}\nreturn {table};\n}})();"
        )
    built = bundle(_TABLES % "\n".join(pieces), folder)
    cases = [["suite", name, json.dumps(record)] for name, record in asked]
    told = {}
    for name, arguments in {"node": (), **({"chromium": (chromium,)} if chromium else {})}.items():
        program = Program("node", str(JUDGING / "judging.mjs"), *arguments)
        answers = program.ask([str(built), "judged", cases, str(now)])
        program.close()
        told[name] = [
            [("", "", each)] if isinstance(each, str) else [tuple(one) for one in each]
            for each in answers
        ]
    return told
