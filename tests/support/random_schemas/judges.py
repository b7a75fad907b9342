"""The judges of a value: our Python, our TypeScript in Node and in Chromium, and protovalidate.

Knows how each is asked. Must not know chance.
"""

from __future__ import annotations

import base64
import importlib
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from rhtmx import schema as _s
from rhtmx.errors import Violation
from rhtmx.schema.judge import judge_message
from tests.support.cel_judges import Program
from tests.support.programs import TYPESCRIPT
from tests.support.random_schemas.compiling import Generated, generated
from tests.support.random_schemas.texts import Application
from tests.support.random_schemas.values import Value, fill, json_text

__all__ = ["Answer", "Case", "Judges", "disagreement"]

_HERE = Path(__file__).parent
_ERRS = ("cannot be judged: ", "must be text in UTF-8")
_OF_CEL = re.compile(r"c\d+|own_.*")
_OURS_ALONE = frozenset(("safe_integer", "finite"))
"""What reading implies: protobuf's binary can say what JSON cannot."""

Answer: TypeAlias = "list[list[str]] | str"
"""Field, rule and words of all that is wrong; or why nobody can say."""


class Case(NamedTuple):
    """One value.

    Args:
        application: the schema.
        value: of the message that is judged.
        spelling: chooses how it is written in JSON.
    """

    application: Application
    value: Value
    spelling: int = 0

    def text(self) -> str:
        """It, as JSON."""
        return json_text(self.application, self.value, self.spelling)


class Judges:
    """All judges, until it is closed.

    Args:
        folder: an empty one.
        typescript: the folder of the client's TypeScript, `src` of it.
        chromium: the path of Chromium; without: it is not asked.
        protovalidate: the path of a Python that has protovalidate; without: it is not asked.
    """

    def __init__(
        self,
        folder: Path,
        *,
        typescript: Path = TYPESCRIPT / "src",
        chromium: str = "",
        protovalidate: str = "",
    ) -> None:
        self._folder = folder
        self._typescript = typescript
        driver = str(_HERE / "judging.mjs")
        self._browsers = {"node": Program("node", driver)}
        if chromium:
            self._browsers["chromium"] = Program("node", driver, chromium)
        self._theirs: Program | None = None
        if protovalidate:
            google = Path(importlib.import_module("google.protobuf").__path__[0]).parents[1]
            program = str(_HERE / "judging.py")
            self._theirs = Program(protovalidate, program, str(google))
        self._bundles = 0
        self._bundle = Path()
        self._tables: dict[str, _s.Message] = {}
        self._files = b""
        self.now = 0

    def close(self) -> None:
        """End them."""
        for each in [*self._browsers.values(), *([self._theirs] if self._theirs else [])]:
            each.close()

    def load(self, applications: Sequence[Application], refused: Counter[str]) -> None:
        """Compile schemas; all that is asked from now on is about these.

        Args:
            applications: they; rules that codegen refuses are taken out.
            refused: counts why rules were refused.
        """
        made = generated(applications, refused)
        self._tables = made.tables()
        self._files = made.files
        self._bundle = self._bundled(made)
        self.now = time.time_ns()

    def _bundled(self, made: Generated) -> Path:
        self._bundles += 1
        folder = self._folder / f"bundle{self._bundles}"
        folder.mkdir()
        lines = []
        for package, text in made.typescript.items():
            (folder / f"{package}.ts").write_text(text)
            lines.append(f'import * as {package} from "./{package}.ts";')
        lines.append(f"export const TABLES: any = {{ {', '.join(made.typescript)} }};")
        (folder / "tables.ts").write_text("\n".join(lines))
        alias = {
            "@rhtmx/client/schema": self._typescript / "schema.ts",
            "@rhtmx/value": self._typescript / "wire" / "value.ts",
            "tables": folder / "tables.ts",
        }
        subprocess.run(
            [
                str(TYPESCRIPT / "node_modules" / ".bin" / "esbuild"),
                *(str(_HERE / "judging.ts"), "--bundle", "--format=iife", "--target=es2022"),
                *("--log-level=error", "--charset=utf8", f"--outfile={folder / 'out.js'}"),
                *(f"--alias:{name}={path}" for name, path in alias.items()),
            ],
            check=True,
        )
        return folder / "out.js"

    def ask(self, cases: Sequence[Case]) -> list[dict[str, Answer]]:
        """What each judge says of each case."""
        texts = [each.text() for each in cases]
        said: dict[str, list[Answer]] = {
            "python": [
                self._in_python(case, text) for case, text in zip(cases, texts, strict=True)
            ],
        }
        question = self._question("judged", cases, texts)
        for name, program in self._browsers.items():
            said[name] = program.ask(question)
        if self._theirs is not None:
            said["protovalidate"] = self._theirs.ask(self._in_binary(cases))
        return [
            {name: answers[number] for name, answers in said.items()}
            for number in range(len(cases))
        ]

    def _question(self, name: str, cases: Sequence[Case], texts: Sequence[str]) -> list[Any]:
        found = [
            [case.application.package, "RECORD_RULES", text]
            for case, text in zip(cases, texts, strict=True)
        ]
        return [str(self._bundle), name, found, str(self.now)]

    def _in_python(self, case: Case, text: str) -> Answer:
        # All of it: which are the first hundred, depends on the order of a map's keys, and
        # JavaScript has those that are numbers first.
        found: list[Violation] = []
        table = self._tables[case.application.package]
        try:
            judge_message(table, json.loads(text), "", found, self.now)
        except Exception as error:
            return f"! {error!r}"
        return [[each.field.removeprefix("."), each.code, each.message] for each in found]

    def _in_binary(self, cases: Sequence[Case]) -> list[Any]:
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self._files).file:
            pool.AddSerializedFile(file.SerializeToString())
        asked = []
        for case in cases:
            name = f"{case.application.package}.Record"
            part = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
            fill(part, case.value, case.application, case.application.root)
            asked.append([name, base64.b64encode(part.SerializeToString()).decode()])
        return [base64.b64encode(self._files).decode(), asked]

    def milliseconds(self, cases: Sequence[Case]) -> list[dict[str, float]]:
        """How long each of ours takes for each case: the fastest of three times."""
        texts = [each.text() for each in cases]
        question = self._question("timed", cases, texts)
        found = {name: program.ask(question) for name, program in self._browsers.items()}
        found["python"] = [
            self._timed(case, json.loads(text)) for case, text in zip(cases, texts, strict=True)
        ]
        return [
            {name: took[number] for name, took in found.items()} for number in range(len(cases))
        ]

    def _timed(self, case: Case, json_value: Mapping[str, Any]) -> float:
        took = []
        for _ in range(3):
            began = time.process_time()
            _s.judge(self._tables[case.application.package], json_value, now=self.now)
            took.append(time.process_time() - began)
        return min(took) * 1000


