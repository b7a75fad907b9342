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

__all__ = ["Generated", "Judgement", "generate", "node_judges", "python_judges"]

TYPESCRIPT = Path(__file__).parents[3] / "clients" / "typescript"

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


_JUDGE = """\
import { readFileSync } from "node:fs";
import * as s from "./src/schema.ts";
import { isInexact, parseJson } from "./src/wire/value.ts";
const tables: Record<string, s.Message> = {};
%s
isInexact(); // from here on, texts are read to the digit
const [path, now] = process.argv.slice(2);
const found = readFileSync(path!, "utf8").split("\\n").map((line) => {
  const [name, data] = parseJson(line, "case") as [string, object];
  const told = s.judge(tables[name]!, data, { now: BigInt(now!) });
  return told.map(({ field, code, message }) => [field, code, message]);
});
console.log(JSON.stringify(found));
"""


def node_judges(
    generated: Iterable[Generated], asked: Sequence[tuple[str, Any]], now: int, folder: Path
) -> list[list[tuple[str, str, str]]]:
    """What generated TypeScript says in Node.

    Args:
        generated: all messages.
        asked: the full name of a message with a record, each.
        now: nanoseconds since 1970.
        folder: an empty one.
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
    program, records = folder / "judge.mjs", folder / "records.jsonl"
    records.write_text("\n".join(json.dumps(each) for each in asked))
    esbuild = TYPESCRIPT / "node_modules" / ".bin" / "esbuild"
    subprocess.run(
        [
            esbuild,
            "--bundle",
            "--format=esm",
            "--platform=node",
            "--loader=ts",
            f"--outfile={program}",
            "--log-level=error",
        ],
        input=_JUDGE % "\n".join(pieces),
        text=True,
        check=True,
        cwd=TYPESCRIPT,
    )
    told = subprocess.run(
        ["node", program, records, str(now)], capture_output=True, text=True, check=True
    )
    return [[tuple(one) for one in each] for each in json.loads(told.stdout)]
