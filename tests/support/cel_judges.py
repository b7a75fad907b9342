"""Compares our compiled CEL with protovalidate, over random rules and random records.

    python -m tests.support.cel_judges --python /path/to/python-with-protovalidate

Each rule is compiled to Python and to TypeScript, and goes to protovalidate as the rule of a
message. All three judge the same records: holds, the words of the violation, or an error. Every
difference is printed; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from rhtmx import schema as _s
from rhtmx.patterns.pattern import compile_pattern
from rhtmx.schema.cel import CelError
from rhtmx_codegen import model
from rhtmx_codegen.cel import Expression, NotInSubset, compile_rule
from rhtmx_codegen.read import read_schema
from tests.support.cel_expressions import FIELDS, Expressions, record
from tests.support.programs import TYPESCRIPT

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "rhtmx_codegen" / "proto"
NOW = time.time_ns()
SOURCE = f"""
syntax = "proto3";
package judged;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/field_mask.proto";
enum Level {{ LEVEL_NONE = 0; LEVEL_LOW = 1; LEVEL_HIGH = 2; }}
message Child {{ string name = 1; optional int32 n = 2; Child sub = 3; repeated int32 li = 4; }}
message Record {{ {FIELDS} }}
"""


class Rule(NamedTuple):
    """A rule, and what it is compiled to."""

    text: str
    expression: Expression

    def tables(self) -> dict[str, str]:
        """The patterns by the literals of their tables."""
        return {each: json.dumps(compile_pattern(each).table) for each in self.expression.patterns}


def descriptors(folder: Path, source: str, *options: str) -> bytes:
    """The descriptor set of a file."""
    (folder / "judged.proto").write_text(source)
    found = folder / "judged.binpb"
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"-I{PROTOS}"),
            *("--include_imports", *options, f"--descriptor_set_out={found}", "judged.proto"),
        ],
        check=True,
    )
    return found.read_bytes()


def schema_of(folder: Path) -> model.Schema:
    """The schema that random rules are about."""
    return read_schema(descriptors(folder, SOURCE, "--include_source_info"), ["judged.proto"])


def rules(random: Random, count: int, schema: model.Schema, refused: Counter[str]) -> list[Rule]:
    """That many rules that compile; why others do not is counted."""
    made: list[Rule] = []
    expressions = Expressions(random)
    while len(made) < count:
        text = expressions.rule()
        try:
            made.append(Rule(text, compile_rule(text, schema.messages["judged.Record"], schema)))
        except NotInSubset as error:
            refused[error.words] += 1
    return made


def in_python(rule: Rule, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What our Python says of each record."""
    function = eval(rule.expression.python_function(rule.tables()), {"_s": _s})
    said = []
    for each in records:
        try:
            answer = function(each, NOW)
        except CelError:
            said.append("error")
        except Exception as error:
            raise AssertionError(f"{rule.text}: {rule.expression.python()}: {each}") from error
        else:
            said.append(f"={answer}" if isinstance(answer, str) else str(answer).lower())
    return said


def as_json(value: Any, name: str = "") -> Any:
    """A rule value for TypeScript: what JSON has no word for is `{"$": word, "v": text}`."""
    if name in {"ts", "te", "du", "dv"} and value is not None:
        return {"$": "t", "v": str(value)}
    if isinstance(value, bytes):
        return {"$": "y", "v": base64.b64encode(value).decode()}
    if isinstance(value, float):
        return {"$": "d", "v": repr(value).replace("inf", "Infinity").replace("nan", "NaN")}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return {"$": "n", "v": str(value)}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, dict) and name in {"ms", "mi"}:
        return {"$": "m", "v": [[as_json(key), as_json(each)] for key, each in value.items()]}
    if isinstance(value, dict):
        return {key: as_json(each, key) for key, each in value.items() if each is not None}
    return value


OURS_TYPESCRIPT = """
import { createInterface } from "node:readline";
import * as s from "./src/schema/cel.ts";

const revive = (_key: string, value: any) => {
  if (!value || typeof value !== "object" || !("$" in value)) return value;
  if (value.$ === "n" || value.$ === "t") return BigInt(value.v);
  if (value.$ === "d") return Number(value.v);
  if (value.$ === "m") return new Map(value.v);
  return Uint8Array.from(Buffer.from(value.v, "base64"));
};
for await (const line of createInterface({ input: process.stdin })) {
  const [functions, records, now] = JSON.parse(line, revive);
  const said = functions.map((text: string) => {
    const judge = new Function("s", `return ${text}`)(s);
    return records.map((record: unknown) => {
      try {
        const answer = judge(record, now);
        return typeof answer === "string" ? `=${answer}` : String(answer);
      } catch (error) {
        if (error instanceof s.CelError) return "error";
        return `! ${error}`;
      }
    });
  });
  console.log(JSON.stringify(said));
}
"""


