"""Judges protovalidate's conformance suite by generated code, in both languages.

Knows what is counted. Must not know how code is generated or run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from rhtmx.schema import judge
from rhtmx_codegen.pool import Pool
from tests.support.protovalidate_suite.generated import (
    Generated,
    Judgement,
    generate,
    python_judges,
    typescript_judges,
)
from tests.support.protovalidate_suite.json_form import json_form
from tests.support.protovalidate_suite.suite import Case

__all__ = ["Report", "campaign", "with_lines"]

IMPLIED = frozenset(("finite", "safe_integer"))
"""What our reading implies, and protovalidate does not."""


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        agreed: cases of which both languages say what the suite wants.
        implied: of these, those where we refuse a number, too, that JSON cannot say.
        erring: cases that are to fail at run time, of which we say that the rule is broken.
        different: cases of which a language says something else.
        refused: cases whose message is refused when code is generated, by the reason.
        placeless: refusals without a file or a line.
        out: cases of another syntax, by it.
        words: cases of which the languages say other words.
        browser: cases that Chromium has judged.
        apart: of these, those of which Chromium says something else than Node.
    """

    agreed: int = 0
    implied: int = 0
    erring: int = 0
    different: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    placeless: list[str] = field(default_factory=list)
    out: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    browser: int = 0
    apart: list[str] = field(default_factory=list)


def with_lines(files: Any) -> bytes:
    """A descriptor set with a line of its own for each message and field, as a source has it.

    Args:
        files: without source information.
    """
    whole = descriptor_pb2.FileDescriptorSet.FromString(files.SerializeToString())
    for file in whole.file:
        line = iter(range(1, 1_000_000))

        def placed(path: list[int], file: Any = file, line: Any = line) -> None:
            file.source_code_info.location.add(path=path, span=[next(line), 2, 10])

        def message(node: Any, path: list[int], placed: Any = placed) -> None:
            placed(path)
            for index in range(len(node.field)):
                placed([*path, 2, index])
            for index, each in enumerate(node.nested_type):
                message(each, [*path, 3, index])

        placed([])
        for index, node in enumerate(file.message_type):
            message(node, [4, index])
    return whole.SerializeToString()


def campaign(cases: Iterable[Case], folder: Path, chromium: str = "") -> Report:
    """Judge cases.

    Args:
        cases: they.
        folder: an empty one.
        chromium: its path; without it, no browser is asked.
    """
    report, now = Report(), time.time_ns()
    pools: dict[str, Pool] = {}
    made: dict[tuple[str, str], Generated] = {}
    judged: list[tuple[Case, Generated, dict[str, Any], list[Any]]] = []
    tables: dict[str, Any] = {}
    for case in cases:
        if case.syntax != "proto3":
            report.out[case.syntax] += 1
            continue
        if case.suite not in pools:
            pools[case.suite] = Pool(with_lines(case.descriptors))
        key = (case.suite, case.message)
        if key not in made:
            made[key] = generate(pools[case.suite], case.message)
        generated = made[key]
        if generated.problems:
            problem = generated.problems[0]
            report.refused[problem.words] += 1
            if not (problem.location.file and problem.location.line):
                report.placeless.append(str(problem))
            continue
        if case.message not in tables:
            tables[case.message] = python_judges(generated)
        form, full = (_record(case, generated, pools[case.suite], zeros) for zeros in (False, True))
        found = judge(tables[case.message], form, now=now)
        assert found == judge(tables[case.message], full, now=now), case.name
        judged.append((case, generated, form, list(found)))
    unique = {each.name: each for _, each, _, _ in judged}
    asked = [(case.message, form) for case, _, form, _ in judged]
    told = typescript_judges(unique.values(), asked, now, folder, chromium)
    report.apart = [
        f"{case.suite} {case.name}: Node {node}, Chromium {browser}"
        for (case, *_), node, browser in zip(
            judged, told["node"], told.get("chromium", told["node"]), strict=True
        )
        if node != browser
    ]
    report.browser = len(told.get("chromium", ()))
    for (case, _, _, python), node in zip(judged, told["node"], strict=True):
        ours = [(each.field, each.code, each.message) for each in python]
        _count(report, case, ours, node)
    return report


def _record(case: Case, generated: Generated, pool: Pool, zeros: bool) -> dict[str, Any]:
    from google.protobuf import message_factory

    kind = message_factory.GetMessageClass(pool.message(case.message))
    message = generated.schema.messages[case.message]
    return json_form(kind.FromString(case.value), message, generated.schema, zeros=zeros)


def _count(
    report: Report,
    case: Case,
    python: list[tuple[str, str, str]],
    node: list[tuple[str, str, str]],
) -> None:
    name = f"{case.suite} {case.name}"
    found = [_plain(python), _plain(node)]
    if sorted(python) != sorted(node):
        report.words.append(f"{name}: Python {python}, TypeScript {node}")
    if case.wanted is None and all(found):
        report.erring += 1
    elif found == [case.wanted, case.wanted]:
        report.agreed += 1
        report.implied += any(code in IMPLIED for _, code, _ in python)
    else:
        report.different.append(
            f"{name} ({case.message}): wanted {case.wanted}, Python {found[0]}, Node {found[1]}"
        )


def _plain(found: list[tuple[str, str, str]]) -> Judgement:
    return sorted((path, code) for path, code, _ in found if code not in IMPLIED)
