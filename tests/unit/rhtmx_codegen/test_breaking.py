"""Facts about `rhtmx_codegen.breaking`: which change needs a version, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from rhtmx_codegen.breaking import breaking
from rhtmx_codegen.lock import NO_LOCK, with_version
from rhtmx_codegen.model import Schema
from rhtmx_codegen.problems import Problem
from rhtmx_codegen.read import read_schema
from tests.support.schemas import HEAD, descriptors

ENTITY = "option (rhtmx.v1.entity) = {};"
WORDS = "A_B = 0; A_C = 1;"


def task(fields: str, option: str = ENTITY, words: str = WORDS, version: int = 1) -> str:
    """A schema whose fields begin in line 9, and whose words in line 12."""
    return (
        f"{HEAD}option (rhtmx.v1.schema).version = {version};\n"
        f"message Task {{\n {option}\n {fields}\n}}\nenum A {{\n {words}\n}}\n"
    )


def rule(rules: str) -> str:
    return task(f"string a = 1 [(buf.validate.field) = {{{rules}}}];")


def trait(traits: str) -> str:
    return task(f"string a = 1 [(rhtmx.v1.field) = {{{traits}}}];")


def cel(expression: str, field: str = "string a = 1;") -> str:
    rule = f'option (buf.validate.message).cel = {{id: "x" expression: "{expression}"}};'
    return task(field, f"{ENTITY} {rule}")


class Change(NamedTuple):
    """Two states of one version; the line of the second that is refused, and words."""

    before: str
    after: str
    line: int
    words: str


A = task("string a = 1;")
REFUSED = {
    "type": Change(A, task("int32 a = 1;"), 9, "is int32, and was string: take a number that was"),
    "one becomes many": Change(A, task("repeated string a = 1;"), 9, "is repeated string"),
    "number becomes text": Change(
        task("int64 a = 1;"), task("int64 a = 1 [jstype = JS_STRING];"), 9, "is int64 as text"
    ),
    "key": Change(
        A, task("string b = 1;"), 9, 'keep it with [json_name = "a"], or raise (rhtmx.v1.schema)'
    ),
    "number": Change(A, task("string a = 2;"), 9, "has number 2, and had 1: a number means one"),
    "gone": Change(A, task(""), 7, "field a of Task is gone: write `reserved 1;`"),
    "gone with its number": Change(A, task("reserved 1;"), 7, 'write `reserved "a";`'),
    "shorter": Change(
        rule("string: {max_len: 80}"),
        rule("string: {max_len: 40}"),
        9,
        "rule string.max_len is 40, and was 80, which allows less: raise (rhtmx.v1.schema).version "
        "to 2",
    ),
    "longer": Change(rule("string: {min_len: 1}"), rule("string: {min_len: 2}"), 9, "allows less"),
    "pattern": Change(
        rule('string: {pattern: "a"}'), rule('string: {pattern: "b"}'), 9, "rule string.pattern"
    ),
    "fewer words": Change(
        rule('string: {in: ["a", "b"]}'), rule('string: {in: "a"}'), 9, "rule string.in"
    ),
    "CEL": Change(cel("this.a > 'a'"), cel("this.a > 'b'"), 7, "rule cel[x].expression"),
    "merge": Change(A, trait("merge: MERGE_KEEP_BOTH"), 9, "merge is keep_both, and was not said"),
    "scale": Change(
        trait("merge: MERGE_COUNTER scale: 2"),
        trait("merge: MERGE_COUNTER scale: 3"),
        9,
        "scale is 3, and was 2",
    ),
    "oneof": Change(A, task("oneof x { string a = 1; }"), 9, "oneof is x, and was not said"),
    "read_only": Change(A, trait("read_only: true"), 9, "is read_only, and clients have written"),
    "server_only": Change(A, trait("server_only: true"), 9, "is server_only"),
    "immutable": Change(A, trait("immutable: true"), 9, "is immutable"),
    "partition": Change(
        A,
        task("string a = 1;", 'option (rhtmx.v1.entity) = {partition: {fields: "a"}};'),
        7,
        "Task is divided by a, and was not said",
    ),
    "whole": Change(
        A, task("string a = 1;", "option (rhtmx.v1.entity).whole = true;"), 7, "as a whole True"
    ),
    "name": Change(
        A,
        task("string a = 1;", 'option (rhtmx.v1.entity).name = "other";'),
        7,
        "Task is the entity other, and was task",
    ),
    "entity no more": Change(A, task("string a = 1;", ""), 7, "is the entity not said"),
    "word": Change(
        A, task("string a = 1;", words="A_B = 0; A_D = 1;"), 12, 'with [(rhtmx.v1.word) = "c"]'
    ),
    "number of a word": Change(
        A, task("string a = 1;", words="A_B = 0; A_C = 2;"), 12, "'c' of A has number 2, and had 1"
    ),
    "word gone": Change(A, task("string a = 1;", words="A_B = 0;"), 11, "write `reserved 1;`"),
}
FREE = {
    "the same": (A, A),
    "another field": (A, task("string a = 1; string b = 2;")),
    "another message": (A, f"{A}message B {{}}"),
    "another word": (A, task("string a = 1;", words=f"{WORDS} A_E = 2;")),
    "name that keeps its key": (A, task('string b = 1 [json_name = "a"];')),
    "name in a rule, too": (
        cel("this.a > 'a'"),
        cel("this.b > 'a'", 'string b = 1 [json_name = "a"];'),
    ),
    "gone and reserved": (A, task('reserved 1; reserved "a";')),
    "word gone and reserved": (A, task("string a = 1;", words="A_B = 0; reserved 1;")),
    "a new rule": (A, rule("string: {min_len: 1}")),
    "a rule less": (rule("string: {min_len: 1}"), A),
    "a rule that allows more": (rule("string: {max_len: 1}"), rule("string: {max_len: 2}")),
    "more words": (rule('string: {in: "a"}'), rule('string: {in: ["a", "b"]}')),
    "words of a rule": (
        rule('cel: {id: "x" message: "a" expression: "true"}'),
        rule('cel: {id: "x" message: "b" expression: "true"}'),
    ),
    "read_only no more": (trait("read_only: true"), A),
    "optional": (A, task("optional string a = 1;")),
    "access": (A, task("string a = 1;", "option (rhtmx.v1.entity).access = {anyone: true};")),
    "label": (A, trait('label: "A" help: "B" secret: true')),
    "a higher version": (A, task("int32 b = 1;", version=2)),
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Schema]:
    """All texts, compiled in one run, each in a package of its own that is then the same."""
    changes = [text for each in REFUSED.values() for text in each[:2]]
    texts = sorted({*changes, *(text for pair in FREE.values() for text in pair)})
    files = {f"f{index}.proto": text for index, text in enumerate(texts)}
    packaged = {
        name: text.replace("package app.v1;", f"package {name.removesuffix('.proto')};")
        for name, text in files.items()
    }
    compiled = descriptors(packaged)
    return {text: read_schema(compiled, [name]) for name, text in files.items()}


def compared(schemas: dict[str, Schema], before: str, after: str) -> list[Problem]:
    """What is refused of a change; the packages count as one."""
    import json

    one, two = schemas[before], schemas[after]
    text = json.dumps(with_version(NO_LOCK, one)[1])
    mine, theirs = (each.files[0].removesuffix(".proto") for each in (one, two))
    return list(breaking({1: json.loads(text.replace(f'"{mine}.', f'"{theirs}.'))}, two))


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_clients_can_tell_is_refused_with_its_line(
    name: str, schemas: dict[str, Schema]
) -> None:
    before, after, line, words = REFUSED[name]
    (problem,) = compared(schemas, before, after)
    assert problem.location.line == line
    assert words in problem.words


@pytest.mark.parametrize("name", FREE)
def test_a_change_that_clients_cannot_tell_is_free(name: str, schemas: dict[str, Schema]) -> None:
    assert compared(schemas, *FREE[name]) == []


def test_without_a_lock_all_is_free(schemas: dict[str, Schema]) -> None:
    assert list(breaking(NO_LOCK, schemas[A])) == []


def test_an_entity_or_a_form_that_is_gone_is_missed() -> None:
    text = f"{HEAD}message B {{ option (rhtmx.v1.form) = {{}}; }} message C {{}}"
    lock = with_version(NO_LOCK, read_schema(descriptors({"a.proto": text}), ["a.proto"]))
    now = read_schema(descriptors({"a.proto": HEAD}), ["a.proto"])
    assert list(map(str, breaking(lock, now))) == [
        "a.proto: form 'b' (message app.v1.B) is gone, and clients use it: raise "
        "(rhtmx.v1.schema).version to 2"
    ]


def test_a_version_never_goes_back(schemas: dict[str, Schema]) -> None:
    (problem,) = breaking({3: {"messages": {}, "enums": {}}}, schemas[A])
    assert "this is version 1, and the lock has version 3" in problem.words


UPCAST = "and say with @app.upcast what becomes of older writes"
REFUSES = "older writes of it are then refused with upgrade_required, and their clients keep them"
STEP = "message Step {{\n string {} = 1;\n}}\n"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (A, task("string a = 1;", words="A_B = 0; A_D = 1;"), UPCAST),
        (
            task("Step step = 1;") + STEP.format("a"),
            task("Step step = 1;") + STEP.format("b"),
            UPCAST,
        ),
        (A, task("string a = 1;", 'option (rhtmx.v1.entity).name = "other";'), REFUSES),
        (A, task("string a = 1;", ""), REFUSES),
    ],
    ids=["a word of an enum", "a key within a value", "an entity", "an entity that is gone"],
)
def test_of_another_name_that_no_code_translates_it_says_what_becomes_of_older_writes(
    before: str, after: str, says: str
) -> None:
    one, two = (
        read_schema(descriptors({"a.proto": each}), ["a.proto"]) for each in (before, after)
    )
    (problem,) = breaking(with_version(NO_LOCK, one), two)
    assert says in problem.words
    assert "raise (rhtmx.v1.schema).version to 2" in problem.words
