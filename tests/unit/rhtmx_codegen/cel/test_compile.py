"""What rules become in both languages."""

import pytest

from rhtmx_codegen.cel import compile_rule
from rhtmx_codegen.model import Kind, Type
from tests.unit.rhtmx_codegen.cel.schemas import SCHEMA, TASK, both, field, rule


@pytest.mark.parametrize(
    ("text", "python", "typescript"),
    [
        ("this.small <= this.other", 'this["small"] <= this["other"]', "self.small <= self.other"),
        (
            "this.small + 1 < this.other * 2",
            'this["small"] + 1 < this["other"] * 2',
            "self.small + 1 < self.other * 2",
        ),
        (
            "this.price / 2.0 > 1.5",
            '_s.cel_divide(this["price"], 2.0) > 1.5',
            "self.price / 2 > 1.5",
        ),
        ("this.title == 'a'", 'this["title"] == "a"', 'self.title === "a"'),
        ("this.price == 1", 'this["price"] == 1', "self.price === 1"),
        (
            "this.title.startsWith('a')",
            'this["title"].startswith("a")',
            'self.title.startsWith("a")',
        ),
        ("'a' in this.labels", '"a" in this["labels"]', 'self.labels.includes("a")'),
        ("!(this.small in [1, 2])", 'this["small"] not in [1, 2]', "![1, 2].includes(self.small)"),
        ("this.start <= now", '(this["start"] or 0) <= now', "(self.start ?? 0n) <= now"),
    ],
)
def test_what_is_exact_is_a_plain_operator(text: str, python: str, typescript: str) -> None:
    assert both(text) == (python, typescript)


@pytest.mark.parametrize(
    ("text", "python", "typescript"),
    [
        (
            "this.votes + 1 > 0",
            '_s.cel_int(this["votes"] + 1) > 0',
            "s.celInt(s.celAdd(self.votes, 1)) > 0",
        ),
        (
            "this.size - 1u < 5u",
            '_s.cel_uint(this["size"] - 1) < 5',
            "s.celUint(self.size - 1) < 5",
        ),
        (
            "this.small / this.other == 2",
            '_s.cel_quotient(this["small"], this["other"]) == 2',
            "s.celQuotient(self.small, self.other) === 2",
        ),
        (
            "this.small % 3 == -1",
            '_s.cel_remainder(this["small"], 3) == -1',
            "self.small % 3 === -1",
        ),
        ("this.size / 3u == 1u", 'this["size"] // 3 == 1', "Math.trunc(self.size / 3) === 1"),
        ("this.title < 'b'", 'this["title"] < "b"', 's.celCompare(self.title, "b") < 0'),
        (
            "this.blob == b'a'",
            "this[\"blob\"] == b'a'",
            "s.celCompareBytes(self.blob, new Uint8Array([97])) === 0",
        ),
        ("this.votes == this.price", 'this["votes"] == this["price"]', "self.votes == self.price"),
        ("double(this.small) > 0.5", 'float(this["small"]) > 0.5', "Number(self.small) + 0 > 0.5"),
        ("-this.small < 0", '-this["small"] < 0', "0 - self.small < 0"),
        (
            "this.prices == [1.0]",
            '_s.cel_equal(this["prices"], [1.0])',
            "s.celEqual(self.prices, [1])",
        ),
        (
            "this.start + duration('1h') > this.due",
            '_s.cel_timestamp((this["start"] or 0) + 3600000000000) > (this["due"] or 0)',
            "s.celTimestamp((self.start ?? 0n) + 3600000000000n) > (self.due ?? 0n)",
        ),
    ],
)
def test_what_is_not_exact_calls_a_helper(text: str, python: str, typescript: str) -> None:
    assert both(text) == (python, typescript)


