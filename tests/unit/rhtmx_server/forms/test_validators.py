"""Facts about `rhtmx_server.forms.validators`."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rhtmx_server.access.grant import GUEST
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.validators import Function, Validator
from rhtmx_server.verdicts import Invalid, Valid

VALUES = FormValues({"a": ["1"], "b": ["2"]})


def field(function: Function, **options: Any) -> Validator:
    return Validator.of_field("signup", "email", function, **options)


def form(function: Function) -> Validator:
    return Validator.of_form("signup", function)


def test_a_function_of_the_value_gets_the_value() -> None:
    assert field(lambda value: value.upper()).call("x", VALUES, GUEST) == "X"


def test_a_function_with_a_form_parameter_gets_the_form() -> None:
    assert field(lambda value, form: (value, form)).call("x", VALUES, GUEST) == ("x", VALUES)


def test_the_form_parameter_may_be_keyword_only_or_have_a_default() -> None:
    assert field(lambda value, *, form: form).call("x", VALUES, GUEST) == VALUES
    assert field(lambda value, form=None: form).call("x", VALUES, GUEST) == VALUES


def test_the_only_parameter_is_the_value_whatever_its_name() -> None:
    assert field(lambda form: form).call("x", VALUES, GUEST) == "x"


def test_a_check_gets_the_form() -> None:
    assert form(lambda values: values["b"]).call("", VALUES, GUEST) == "2"


def test_it_is_known_whether_a_function_looks_at_the_form() -> None:
    assert not field(lambda value: None).sees_form
    assert field(lambda value, form: None).sees_form
    assert form(lambda values: None).sees_form


def test_methods_and_partials_serve_as_well() -> None:
    class Checks:
        def taken(self, value: str) -> str:
            return value

    assert field(Checks().taken).call("x", VALUES, GUEST) == "x"
    assert (
        field(functools.partial(lambda database, value: value, "db")).call("x", VALUES, GUEST)
        == "x"
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda: None,
        lambda value, database: None,
        lambda value, form, database: None,
        lambda *, value: None,
        lambda **values: None,
    ],
)
def test_other_parameters_are_refused_in_words(function: Function) -> None:
    with pytest.raises(
        TypeError, match=r"signup\.email .*: takes \(value\), and form and who if it wants, not"
    ):
        field(function)


class Checker:
    def __init__(self, value: str) -> None: ...


def generator(value: str) -> Iterator[None]:
    yield


async def stream(value: str) -> AsyncIterator[None]:
    yield


class Generating:
    def __call__(self, value: str) -> Iterator[None]:
        yield


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Checker, "is a class"),
        (generator, "has a `yield`"),
        (stream, "has a `yield`"),
        (Generating(), "has a `yield`"),
        ("email", r"a function that takes .* expected, got 'email'"),
        (None, r"a function that takes .* expected, got None"),
    ],
)
def test_what_would_never_judge_anything_is_refused_in_words(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=rf"signup\.email .*: {words}"):
        field(function)
    with pytest.raises(TypeError, match=rf"signup .*: {words}"):
        form(function)


def test_a_check_with_other_parameters_is_refused_in_words() -> None:
    with pytest.raises(
        TypeError, match=r"signup .*: takes \(form\), and who if it wants, not \(value, form\)"
    ):
        form(lambda value, form: None)


async def is_free(value: str) -> None:
    return None


class AsyncObject:
    async def __call__(self, value: str) -> None:
        return None


def test_a_plain_function_blocks_unless_told_otherwise() -> None:
    assert field(lambda value: None).blocking
    assert not field(lambda value: None, blocking=False).blocking


@pytest.mark.parametrize("function", [is_free, functools.partial(is_free), AsyncObject()])
def test_an_async_function_does_not_block(function: Function) -> None:
    assert not field(function).blocking


def test_an_async_function_that_is_said_to_block_is_refused() -> None:
    with pytest.raises(TypeError, match="is async, so it runs on the event loop"):
        field(is_free, blocking=True)


@pytest.mark.parametrize("timeout", [0, -1, 0.0004, float("nan")])
def test_a_timeout_that_is_no_time_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match=r"timeout: seconds from 0.001 on expected"):
        field(is_free, timeout=timeout)


def test_the_name_for_the_log_tells_form_field_and_function() -> None:
    assert field(is_free).name == "signup.email is_free"


def test_verdicts_carry_what_they_were_given() -> None:
    invalid = Invalid("taken", metadata={"hint": "sign in"}, field="email")
    assert (invalid.message, invalid.metadata, invalid.field) == (
        "taken",
        {"hint": "sign in"},
        "email",
    )
    assert str(invalid) == "taken"
    assert Valid({"strength": 3}).metadata == {"strength": 3}


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (lambda value, who: (value, who), ("x", GUEST)),
        (lambda value, who, form: (value, who, form), ("x", GUEST, VALUES)),
        (lambda value, *, form, who=None: (form, who), (VALUES, GUEST)),
        (lambda who: who, "x"),
    ],
)
def test_a_function_that_wants_to_know_who_asks_is_told(function: Any, answer: Any) -> None:
    assert field(function).call("x", VALUES, GUEST) == answer


def test_a_check_that_wants_to_know_who_asks_is_told() -> None:
    assert form(lambda values, who: (values, who)).call("", VALUES, GUEST) == (VALUES, GUEST)
    assert form(lambda who: who).call("", VALUES, GUEST) == VALUES
