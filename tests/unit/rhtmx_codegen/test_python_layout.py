"""Facts about `rhtmx_codegen.python_layout`."""

from __future__ import annotations

import ast

import pytest

from rhtmx_codegen.python_layout import Call, docstring, flat, keyword, lines_of, quoted

LONG = "x" * 40


def test_what_fits_is_on_one_line() -> None:
    assert lines_of(Call("f(", ["a", Call("[", ["b"], "]")])) == ["f(a, [b])"]
    assert lines_of(Call("f(", [])) == ["f()"]


def test_what_does_not_fit_is_first_put_on_a_line_of_its_own() -> None:
    assert lines_of(Call("function(", [LONG, LONG, "x" * 9])) == [
        "function(",
        f"    {LONG}, {LONG}, {'x' * 9}",
        ")",
    ]


def test_then_each_item_has_its_line() -> None:
    assert lines_of(Call("f(", [LONG, Call("g(", [LONG, LONG, "y" * 30])]), "  ", ";") == [
        "  f(",
        f"      {LONG},",
        "      g(",
        f"          {LONG},",
        f"          {LONG},",
        f"          {'y' * 30},",
        "      ),",
        "  );",
    ]


def test_a_tuple_of_one_has_its_comma() -> None:
    assert flat(Call("(", ["a"])) == "(a,)"
    assert flat(keyword("x", Call("(", ["a"]))) == "x=(a,)"
    assert flat(keyword("x", Call("f(", ["a"]))) == "x=f(a)"
    assert flat(keyword("x", "1")) == "x=1"


@pytest.mark.parametrize(
    "text", ["", 'say "hi"', "it's", "\"'", "a\\b", "\n\t", "é", "\U0001f642", "\ud83d"]
)
def test_a_quoted_text_is_that_text(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text
    assert quoted(text).isprintable()


@pytest.mark.parametrize(
    ("text", "attributes", "lines"),
    [
        ("One.", [], ['    """One."""']),
        ('Ends in "', [], ['    """Ends in " """']),
        ("One.\nline.\n\nTwo.", [], ['    """One. line.', "", "    Two.", '    """']),
        (
            "One.",
            [("a", "what"), ("b", "")],
            ['    """One.', "", "    Attributes:", "        a: what", '    """'],
        ),
    ],
)
def test_a_docstring_says_what_is_said(
    text: str, attributes: list[tuple[str, str]], lines: list[str]
) -> None:
    assert docstring(text, attributes) == lines


@pytest.mark.parametrize("text", ['"""', "\\", '\\"""\\', "word " * 100, '"'])
def test_a_docstring_is_one_whatever_is_said(text: str) -> None:
    source = "\n".join(["def f():", *docstring(text, [("a", text)])])
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    said = " ".join((ast.get_docstring(function) or "").split())
    assert " ".join(text.split()) in said
    assert all(len(line) <= 100 for line in source.splitlines())
