"""CEL's grammar."""

import pytest

from rhtmx_codegen.cel.parser import parse
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.syntax import (
    Binary,
    Call,
    Choice,
    Index,
    Literal,
    Name,
    Select,
    Syntax,
    Unary,
)
from tests.unit.rhtmx_codegen.cel.schemas import rule


def shown(node: Syntax) -> str:
    """An expression with all its parentheses."""
    match node:
        case Literal(value=value):
            return repr(value)
        case Name(name=name):
            return name
        case Select(of=of, name=name):
            return f"{shown(of)}.{name}"
        case Index(of=of, key=key):
            return f"{shown(of)}[{shown(key)}]"
        case Unary(sign=sign, of=of):
            return f"({sign}{shown(of)})"
        case Binary(sign=sign, left=left, right=right):
            return f"({shown(left)} {sign} {shown(right)})"
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return f"({shown(condition)} ? {shown(then)} : {shown(otherwise)})"
        case Call(target=target, name=name, arguments=arguments):
            before = f"{shown(target)}." if target else ""
            return f"{before}{name}({', '.join(map(shown, arguments))})"
    return str(node)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a || b && c == d", "(a || (b && (c == d)))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a < b == c", "((a < b) == c)"),
        ("!a.b[c].d(e)", "(!a.b[c].d(e))"),
        ("!!a", "a"),
        ("--a", "a"),
        ("---a", "(-a)"),
        ("-5 + - 5", "(-5 + -5)"),
        ("-2.5.isNan()", "-2.5.isNan()"),
        ("- -5", "5"),
        ("a in b + c", "(a in (b + c))"),
        ("a // words\n && b", "(a && b)"),
        ("a.`b-c.d`", "a.b-c.d"),
        (".a.b", "a.b"),
        ("(a || b) && c", "((a || b) && c)"),
    ],
)
def test_operators_bind_as_in_the_specification(text: str, means: str) -> None:
    assert shown(parse(text)) == means


@pytest.mark.parametrize(
    "text",
    [
        *("", "a +", "(a", "a)", "a b", "a ? b", "[1", "{1: }", "f(a,)", "f(,a)", "a.", "a..b"),
        *(
            "for",
            "a && while",
            "!-a",
            "-!a",
            "a[?b]",
            "a.1",
            "'a",
            '"a\nb"',
            "#",
            "a ? b ? c : d : e",
        ),
        *(
            "1.",
            "0x",
            "9223372036854775808",
            "18446744073709551616u",
            "--9223372036854775808",
            "'\\q'",
            "'\\ud800'",
            "b'\\u0041'",
        ),
    ],
)
def test_what_is_no_cel_is_refused(text: str) -> None:
    with pytest.raises(NotInSubset):
        parse(text)


def test_deep_nesting_is_refused_and_no_recursion_error() -> None:
    for text in ("(" * 5000 + "a" + ")" * 5000, "[" * 5000, "a" + ".b" * 5 + "[a" * 3000):
        with pytest.raises(NotInSubset):
            parse(text)


def test_a_chain_may_be_long_but_not_endless() -> None:
    parse(" && ".join(["a"] * 200))
    with pytest.raises(NotInSubset, match="several rules"):
        parse(" && ".join(["a"] * 5000))
    with pytest.raises(NotInSubset):
        rule("this.done" + " && this.done" * 5000)
    assert rule("this.title.size() > 0" + " && this.done" * 100).reads == {"title", "done"}


def test_words_say_what_stands_where_it_should_not() -> None:
    with pytest.raises(NotInSubset) as caught:
        parse("this.a ==")
    assert caught.value.words == "unexpected end of the rule"
    assert caught.value.offset == 9


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("12u", 12),
        ("0xFFu", 255),
        ("-9223372036854775808", -(2**63)),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("'a\\x41\\u00e9\\U0001f642\\101\\n'", "aAé\U0001f642A\n"),
        ("'\\a\\b\\f\\r\\t\\v\\?\\`\\\\\\''", "\a\b\f\r\t\v?`\\'"),
        ("r'a\\n'", "a\\n"),
        ("'''a'b\n\"c'''", "a'b\n\"c"),
        ('"""a\r\nb"""', "a\nb"),
        ("b'\\xff\\377a\\né'", b"\xff\xffa\n\xc3\xa9"),
        ("rb'\\xff'", b"\\xff"),
        ("bR'a'", b"a"),
        ("''", ""),
        ("''''''", ""),
        ("b''", b""),
        ("true", True),
        ("null", None),
    ],
)
def test_literals_are_worth_what_the_specification_says(text: str, value: object) -> None:
    found = parse(text)
    assert isinstance(found, Literal)
    assert found.value == value
    assert type(found.value) is type(value)