@pytest.mark.parametrize(
    ("text", "python", "typescript"),
    [
        (
            "this.small / this.other > 2 || this.other == 0",
            'this["other"] == 0 or _s.cel_quotient(this["small"], this["other"]) > 2',
            "self.other === 0 || s.celQuotient(self.small, self.other) > 2",
        ),
        (
            "1 / this.small > 2 && 1 / this.other > 2 && this.done",
            'this["done"] and _s.cel_all_of(lambda: _s.cel_quotient(1, this["small"]) > 2, '
            'lambda: _s.cel_quotient(1, this["other"]) > 2)',
            "self.done && s.celAllOf(() => s.celQuotient(1, self.small) > 2, "
            "() => s.celQuotient(1, self.other) > 2)",
        ),
        (
            "this.points.all(p, 10 / p > 1)",
            '_s.cel_all(this["points"], lambda p_: _s.cel_quotient(10, p_) > 1)',
            "s.celAll(self.points, (p_: any) => s.celQuotient(10, p_) > 1)",
        ),
    ],
)
def test_only_several_sides_that_can_err_become_functions(
    text: str, python: str, typescript: str
) -> None:
    assert both(text) == (python, typescript)


@pytest.mark.parametrize(
    ("text", "python", "typescript"),
    [
        (
            "!has(this.due) || this.start <= this.due",
            'this["due"] is None or (this["start"] or 0) <= (this["due"] or 0)',
            "self.due == null || (self.start ?? 0n) <= (self.due ?? 0n)",
        ),
        ("has(this.small)", 'this["small"] != 0', "self.small !== 0"),
        ("has(this.price)", '_s.cel_is_set(this["price"])', "!Object.is(self.price, 0)"),
        ("has(this.title)", 'this["title"] != ""', 'self.title !== ""'),
        ("has(this.labels)", 'len(this["labels"]) > 0', "self.labels.length > 0"),
        ("has(this.names)", 'len(this["names"]) > 0', "self.names.size > 0"),
        ("has(this.meta)", 'this["meta"] is not None', "self.meta != null"),
        ("this.maybe > 3", '(this["maybe"] or 0) > 3', "(self.maybe ?? 0) > 3"),
        ("this.rate > 3.0", '_s.cel_field(this, "rate", 0.0) > 3.0', "(self.rate ?? 0) > 3"),
        (
            "this.step.next.name == ''",
            '_s.cel_field(_s.cel_field(this["step"], "next", None), "name", "") == ""',
            '(self.step?.next?.name ?? "") === ""',
        ),
        ("this.limit == null", 'this["limit"] is None', "self.limit == null"),
        ("this.limit > 2", '_s.cel_present(this["limit"]) > 2', "s.celPresent(self.limit) > 2"),
        ("this.level == 1", 'this["level"] == 1', "self.level === 1"),
        ("this.level == app.Level.LEVEL_LOW", 'this["level"] == 1', "self.level === 1"),
        ("this.level > 1", '_s.cel_known(this["level"]) > 1', "s.celKnown(self.level) > 1"),
        (
            "this.mask.paths == ['a']",
            '(this["mask"] or []) == ["a"]',
            's.celEqual(self.mask ?? [], ["a"])',
        ),
    ],
)
def test_absence_is_a_zero_or_an_error(text: str, python: str, typescript: str) -> None:
    assert both(text) == (python, typescript)


@pytest.mark.parametrize(
    ("text", "python", "typescript"),
    [
        (
            "this.points.all(p, p > 0)",
            'all(p_ > 0 for p_ in this["points"])',
            "self.points.every((p_: any) => p_ > 0)",
        ),
        (
            "this.names.exists(k, this.names[k] == 'a')",
            'any(this["names"][k_] == "a" for k_ in this["names"])',
            '[...self.names.keys()].some((k_: any) => self.names.get(k_) === "a")',
        ),
        (
            "this.points.exists_one(p, p == 1)",
            'sum(p_ == 1 for p_ in this["points"]) == 1',
            "self.points.filter((p_: any) => p_ === 1).length === 1",
        ),
        (
            "this.points.map(p, p > 1, p + 1).size() == 2",
            'len([p_ + 1 for p_ in this["points"] if p_ > 1]) == 2',
            "self.points.filter((p_: any) => p_ > 1).map((p_: any) => p_ + 1).length === 2",
        ),
        (
            "this.steps.filter(s, s.name != '').size() > 0",
            'len([s_ for s_ in this["steps"] if s_["name"] != ""]) > 0',
            'self.steps.filter((s_: any) => s_.name !== "").length > 0',
        ),
        (
            "this.points.all(p, this.points.exists(p, p > 1) || p > 2)",
            'all(any(p_ > 1 for p_ in this["points"]) or p_ > 2 for p_ in this["points"])',
            "self.points.every((p_: any) => self.points.some((p_: any) => p_ > 1) || p_ > 2)",
        ),
    ],
)
def test_macros_are_loops(text: str, python: str, typescript: str) -> None:
    assert both(text) == (python, typescript)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("1 + 2 * 3 == 7", "True"),
        ("-7 / 2 == -3 && -7 % 3 == -1", "True"),
        ("false && 1 / 0 == 1", "False"),
        ("1 / 0 == 1 || true", "True"),
        ("this.done && true", 'this["done"]'),
        ("'%s-%d'.format(['a', 2]) == 'a-2' ? this.title : ''", 'this["title"]'),
        ("type(this.small) == int && type(this.title) != string", "False"),
        ("dyn(this.small) == 'a'", "False"),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6]", "True"),
        ("[3].exists(x, x in []) || {'a': 1}.a == 1", "True"),
        ("timestamp('1970-01-01T00:00:01Z') == timestamp(1)", "True"),
        ("duration('1.5s') == duration('1500ms')", "True"),
        ("9223372036854775807 + 1 == 0", "_s.cel_int(9223372036854775808) == 0"),
        ("uint([100, -1].map(x, x)[1]) == 0u", "_s.cel_uint(-1) == 0"),
        ("2.5 > double('NaN') || 1.0 / 0.0 == double('inf')", "True"),
    ],
)
def test_what_is_known_is_folded(text: str, python: str) -> None:
    assert both(text)[0] == python