class Program:
    """A program that answers lines with lines."""

    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def ask(self, question: Any) -> Any:
        """What it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def esbuild(folder: Path, name: str, source: str, *options: str) -> Path:
    """A program of TypeScript, built."""
    built = folder / name
    subprocess.run(
        [
            str(TYPESCRIPT / "node_modules" / ".bin" / "esbuild"),
            *("--platform=node", "--format=esm", "--target=es2022", "--loader=ts"),
            *("--log-level=warning", f"--outfile={built}", *options),
        ],
        input=source,
        text=True,
        check=True,
        cwd=TYPESCRIPT,
    )
    return built


def typescript(folder: Path) -> Program:
    """Our judge in TypeScript."""
    return Program("node", str(esbuild(folder, "ours.mjs", OURS_TYPESCRIPT, "--bundle")))


def functions(batch: Sequence[Rule]) -> list[str]:
    """What rules are compiled to in TypeScript, without types."""
    return [
        rule.expression.typescript_function(rule.tables())
        .replace(": any", "")
        .replace(": bigint", "")
        for rule in batch
    ]


def in_typescript(
    ours: Program, batch: Sequence[Rule], records: Sequence[Mapping[str, Any]]
) -> list[list[str]]:
    """What our TypeScript says of each rule and record."""
    shown = [as_json(each) for each in records]
    answer: list[list[str]] = ours.ask([functions(batch), shown, {"$": "n", "v": str(NOW)}])
    return answer


THEIRS = """
import base64, json, sys
sys.path.append(sys.argv[1])
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
import protovalidate

def judged(validator, kind, octets):
    try:
        bad = validator.collect_violations(kind.FromString(base64.b64decode(octets)))
    except protovalidate.EvaluationError:
        return "error"
    except protovalidate.CompilationError as error:
        return f"! {error}"
    return [each.proto.message for each in bad]

for line in sys.stdin:
    files, count, records = json.loads(line)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(files)).file:
        pool.AddSerializedFile(file.SerializeToString())
    kinds = [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"judged.Q{number}"))
        for number in range(count)
    ]
    validator = protovalidate.Validator()  # one that has seen a type knows another of its name
    said = [[judged(validator, kind, each) for each in records] for kind in kinds]
    print(json.dumps(said), flush=True)
"""


def protovalidate(folder: Path, python: str) -> Program:
    """Theirs. The official protobuf library comes from where we have it."""
    program = folder / "theirs.py"
    program.write_text(THEIRS)
    google = Path(importlib.import_module("google.protobuf").__path__[0]).parents[1]
    return Program(python, str(program), str(google))


def in_protovalidate(
    theirs: Program, folder: Path, batch: Sequence[Rule], records: Sequence[Mapping[str, Any]]
) -> list[list[str]]:
    """What protovalidate says of each rule and record."""
    messages = "\n".join(
        f'message Q{number} {{ option (buf.validate.message).cel = {{id: "q" expression: '
        f"{proto_text(rule.text)} }}; {FIELDS} }}"
        for number, rule in enumerate(batch)
    )
    source = SOURCE.replace("enum Level", 'import "buf/validate/validate.proto";\nenum Level')
    files = descriptors(folder, source + messages)
    kind = record_class(files)
    octets = [base64.b64encode(encoded(kind, each)).decode() for each in records]
    said = theirs.ask([base64.b64encode(files).decode(), len(batch), octets])
    return [
        [verdict(each, rule.expression.result) for each in row]
        for rule, row in zip(batch, said, strict=True)
    ]


def verdict(said: Any, result: str) -> str:
    """What protovalidate says, as ours say it."""
    if isinstance(said, str):
        return said
    if result == "string":
        return f"={said[0] if said else ''}"
    return "false" if said else "true"


def proto_text(text: str) -> str:
    """A text as a literal of protobuf's text format."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"'


