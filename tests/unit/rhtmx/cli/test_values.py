"""Facts about `rhtmx.cli.values`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.values import data, form_values, parse_json, since, where
from rhtmx.messages import Position
from rhtmx.values.form_value import File

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def wrong(call: Any, *arguments: Any) -> str:
    with pytest.raises(CommandError) as raised:
        call(*arguments)
    assert raised.value.status == USAGE
    assert "\n" not in raised.value.message
    return raised.value.message


def test_a_position_is_zero_or_an_epoch_and_a_version() -> None:
    assert since("0") == 0
    assert since("3f9c:41") == Position(epoch="3f9c", version=41)
    assert since("a:b:41") == Position(epoch="a:b", version=41)


@pytest.mark.parametrize("text", ["41", "x", "x:", ":41", "x:-1", "x:1e3", "x:" + "9" * 20, "x:²"])
def test_anything_else_is_no_position(text: str) -> None:
    assert wrong(since, text).startswith(f"--since {text}: ")


def test_a_version_alone_is_told_what_it_lacks() -> None:
    assert "a version alone does not say of which log" in wrong(since, "41")


@given(JSON)
def test_one_json_text_is_the_data(value: Any) -> None:
    assert data([json.dumps(value)]) == value


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), JSON, min_size=1))
def test_pairs_are_the_data(fields: dict[str, Any]) -> None:
    arguments = [
        f"{name}={value}" if isinstance(value, str) else f"{name}:={json.dumps(value)}"
        for name, value in fields.items()
    ]
    assert data(arguments) == fields


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ("a=1", {"a": "1"}),
        ('"a=b"', "a=b"),
        ('{"a": "b=c"}', {"a": "b=c"}),
        ("-5", -5),
        ("90071992547409931", 90071992547409931),
    ],
)
def test_a_pair_is_told_from_json(argument: str, value: Any) -> None:
    assert data([argument]) == value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hello"], "DATA: not JSON at line 1, column 1: expecting value, got hello"),
        (
            ['{"a": 1 "b"}'],
            "DATA: not JSON at line 1, column 9: expecting ',' delimiter, got \"b\"}",
        ),
        (['{"a":\n1 2}'], "DATA: not JSON at line 2, column 3: "),
        (['{"a": 1'], "DATA: not JSON at line 1, column 8: expecting ',' delimiter"),
        ([""], "DATA: a JSON value expected, this is empty"),
        (['{"a": 1, "a": 2}'], "DATA: the key 'a' is there twice"),
        (["[NaN]"], "DATA: JSON has no NaN"),
        (["a:=nope"], "a:=: not JSON at line 1, column 1"),
        (["a=1", "b"], "'b': field=value (a text) or field:=JSON expected"),
        (["a=1", "a:=2"], "'a:=2': the field 'a' is there twice"),
        (["=1"], "'=1': the field's name is missing"),
        ([":=1"], "':=1': the field's name is missing"),
        (["[" * 100_000], "DATA: "),
        (["1" * 5000], "DATA: "),
    ],
)
def test_what_cannot_be_data_is_told_where(arguments: list[str], words: str) -> None:
    assert wrong(data, arguments).startswith(words)


def test_an_error_names_where_the_text_comes_from() -> None:
    assert wrong(parse_json, "{", "task.json").startswith("task.json: not JSON at line 1, column 2")


def test_a_long_wrong_text_is_not_repeated_whole() -> None:
    assert len(wrong(data, ["x" * 10_000])) < 200


def chosen(name: str) -> File:
    if name != "a=1.txt":
        raise CommandError(f"{name} is not there", USAGE)
    return File(name, 3, "text/plain")


def test_values_of_a_form_are_texts_and_a_field_may_have_several() -> None:
    given = ["email=a@b", "tags=red", "note=", "tags=blue"]
    expected = {"email": ["a@b"], "tags": ["red", "blue"], "note": [""]}
    assert form_values(given, chosen) == expected


def test_a_file_is_chosen_with_one_at_sign_and_two_begin_a_text() -> None:
    values = form_values(["a=@a=1.txt", "a=@@ada", "b=@@", "c=a@b"], chosen)
    assert values == {"a": [File("a=1.txt", 3, "text/plain"), "@ada"], "b": ["@"], "c": ["a@b"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["age:=17"], "'age:=17': values of a form are texts: write age=17"),
        (["age"], "'age': field=value"),
        (["=1"], "'=1': the field's name is missing"),
        (["a=@b"], "'a=@b': b is not there (a text that begins with @: @@)"),
        (["a=@"], "'a=@': which file? (a text that begins with @: @@)"),
    ],
)
def test_what_is_no_value_of_a_form_is_told(arguments: list[str], words: str) -> None:
    assert wrong(form_values, arguments, chosen).startswith(words)


def test_a_part_is_read_with_texts_and_json_values() -> None:
    assert where([]) is None
    assert where(["customer=7"]) == {"customer": "7"}
    assert where(["customer=7", "customer=8", "open:=true"]) == {
        "customer": ["7", "8"],
        "open": True,
    }
    assert where(['n:=[1,"2"]', "n=3"]) == {"n": [1, "2", "3"]}
    assert where(["empty="]) == {"empty": ""}


@pytest.mark.parametrize("text", ["customer", "=7", "n:=", "n:=null", "n:={}", "n:=[]", "n:=[[1]]"])
def test_what_is_no_part_is_told(text: str) -> None:
    with pytest.raises(CommandError) as raised:
        where([text])
    assert text.partition("=")[0].rstrip(":") in raised.value.message
    assert raised.value.status == USAGE
