"""Compares our judges of forms of text with protovalidate, over texts that are wrong somewhere.

    python -m tests.support.format_judges --python /path/to/python-with-protovalidate

Each text is made from one of the vectors by a few changes, and goes to our Python, to our
TypeScript and to protovalidate (its CEL functions and its string rules); of a web address, to the
rule of forms. Every difference is printed; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from rhtmx_server.forms.rules import url
from tests.support.programs import TYPESCRIPT

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
PROTOS = ROOT / "rhtmx_codegen" / "proto"
BATCH = 2_000


class Question(NamedTuple):
    """One form, and how protovalidate is asked for it.

    Args:
        function: ours, in Python.
        arguments: what follows the text.
        rule: the option of an item of a repeated string; empty: protovalidate has none.
    """

    function: str
    arguments: tuple[object, ...]
    rule: str


def cel(expression: str) -> str:
    """The option for an expression."""
    return f'cel = {{id: "x" expression: "this.{expression}"}}'


QUESTIONS = (
    Question("is_email", (), cel("isEmail()")),
    Question("is_hostname", (), cel("isHostname()")),
    Question("is_ip", (), cel("isIp()")),
    Question("is_ip", (4,), cel("isIp(4)")),
    Question("is_ip", (6,), cel("isIp(6)")),
    Question("is_ip_prefix", (), cel("isIpPrefix()")),
    Question("is_ip_prefix", (4,), cel("isIpPrefix(4)")),
    Question("is_ip_prefix", (6,), cel("isIpPrefix(6)")),
    Question("is_ip_prefix", (0, True), cel("isIpPrefix(true)")),
    Question("is_ip_prefix", (4, True), cel("isIpPrefix(4, true)")),
    Question("is_ip_prefix", (6, True), cel("isIpPrefix(6, true)")),
    Question("is_uri", (), cel("isUri()")),
    Question("is_uri_ref", (), cel("isUriRef()")),
    Question("is_host_and_port", (True,), cel("isHostAndPort(true)")),
    Question("is_host_and_port", (False,), cel("isHostAndPort(false)")),
    Question("is_address", (), "string.address = true"),
    Question("is_uuid", (), "string.uuid = true"),
    Question("is_tuuid", (), "string.tuuid = true"),
    Question("is_ulid", (), "string.ulid = true"),
    Question("is_protobuf_fqn", (), "string.protobuf_fqn = true"),
    Question("is_protobuf_dot_fqn", (), "string.protobuf_dot_fqn = true"),
    Question("is_header_name", (True,), "string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_NAME"),
    Question(
        "is_header_name",
        (False,),
        "string = {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME, strict: false}",
    ),
    Question("is_header_value", (True,), "string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_VALUE"),
    Question(
        "is_header_value",
        (False,),
        "string = {well_known_regex: KNOWN_REGEX_HTTP_HEADER_VALUE, strict: false}",
    ),
    Question("is_web_url", (), ""),
)

EXCUSED = {
    # RFC 6874 has a zone in an IPv6 address only, and protovalidate-es 1.3.0 says so, too.
    "is_uri": re.compile(r"\[[vV][^\]]*%25"),
    "is_uri_ref": re.compile(r"\[[vV][^\]]*%25"),
    # No browser opens an IPvFuture, or a bracket in a zone or in a name of a user; a form ignores
    # the space around a text, and has this capital letter in small ones, one of them a mark.
    "is_web_url": re.compile(r"\[[vV]|%[^\]/?#]*\[|[\[\]][^/?#]*@|\A\s|\s\Z|\u0130"),
}
"""Function → the texts of which the other judge is wrong, or asked for something else."""

PIECES = (
    *"\0\t\n\r\v\x1f\x7f .:/?#[]@!$&'()*+,;=%-_~^`{|}\\\"<>019afgGzZvV",
    *("\x80", "\x85", "\xa0", "é", "ſ", "\u212a", "İ", "１", "٣", "\u2028", "\ufeff", "\U0001f642"),  # noqa: RUF001
    *("::", "//", "://", "..", "%25", "%c3", "%C3%A9", "%ed%a0%80", "%f5", "%0", "%zz", "%00"),
    *("1.2.3.4", "256", "01", "255", "65535", "65536", "ffff", "::1", "fe80::a%en1", "[::1]"),
    *("[v1.x]", "v1.", "[", "]", "%25en0", "/0", "/32", "/128", "/33", "localhost", "xn--a"),
    *("a" * 61, "a" * 62, "a" * 63, "a" * 64, "a." * 60, "-" * 3, "0" * 5, "http", "mailto:"),
)
OWN: dict[str, tuple[str, ...]] = {
    "is_email": ("a@b", "a.b+c@d-e.f", "x@" + "a" * 63 + "." + "b" * 63),
    "is_uri": ("s://u:p@h:1/a/b;c?d=e#f", "http://[fe80::1%25e]:8/", "a:b", "http://[v1.a%25e]"),
    "is_uri_ref": ("//[v1.a%25e]", "//h", "../a:b", "?a", "#a", "a/b:c", "//u@[::]:1/x", "/a//b"),
    "is_protobuf_fqn": ("a.b_c.D1", "_"),
    "is_protobuf_dot_fqn": (".a.b_c.D1", "._"),
    "is_header_name": ("content-type", ":path", "x,y"),
    "is_header_value": ("a b", "a\tb", ""),
}


def changed(random: Random, texts: Sequence[str]) -> str:
    """One of the texts, with up to four changes."""
    text = random.choice(texts)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 1, 2, 4, 16)))
        match random.randrange(6):
            case 0 | 1:
                text = text[:start] + random.choice(PIECES) + text[end:]
            case 2:
                text = text[:start] + text[end:]
            case 3:
                text = text[:end] + text[start:]
            case 4:
                other = random.choice(texts)
                text = text[:start] + other[random.randint(0, len(other)) :]
            case _:
                text = text[:start] + text[start:end].swapcase() + text[end:]
    return text


class FormRule:
    """The rule of a form for a web address, asked as a `Judge` is."""

    def verdicts(self, _number: int, texts: Sequence[str]) -> str:
        """What it says of each text."""
        return "".join("0" if url(text) else "1" for text in texts)

    def close(self) -> None:
        """End it: there is nothing to end."""


class Judge(FormRule):
    """A program that answers a line of texts with a line of verdicts, `0` and `1`."""

    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def verdicts(self, number: int, texts: Sequence[str]) -> str:
        """What it says of each text."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([number, texts]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
        assert len(answer) == len(texts), f"{process.args!r} has failed"
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


