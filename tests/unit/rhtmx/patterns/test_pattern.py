"""A pattern is compiled, or refused before it holds anything up."""

from __future__ import annotations

from time import process_time

import pytest

from rhtmx.patterns.matching import matches
from rhtmx.patterns.pattern import Pattern, compile_pattern
from rhtmx.patterns.problems import PatternError


def test_a_pattern_is_looked_for_anywhere_unless_it_is_to_be_the_whole() -> None:
    assert compile_pattern("b").matches("abc")
    whole = compile_pattern("b|bc", whole=True)
    assert [whole.matches(each) for each in ("b", "bc", "abc", "bcd")] == [True, True, False, False]


def test_the_whole_is_that_of_the_pattern_whatever_its_parentheses_do() -> None:
    with pytest.raises(PatternError, match=r"a \) without a \("):
        compile_pattern("a)(b", whole=True)
    assert not compile_pattern("(?m)^a$", whole=True).matches("a\nb")


def test_flags_hold_from_the_beginning() -> None:
    assert compile_pattern("a.c", flags="is").matches("A\nC")
    assert compile_pattern("^b$", flags="m").matches("a\nb")


def test_a_table_is_all_that_is_needed() -> None:
    pattern = compile_pattern("^a+$")
    assert pattern == Pattern("^a+$", pattern.table)
    assert matches(pattern.table, "aaa")
    assert not matches(pattern.table, "aab")


def test_a_table_needs_no_escapes() -> None:
    table = compile_pattern("(?i)[\\x{0}-\\x{10ffff}&&\"'`]|\\pL{2,30}x|[\\d-z]{1,9}$").table
    assert table.isascii()
    assert table.isprintable()
    assert not {'"', "\\"} & set(table)


def test_two_ways_to_write_a_pattern_have_one_table() -> None:
    assert compile_pattern("^(?:a|b)+$").table == compile_pattern(r"\A[ab][ba]*\z").table
    assert compile_pattern("(a+)+b|ab").table == compile_pattern("ab").table


@pytest.mark.parametrize(
    "pattern",
    [
        "[ab]*a[ab]{20}",
        "(?:a|b|c|d|e){1000}",
        "(?:.{0,30}a){30}",
        r"^\w{3,990}@\w{3,990}@\w{3,990}$",
        "^(?:" + "|".join(f"{chr(0x4E00 + i)}{chr(0x5E00 + i)}" for i in range(300)) + ")$",
        "".join(f"[^\\x{{{200 + i:x}}}]" for i in range(6_000)),
        "a" * 65_536,
        "(" * 65_536,
        "[" * 65_536,
        "a?" * 32_768,
        "(?i)" + "".join(f"[\\x{{{20 + i:x}}}-\\x{{10ffff}}]" for i in range(3_000)),
        "|".join(f"w{number}" for number in range(9_000)),
    ],
    ids=lambda pattern: pattern[:20],
)
def test_what_is_too_large_is_refused_in_seconds(pattern: str) -> None:
    before = process_time()
    with pytest.raises(PatternError):
        compile_pattern(pattern)
    assert process_time() - before < 30, "it takes two or three; a machine may be slow"


def test_a_table_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(PatternError, match=r"a table of .* entries, 2000 and 60000 are allowed"):
        compile_pattern(r"^\w{3,990}@\w{3,990}@\w{3,990}$")
