"""Random schemas through `rhtmx codegen`, without the rules that it refuses.

Knows how generated code is loaded. Must not know what it says of a value.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from rhtmx import schema as _s
from rhtmx_codegen.emit import emit_python, emit_typescript
from rhtmx_codegen.problems import Problem, SchemaError
from rhtmx_codegen.read import read_schema
from tests.support.random_schemas.texts import Application, Field, Rule
from tests.support.schemas import descriptors

__all__ = ["Generated", "generated"]


@dataclass(frozen=True, slots=True)
class Generated:
    """What codegen makes of some schemas.

    Attributes:
        files: the serialised descriptor set of all of them.
        python: the module of each, by its package.
        typescript: likewise.
    """

    files: bytes
    python: dict[str, str]
    typescript: dict[str, str]

    def tables(self) -> dict[str, _s.Message]:
        """The table of the message that is judged, of each schema by its package."""
        return {package: _table(package, text) for package, text in self.python.items()}


def _table(package: str, text: str) -> _s.Message:
    module = ModuleType(f"generated_{package}")
    sys.modules[module.__name__] = module  # dataclasses look there for what names mean
    exec(compile(text, f"{package}.py", "exec"), module.__dict__)
    table: _s.Message = module._RECORD
    return table


def generated(applications: Sequence[Application], refused: Counter[str]) -> Generated:
    """Generate code of schemas; rules that cannot be, are taken out of them.

    Args:
        applications: the schemas; they are changed.
        refused: counts why rules were refused.

    Raises:
        AssertionError: a refusal says no place, or the wrong one.
    """
    python: dict[str, str] = {}
    typescript: dict[str, str] = {}
    left = list(applications)
    files = b""
    rounds = 0
    while left:
        files = descriptors(_texts(left))
        rounds += 1
        for each in list(left):
            name = each.package
            schema = read_schema(files, [f"{name}.proto"]) if _reads(files, each, refused) else None
            if schema is None:
                continue
            try:
                python[name] = emit_python(schema)[f"{name}.py"]
                typescript[name] = emit_typescript(schema)[f"{name}.ts"]
                left.remove(each)
            except SchemaError as error:
                _take_out(each, error.problems, refused)
    if rounds > 1:
        files = descriptors(_texts(applications))
    return Generated(files, python, typescript)


def _reads(files: bytes, application: Application, refused: Counter[str]) -> bool:
    try:
        read_schema(files, [f"{application.package}.proto"])
    except SchemaError as error:
        _take_out(application, error.problems, refused)
        return False
    return True


def _texts(applications: Sequence[Application]) -> dict[str, str]:
    return {name: text for each in applications for name, text in each.files().items()}


def _take_out(application: Application, problems: Sequence[Problem], refused: Counter[str]) -> None:
    """Take out of a schema what is wrong with it."""
    before = application.files()
    found = [(each, application.line_of(each.location.line)) for each in problems]
    for problem, place in found:
        at = problem.location
        assert at.file == f"{application.package}.proto", problem
        assert place is not None, f"{problem} is on no line of a field or a message"
        refused[_reason(problem.words)] += 1
        lists = (
            [rules for _, rules in place.places()] if isinstance(place, Field) else [place.rules]
        )
        if not sum(_drop(each, problem.words) for each in lists):
            for each in lists:
                each.clear()
    assert application.files() != before, f"nothing could be taken out: {problems}"


def _drop(rules: list[Rule], words: str) -> bool:
    """Take out the rules that are meant; whether there are some."""
    meant = [each for each in rules if each.name and words.startswith(f"rule {each.name}: ")]
    if "leave `required` out" in words:
        meant = [each for each in rules if each.name == "required"]
    rules[:] = [each for each in rules if each not in meant]
    return bool(meant)


def _reason(words: str) -> str:
    """Why, without what is different each time."""
    start, _, why = words.partition(": ")
    kind = start.removeprefix("rule ")
    if kind[:1] == "c" and kind[1:].isdigit():
        return f"CEL: {why.partition(' (at character')[0]}"
    return f"{kind.rpartition('.')[2] if ' ' not in kind else 'a field'}: {why}"