def test_a_pattern_is_named_by_the_module_that_has_its_table() -> None:
    found = rule("this.title.matches('^a+$') || matches(this.note, '^a+$')")
    assert found.patterns == ("^a+$",)
    assert found.python({"^a+$": "A"}) == (
        '_s.cel_matches(this["title"], A) or _s.cel_matches(this["note"] or "", A)'
    )
    assert found.typescript({"^a+$": "A"}) == (
        's.celMatches(self.title, A) || s.celMatches(self.note ?? "", A)'
    )


def test_a_rule_may_answer_with_words() -> None:
    found = rule("this.small > 3 ? '' : 'has %d, %.1f'.format([this.small, this.price])")
    assert found.result == "string"
    assert found.python() == (
        '"" if this["small"] > 3 else '
        '"has " + str(this["small"]) + ", " + _s.cel_fixed(this["price"], 1)'
    )


def test_functions_have_the_parameters_that_they_need() -> None:
    assert rule("this.done").typescript_function() == "(self: any) => self.done"
    assert rule("now > now").typescript_function() == "(self: any, now: bigint) => now > now"
    assert rule("true").typescript_function() == "() => true"
    assert rule("this.done").python_function() == 'lambda this, now: this["done"]'


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("this.start <= this.due && has(this.small)", {"start", "due", "small"}),
        ("this.step.next.name == ''", {"step"}),
        ("this.points.all(p, p > this.small)", {"points", "small"}),
        ("getField(this, 'title') == ''", {"title"}),
        ("false && this.done", set()),
        ("[this].all(t, t.done)", {each.name for each in TASK.fields}),
    ],
)
def test_a_rule_of_a_message_says_what_it_reads(text: str, reads: set[str]) -> None:
    assert rule(text).reads == reads


def test_a_rule_of_a_field_reads_its_value() -> None:
    points = field("points", Kind.INT32, repeated=True)
    found = compile_rule("this.all(k, this[k] == 1 && k > 0)", points, SCHEMA)
    assert not found.reads
    assert found.python() == ("_s.cel_all(this, lambda k_: k_ > 0 and _s.cel_item(this, k_) == 1)")
    counts = field("counts", Kind.INT64, map_key=Kind.INT32)
    assert compile_rule("this.all(k, this[k] == 1)", counts, SCHEMA).typescript() == (
        "[...self.keys()].every((k_: any) => self.get(k_) === 1)"
    )
    assert compile_rule("this > 1", Type(Kind.INT32), SCHEMA).python() == "this > 1"


def test_a_wrapper_is_its_value_in_a_rule_of_its_field() -> None:
    limit = field("limit", Kind.INT32, presence=True, wrapper=True)
    assert compile_rule("this > 1", limit, SCHEMA).python() == "this > 1"


def test_the_same_rule_always_is_the_same_code() -> None:
    text = "this.points.all(p, 10 / p > 1) && this.title in ['a', 'b'] && has(this.step.count)"
    assert len({both(text) for _ in range(5)}) == 1
