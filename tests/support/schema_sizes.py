"""What the rules of a schema weigh in a browser, and how long a server takes to judge by them.

`python -m tests.support.schema_sizes` prints both.
"""

from __future__ import annotations

import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from rhtmx.schema import judge, message
from rhtmx_codegen.model import Schema
from rhtmx_codegen.rules import typescript_tables
from tests.support.judged import tables_of
from tests.support.process import run
from tests.support.programs import TYPESCRIPT
from tests.support.schemas import schema_of

__all__ = ["entities", "microseconds", "weight"]

_FIELDS = (
    "string {0} = 1 [(buf.validate.field).string = {{min_len: 1 max_len: {m}}}];",
    "bool {1} = 2;",
    "optional google.protobuf.Timestamp {2} = 3;",
    "int64 {3} = 4 [(buf.validate.field).int64.gte = 0];",
    "repeated string {4} = 5 [(buf.validate.field).repeated = {{unique: true max_items: {m}}}];",
    "string {5} = 6 [(rhtmx.v1.field).read_only = true];",
    "string {6} = 7 [(buf.validate.field).string.email = true];",
    "double {7} = 8 [(buf.validate.field).double = {{gt: 0 lte: {m}}}];",
    "Level {8} = 9 [(buf.validate.field).enum.defined_only = true];",
    'string {9} = 10 [(buf.validate.field).string.pattern = "^[a-z0-9-]{{1,40}}$"];',
)
_RULE = (
    'option (buf.validate.message).cel = {{id: "{0}_{1}" message: "must have {3}" '
    'expression: "!this.{1} || this.{3} > 0"}};'
)
_NAMES = ("title", "done", "due", "votes", "labels", "owner", "email", "weight", "level", "slug")
_OTHERS = [
    "room",
    "seat",
    "price",
    "colour",
    "street",
    "city",
    "country",
    "phone",
    "note",
    "amount",
    "start",
    "finish",
    "width",
    "height",
    "depth",
    "author",
    "editor",
    "topic",
    "summary",
    "body",
    "answer",
    "question",
    "reason",
    "origin",
    "target",
    "status",
    "batch",
    "carrier",
    "ticket",
    "invoice",
    "discount",
    "currency",
    "rate",
    "margin",
    "stock",
    "shelf",
    "aisle",
    "vendor",
]

RECORD = {
    "title": "Write it down",
    "done": True,
    "due": "2026-01-31T09:30:00Z",
    "votes": 3,
    "labels": ["a", "b"],
    "owner": "ann",
    "email": "ann@example.org",
    "weight": 1.5,
    "level": "high",
    "slug": "write-it-down",
}
"""A record of the first entity, in which all is right."""

_DEAR = ("due", "slug")
"""What takes its time: a time is parsed, a pattern looks at each character."""


def entities(count: int) -> Schema:
    """A schema of so many entities, each with ten fields, ten rules, and one in CEL."""

    def thing(number: int) -> Iterator[str]:
        names = _NAMES if number == 1 else Random(number).sample(_OTHERS, len(_NAMES))
        yield f"message Thing{number} {{ option (rhtmx.v1.entity) = {{}}; "
        for line in (_RULE, *_FIELDS):
            yield line.format(*names, m=100 + number)
        yield "}"

    text = "\n".join(line for number in range(1, count + 1) for line in thing(number))
    return schema_of(f"{text}\nenum Level {{ LEVEL_UNSPECIFIED = 0; LEVEL_HIGH = 1; }}\n")


def weight(schema: Schema, folder: Path) -> int:
    """The bytes of the judge with the tables of a schema, minified and compressed.

    Args:
        schema: whose rules.
        folder: an empty one.
    """
    lines = [line for each in typescript_tables(schema).values() for line in each]
    imports = [
        f'import * as s from "{TYPESCRIPT}/src/schema.ts";',
        f'export {{ judge }} from "{TYPESCRIPT}/src/schema/judge.ts";',
    ]
    (folder / "tables.ts").write_text("\n".join([*imports, *lines]), encoding="utf-8")
    tools = TYPESCRIPT / "node_modules" / ".bin"
    bundle = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8"]
    run(tools / "esbuild", *bundle, folder / "tables.ts", f"--outfile={folder / 'out.js'}")
    squeeze = "passes=3,pure_getters=true,unsafe_arrows=true,inline=1,lhs_constants=false"
    run(
        tools / "terser", folder / "out.js", "--module", "--ecma", "2022", "-c", squeeze, "-m",
        "-o", folder / "small.js",
    )  # fmt: skip
    size = 'console.log(require("zlib").gzipSync(require("fs").readFileSync(0),{level:9}).length)'
    return int(run("node", "-e", size, given=(folder / "small.js").read_bytes()).output)


def microseconds(schema: Schema) -> tuple[float, float, float]:
    """How long it takes to judge `RECORD`; without its time and its pattern; an edit of it."""
    table = tables_of(schema)["Thing1"]
    plain = message("Plain", *(each for each in table.fields if each.name not in _DEAR))
    changed = frozenset(("title",))
    return (
        _least(lambda: judge(table, RECORD)),
        _least(lambda: judge(plain, RECORD)),
        _least(lambda: judge(table, RECORD, changed=changed)),
    )


def _least(judged: Callable[[], object]) -> float:
    assert judged() == ()
    number = 10_000
    return (
        min(timeit.repeat(judged, timer=time.process_time, number=number, repeat=7)) / number * 1e6
    )


def main() -> None:
    """Print it."""
    schema = entities(20)
    with tempfile.TemporaryDirectory() as folder:
        size = weight(schema, Path(folder))
    whole, plain, edit = microseconds(schema)
    sys.stdout.write(
        f"20 entities of 10 fields with their judge: {size} bytes gzipped\n"
        f"a record of 10 fields with 12 rules: {whole:.1f} µs; an edit of one: {edit:.1f} µs\n"
        f"without a time and a pattern, 8 fields with 10 rules: {plain:.1f} µs\n"
    )


if __name__ == "__main__":
    main()