def disagreement(said: Mapping[str, Answer]) -> str:
    """What judges disagree about; nothing if they do not.

    Args:
        said: what each says of one value.
    """
    broken = {name: each for name, each in said.items() if _is_broken(each)}
    if broken:
        return f"no answer: {broken}"
    ours = {
        name: sorted(each)
        for name, each in said.items()
        if name != "protovalidate" and not isinstance(each, str)
    }
    first = ours["python"]
    for name, each in ours.items():
        if each != first:
            return f"python {_only(first, each)}, {name} {_only(each, first)}"
    theirs = said.get("protovalidate")
    return _against(first, theirs) if theirs is not None else ""


def _is_broken(answer: Answer) -> bool:
    return isinstance(answer, str) and answer != "error"


def _only(one: list[Any], other: list[Any]) -> list[Any]:
    return [each for each in one if each not in other]


def _against(ours: Sequence[Sequence[str]], theirs: Answer) -> str:
    """What we and protovalidate disagree about. It says nothing more where a rule errs."""
    erring = [code for _, code, words in ours if words.startswith(_ERRS)]
    if isinstance(theirs, str):
        return "" if erring else "protovalidate has an error, ours none"
    if erring:
        return f"protovalidate has no error, ours: {erring}"
    said = sorted(_compared(each) for each in ours if each[1] not in _OURS_ALONE)
    other = sorted(_compared(each) for each in theirs)
    if said == other:
        return ""
    return f"ours {_only(said, other) or said}, protovalidate {_only(other, said) or other}"


def _compared(violation: Sequence[str]) -> list[str]:
    """What is compared: words only where a rule in CEL says them itself."""
    field, code, words = violation
    ours = words.startswith("must satisfy ") or words.endswith(" returned false")
    own = _OF_CEL.fullmatch(code) and not ours
    return [field, code, words] if own else [field, code]