def record_class(files: bytes) -> Any:
    """The class of a record."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(files).file:
        pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("judged.Record"))


def encoded(kind: Any, values: Mapping[str, Any]) -> bytes:
    """A record in binary."""
    message = kind()
    fill(message, values)
    octets: bytes = message.SerializeToString()
    return octets


def fill(message: Any, values: Mapping[str, Any]) -> None:
    """Write rule values into a message."""
    for name, value in values.items():
        if value is None:
            continue
        part = getattr(message, name)
        if name in FILLED:
            FILLED[name](part, value)
            if name != "lc":
                part.SetInParent()
        elif isinstance(value, list):
            part.extend(value)
        elif name in {"ms", "mi"}:
            part.update(value)
        elif name in {"c", "sub"}:
            part.SetInParent()
            fill(part, value)
        else:
            setattr(message, name, value)


def fill_time(part: Any, value: int) -> None:
    """Write a time."""
    part.seconds, part.nanos = divmod(value, 10**9)


def fill_span(part: Any, value: int) -> None:
    """Write a duration, whose two numbers have one sign."""
    part.seconds, part.nanos = (
        int(math.copysign(each, value)) for each in divmod(abs(value), 10**9)
    )


def fill_list(part: Any, values: Sequence[Mapping[str, Any]]) -> None:
    """Write a list of messages."""
    for each in values:
        fill(part.add(), each)


FILLED: dict[str, Callable[[Any, Any], None]] = {
    "ts": fill_time,
    "te": fill_time,
    "du": fill_span,
    "dv": fill_span,
    "fm": lambda part, value: part.paths.extend(value),
    "w": lambda part, value: setattr(part, "value", value),
    "ws": lambda part, value: setattr(part, "value", value),
    "lc": fill_list,
}


def differences(
    batch: Sequence[Rule], records: Sequence[Mapping[str, Any]], said: Mapping[str, list[list[str]]]
) -> Iterator[tuple[Rule, Mapping[str, Any], dict[str, str]]]:
    """Each rule and record of which somebody says something else, and who says what."""
    for number, rule in enumerate(batch):
        for place, each in enumerate(records):
            answers = {name: rows[number][place] for name, rows in said.items()}
            if len(set(answers.values())) > 1:
                yield rule, each, answers


def asked(
    batch: Sequence[Rule],
    records: Sequence[Mapping[str, Any]],
    ours: Program,
    theirs: Program | None,
    folder: Path,
) -> dict[str, list[list[str]]]:
    """What every judge says of each rule and record."""
    said = {
        "python": [in_python(each, records) for each in batch],
        "typescript": in_typescript(ours, batch, records),
    }
    if theirs:
        said["protovalidate"] = in_protovalidate(theirs, folder, batch, records)
    return said


def reported(
    batch: Sequence[Rule], records: Sequence[Mapping[str, Any]], said: Mapping[str, list[list[str]]]
) -> int:
    """Print what differs, each rule once; returns how much does."""
    wrong, seen = 0, set[str]()
    for rule, each, answers in differences(batch, records, said):
        wrong += 1
        if rule.text not in seen and len(seen) < 10:
            seen.add(rule.text)
            read = {key: each[key] for key in sorted(rule.expression.reads)}
            print(f"  {rule.text}\n    {read}\n    {answers}")  # noqa: T201
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="a Python that has protovalidate; without: ours only")
    parser.add_argument("--rules", type=int, default=2_000)
    parser.add_argument("--records", type=int, default=25, help="for each rule")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    random, refused, verdicts = Random(given.seed), Counter[str](), Counter[str]()
    began, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema, ours = schema_of(folder), typescript(folder)
        theirs = protovalidate(folder, given.python) if given.python else None
        for start in range(0, given.rules, 100):
            batch = rules(random, min(100, given.rules - start), schema, refused)
            records = [record(random) for _ in range(given.records)]
            said = asked(batch, records, ours, theirs, folder)
            verdicts.update(
                "words" if each.startswith("=") else each for row in said["python"] for each in row
            )
            wrong += reported(batch, records, said)
        ours.close()
        if theirs:
            theirs.close()
    total = sum(verdicts.values())
    print(f"{given.rules} rules, {total} verdicts {dict(verdicts)}, {wrong} differ")  # noqa: T201
    print(f"refused: {refused.total()} {refused.most_common(3)}")  # noqa: T201
    print(f"{time.monotonic() - began:.0f} s, seed {given.seed}")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