THEIRS = """
import json, sys
sys.path.append(sys.argv[2])
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
import protovalidate

pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(open(sys.argv[1], "rb").read()).file:
    pool.AddSerializedFile(file.SerializeToString())
for line in sys.stdin:
    number, texts = json.loads(line)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"judged.Q{number}"))
    bad = protovalidate.collect_violations(kind(texts=texts))
    wrong = {each.proto.field.elements[0].subscript.value for each in bad}
    print("".join("0" if place in wrong else "1" for place in range(len(texts))), flush=True)
"""

OURS_TYPESCRIPT = """
import { createInterface } from "node:readline";
import * as formats from "./src/schema/formats.ts";

const questions = %s;
for await (const line of createInterface({ input: process.stdin })) {
  const [number, texts] = JSON.parse(line);
  const [name, given] = questions[number];
  console.log(texts.map((text) => (formats[name](text, ...given) ? "1" : "0")).join(""));
}
"""


def camel(name: str) -> str:
    """A name as TypeScript has it."""
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def typescript(folder: Path) -> Judge:
    """Our judge in TypeScript."""
    questions = [[camel(each.function), each.arguments] for each in QUESTIONS]
    built = folder / "ours.mjs"
    subprocess.run(
        [
            str(TYPESCRIPT / "node_modules" / ".bin" / "esbuild"),
            *("--bundle", "--platform=node", "--format=esm", "--target=es2022", "--loader=ts"),
            *("--log-level=warning", f"--outfile={built}"),
        ],
        input=OURS_TYPESCRIPT % json.dumps(questions),
        text=True,
        check=True,
        cwd=TYPESCRIPT,
    )
    return Judge("node", str(built))


