"""Rules of CEL, for the vectors that both languages run.

    python -m tests.vectors.cel_cases --python /path/to/python-with-protovalidate

writes `cel.json`, with what protovalidate says of each rule and record, and the same rules as a
module of TypeScript, which the compiler of TypeScript checks, too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from rhtmx.patterns.pattern import compile_pattern
from rhtmx_codegen import model
from rhtmx_codegen.cel import compile_rule
from tests.support import cel_judges
from tests.support.cel_expressions import record

__all__ = ["RECORDS", "RULES", "compiled", "typescript_module", "written"]

VECTORS = Path(__file__).parent / "cel.json"
MODULE = cel_judges.ROOT / "clients" / "typescript" / "tests" / "schema" / "cel-rules.ts"

RULES = (
    # plain operators where the types make them exact
    "this.i <= this.j",
    "this.i + 1 < this.j * 2",
    "this.d + 0.5 <= this.e",
    "this.s == this.t",
    "this.ts <= this.te",
    # order by code points, not by UTF-16 units
    "this.s < this.t",
    "this.s >= '\\uffff'",
    "this.y < this.z",
    "this.y == b'a'",
    "this.b < this.ob",
    # 64 bits
    "this.l + 1 > this.k",
    "this.l * 3 > this.k || this.b",
    "this.l - this.k < 0",
    "-this.l < 0",
    "this.v - 1u < 7u",
    "this.v * 2u >= this.v",
    "this.u - 5u < 7u",
    "this.sl == 9007199254740993",
    "9223372036854775807 + this.i > 0",
    # division cuts, and what is left has the sign of the dividend
    "this.i / 2 == -3",
    "this.i % 3 == -1",
    "this.l / this.k >= 2",
    "this.l % this.k == 0",
    "this.u / 3u == 2u",
    "this.d / this.e > 1.0",
    "1.0 / double(this.i * 0) > 0.0",
    # errors that another side absorbs, on both sides
    "this.i / this.j >= 2 || this.j == 0",
    "this.j != 0 && this.i / this.j >= 2",
    "this.i / this.j > 2 || this.l / this.k > 2",
    "this.i / this.j > 2 && this.l / this.k > 2 && this.b",
    "this.li.all(x, 10 / x > 1)",
    "this.li.exists(x, 10 / x > 1)",
    "this.li.exists_one(x, 10 / x > 1)",
    # presence
    "!has(this.ts) || !has(this.te) || this.ts <= this.te",
    "has(this.i) && has(this.oi)",
    "has(this.d)",
    "has(this.s) || has(this.y) || has(this.b)",
    "has(this.li) != has(this.ms)",
    "has(this.c) && !has(this.c.sub) && has(this.c.n)",
    "this.oi == 0",
    "this.od == 0.0",
    "this.os == ''",
    "this.oy == b''",
    "this.c.sub.sub.name == ''",
    "this.c.li.size() == 0",
    "this.w == null || this.w > 5",
    "this.w > 5",
    "this.ws == 'a'",
    "this.fm.paths == ['a', 'a.b']",
    # numbers of several types, by value
    "this.i < this.d",
    "this.u == this.i",
    "this.v > this.l",
    "this.i in [1, 2, 3]",
    "this.d in this.ld",
    "this.en == 1 || this.en > 2",
    "this.en in this.li",
    # collections
    "this.li.map(x, x * 2).filter(y, y > 3).size() > 1",
    "this.ll.map(x, x > 0, x - 1) == [0, 1]",
    "this.ls.exists(x, x.startsWith('a'))",
    "this.ls + ['a'] == ['a', 'a']",
    "this.ld == [0.0] || this.ld != this.ld",
    "this.ly == [b'a']",
    "b'a' in this.ly",
    "this.ls.unique() && this.ld.unique() && this.ly.unique() && this.li.unique()",
    "this.li[0] == 3",
    "this.lc[1].n == 3",
    "this.lc.all(x, x.sub.name != 'a')",
    "this.ms.all(k, this.ms[k] != '' && k in this.ms)",
    "this.ms['a'] == 'b' || this.ms.a == 'c'",
    "has(this.ms.a)",
    "this.mi[1] == 2",
    "this.ms == {'a': 'b'}",
    "size(this.s) == 1 && this.y.size() == 1 && size(this.mi) < 2",
    # strings
    "this.s.matches('^[a-z]+$')",
    "!this.t.matches('(?i)^\\\\w+$') && this.s.matches('b')",
    "this.s.contains(this.t) && this.t.endsWith('b')",
    "this.y.startsWith(b'a') || this.y.endsWith(b'b') || this.y.contains(b'\\x00')",
    "this.s.isEmail() || this.s.isHostname() || this.s.isIp(4) || this.s.isUri()",
    "this.s.isIpPrefix(true) || this.s.isUriRef() || this.s.isHostAndPort(false) || this.t.isIp()",
    "this.s.lowerAscii() == this.t.upperAscii() || this.s.trim() == 'a'",
    "this.s.reverse() == 'ba'",
    "this.s.substring(1).charAt(0) == 'b' || this.s.indexOf('b') == 1",
    "this.s.replace('a', 'b') == 'b' || this.s.split(',').join(';') == 'x;y;;z'",
    "this.d.isNan() || this.d.isInf() || this.e.isInf(-1)",
    # conversions
    "int(this.d) > 3 || uint(this.d) > 3u",
    "int(this.s) > 3",
    "double(this.s) > 1.4",
    "uint(this.i) > 3u",
    "int(this.v) > 3",
    "double(this.l) > 1.5",
    "bool(this.s)",
    "string(this.l) == '2' || string(this.b) == 'true' || bytes(this.s) == b'a'",
    "string(this.y) == 'a'",
    "int(this.ts) < 0",
    # times
    "this.ts + duration('1h30m') < this.te",
    "this.ts - this.te > this.du",
    "this.du + this.dv > duration('0')",
    "this.ts < now",
    "this.ts.getFullYear() == 1970 && this.ts.getMonth() == 0",
    "this.ts.getDayOfYear('-08:00') == 364",
    "this.ts.getHours('+05:30') == 5 || this.te.getDayOfWeek() == 4",
    "this.te.getMilliseconds() == 999",
    "this.du.getMinutes() == 60 || this.dv.getMilliseconds() == 500",
    "timestamp(this.l) < this.ts",
    # answers that are words
    "this.i > 24 ? '' : 'must be above 24'",
    "this.b ? '' : 'is %s, %d, %.2f, %x, %X; 100%%'.format(['x', this.i, this.e, this.y, this.u])",
    "this.b ? '' : '%.3e, %o, %b, %s'.format([this.od, this.l, this.i, this.li])",
    "this.s",
    "'%s %s %s'.format([this.du, this.ob, [1, 2]])",
    # what is known before any record is
    "1 + 2 * 3 == 7 && type(this.i) == int && this.b",
    "true || this.i / 0 == 1",
    "[1, 2, 3].exists(x, x == 2) && [1, 2].map(x, -x) == [-1, -2] ? this.b : this.i / 0 == 1",
)


def records() -> list[dict[str, Any]]:
    """The records of the vectors."""
    random = Random(15)
    return [record(random) for _ in range(24)]


RECORDS = records()


def compiled(schema: model.Schema) -> list[dict[str, Any]]:
    """The rules, and what they are compiled to."""
    rows = []
    for rule in RULES:
        found = compile_rule(rule, schema.messages["judged.Record"], schema)
        names = {each: f"P{at}" for at, each in enumerate(found.patterns)}
        rows.append(
            {
                "rule": rule,
                "result": found.result,
                "errs": found.errs,
                "reads": sorted(found.reads),
                "python": found.python(names),
                "typescript": found.typescript_function(names),
                "patterns": {name: compile_pattern(each).table for each, name in names.items()},
            }
        )
    return rows


def typescript_module(rows: list[dict[str, Any]]) -> str:
    """The rules as a module of TypeScript."""
    lines = [
        "// biome-ignore-all lint: generated",
        "// biome-ignore-all format: generated",
        "/** Generated by `python -m tests.vectors.cel_cases`. Do not edit. */",
        'import * as s from "../../src/schema/cel.ts";',
        "",
        "export const rules: ((self: any, now: bigint) => boolean | string)[] = [",
    ]
    for row in rows:
        function = row["typescript"]
        for name, table in row["patterns"].items():
            function = function.replace(f", {name})", f", {json.dumps(table)})")
        lines.append(f"  {function},")
    return "\n".join([*lines, "];", ""])


def written(value: Any, name: str = "") -> Any:
    """A rule value as JSON: as `cel_judges` has it, and null for what is absent."""
    if isinstance(value, dict) and name not in {"ms", "mi"}:
        return {key: written(each, key) for key, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [written(each) for each in value]
    return cel_judges.as_json(value, name)


def main() -> int:
    """Write the vectors; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="a Python that has protovalidate")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema = cel_judges.schema_of(folder)
        rows = compiled(schema)
        theirs = cel_judges.protovalidate(folder, given.python)
        batch = [
            cel_judges.Rule(rule, compile_rule(rule, schema.messages["judged.Record"], schema))
            for rule in RULES
        ]
        said = cel_judges.in_protovalidate(theirs, folder, batch, RECORDS)
        theirs.close()
    for row, answers in zip(rows, said, strict=True):
        row["said"] = answers
    shown = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    kept = ",\n".join(json.dumps(written(each), ensure_ascii=False) for each in RECORDS)
    VECTORS.write_text(f'{{"records": [\n{kept}\n],\n"rules": [\n{shown}\n]}}\n')
    MODULE.write_text(typescript_module(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