def protovalidate(folder: Path, python: str) -> Judge:
    """Theirs. The official protobuf library comes from where we have it."""
    messages = "".join(
        f"message Q{number} {{ repeated string texts = 1"
        f" [(buf.validate.field).repeated.items.{each.rule}]; }}\n"
        for number, each in enumerate(QUESTIONS)
        if each.rule
    )
    (folder / "judged.proto").write_text(
        f'syntax = "proto3";\npackage judged;\nimport "buf/validate/validate.proto";\n{messages}'
    )
    files = folder / "judged.binpb"
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"-I{PROTOS}"),
            *("--include_imports", f"--descriptor_set_out={files}", "judged.proto"),
        ],
        check=True,
    )
    program = folder / "theirs.py"
    program.write_text(THEIRS)
    google = Path(importlib.import_module("google.protobuf").__path__[0]).parents[1]
    return Judge(python, str(program), str(files), str(google))


def batches(random: Random, texts: Sequence[str], count: int) -> Iterator[list[str]]:
    """That many changed texts."""
    for start in range(0, count, BATCH):
        yield [changed(random, texts) for _ in range(min(BATCH, count - start))]


def differences(
    number: int, texts: Sequence[str], others: Sequence[tuple[str, FormRule]]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each text of which somebody says something else, and who says what."""
    question = QUESTIONS[number]
    formats = importlib.import_module("rhtmx.schema.formats")
    function: Callable[..., bool] = getattr(formats, question.function)
    said = {"python": "".join(str(+function(text, *question.arguments)) for text in texts)}
    said |= {name: judge.verdicts(number, texts) for name, judge in others}
    for place, text in enumerate(texts):
        if len({each[place] for each in said.values()}) > 1:
            yield text, {name: each[place] for name, each in said.items()}


def seeds(function: str) -> list[str]:
    """What the texts for a function are made of."""
    cases = json.loads((VECTORS / "formats_conformance.json").read_text())["cases"]
    cases += json.loads((VECTORS / "formats.json").read_text())
    return sorted({each["text"] for each in cases if each["function"] == function}) + list(
        OWN.get(function, ())
    )


def main() -> int:
    """Run the campaign; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="a Python that has protovalidate")
    parser.add_argument("--count", type=int, default=200_000, help="texts for each question")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a function")
    given = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        own, theirs = typescript(Path(name)), protovalidate(Path(name), given.python)
        for number, question in enumerate(QUESTIONS):
            if given.only in (None, question.function):
                other = theirs if question.rule else FormRule()
                judges = (("typescript", own), ("the other", other))
                wrong += asked(number, given.count, given.seed, judges)
        own.close()
        theirs.close()
    return 1 if wrong else 0


def asked(number: int, count: int, seed: int, others: Sequence[tuple[str, FormRule]]) -> int:
    """Ask one question of many texts, and tell what comes of it; returns the differences."""
    question, began = QUESTIONS[number], time.monotonic()
    random, texts = Random(f"{seed} {number}"), seeds(question.function)
    good = wrong = excused = 0
    excuse = EXCUSED.get(question.function, re.compile(r"(?!)"))
    for batch in batches(random, texts, count):
        good += others[0][1].verdicts(number, batch).count("1")
        for text, said in differences(number, batch, others):
            if excuse.search(text) and said["python"] == said["typescript"]:
                excused += 1
                continue
            wrong += 1
            if wrong <= 20:
                print(f"  {text!a}: {said}")  # noqa: T201
    took = time.monotonic() - began
    shown = f"{question.function}{question.arguments}: {count} texts, {good} good"
    print(f"{shown}, {wrong} differ, {excused} excused, {took:.0f} s", flush=True)  # noqa: T201
    return wrong


if __name__ == "__main__":
    sys.exit(main())
