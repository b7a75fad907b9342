"""Patterns, their tables, and what they match: `python -m tests.vectors.pattern_cases` writes them.

Which texts match is written by hand here, and a test asks Go, too. A table changes only where the
compiler does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

from rhtmx.patterns.pattern import compile_pattern

__all__ = ["PATTERNS", "TARGET", "PatternCase", "rendered"]

TARGET = Path(__file__).parent / "patterns.json"


class PatternCase(NamedTuple):
    """A pattern, texts that it matches, and texts that it does not."""

    pattern: str
    yes: list[str]
    no: list[str]


EMAIL = (
    r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)

PATTERNS = [
    # Where: anywhere, unless it says so; the end is not the end of a line.
    PatternCase("b+", ["b", "abc", "aabb"], ["", "a", "B"]),
    PatternCase("[a-z]$", ["Rb", "z"], ["bR", "z\n", ""]),
    PatternCase("^[a-z0-9-]{1,12}$", ["a", "a-1", "abcdefghijkl"], ["", "a\n", "a" * 13, "A"]),
    PatternCase("", ["", "x", "\n"], []),
    PatternCase("^$", [""], ["\n", "x"]),
    PatternCase(r"\Aa\z", ["a"], ["a\n", "ba", "aa"]),
    PatternCase("(?m)^b$", ["b", "a\nb\nc", "b\n"], ["ab", "b\r\n"]),
    PatternCase("(?m:^)b|a$", ["a\nb", "xa"], ["a\n", "ab x"]),
    PatternCase("a|^b|c$", ["xa", "b", "xc"], ["xb", "cx"]),
    PatternCase(r"(?m)a$\nb^\n", [], ["a\nb\n"]),
    # Characters: code points, whatever JavaScript counts and Python takes for the end of a line.
    PatternCase("^.{1,5}$", ["\r", "\u2028", "\U0001f642" * 5], ["", "\n", "\U0001f642" * 6]),
    PatternCase("(?s)^.$", ["\n", "\U0001f642"], ["", "\r\n"]),
    PatternCase("^[^a]$", ["\n", "b", "\U0010ffff", "\0"], ["a", "", "bb"]),
    PatternCase("^[\U0001f600-\U0001f64f]+$", ["\U0001f642\U0001f600"], ["\U0001f650", "x"]),
    PatternCase(r"^\x{1F642}\x41\101\0$", ["\U0001f642AA\0"], ["\U0001f642AA", "\U0001f642aA\0"]),
    PatternCase(r"^\Q.*\E.$", [".*x", ".*."], ["ab.", ".*"]),
    PatternCase(r"^[\]\\^-]+$", ["]\\^-"], ["[", "a"]),
    PatternCase("^[]a-]+$", ["]a-"], ["b"]),
    PatternCase(r"[^\x00-\x{10FFFF}]", [], ["", "a", "\n"]),
    # Sets: ASCII, whatever a language takes for a digit or for space.
    PatternCase(r"^\w+$", ["aZ_9"], ["\xe9", "\u011e", "a-b", ""]),
    PatternCase(r"^\d{2,4}$", ["12", "1234"], ["1\uff12", "\u0663\u0664", "1", "12345"]),
    PatternCase(r"^\s*$", ["", " \t\n\f\r"], ["\v", "\xa0", "\u2028", "\x1c", "\x85", "\ufeff"]),
    PatternCase(r"^\S\D\W$", ["\xa0\u0663\xe9", "\va-"], [" ab", "a1-", "aab"]),
    PatternCase("^[[:space:]]+$", ["\v \t"], ["\xa0"]),
    PatternCase("^[[:^alpha:][:punct:]]+$", ["1!-\xe9"], ["a1"]),
    PatternCase(r"^\p{L}+$", ["Zo\xeb", "\u4e2d", "\u0130\u0131"], ["a1", "e\u0301", "_"]),
    PatternCase(r"^\p{Greek}\P{Greek}\pN$", ["\u03c3x\u0663", "\u1f001\xb2"], ["xx1", "\u03c3"]),
    # Either case: simple folding, and of a set that is turned round before it is turned.
    PatternCase("(?i)^[k-s]+$", ["K", "\u017f", "\u212a"], ["t", "\xdf"]),
    PatternCase(r"(?i)^\w$", ["\u017f", "\u212a", "a"], ["\xe9", "-"]),
    PatternCase(r"(?i)^\W$", ["\xe9", "-"], ["\u017f", "\u212a", "K"]),
    PatternCase("(?i)^\u03c3\xe9\u01c5$", ["\u03a3\xc9\u01c4", "\u03c2\xe9\u01c6"], ["\u03a3"]),
    PatternCase("(?i)^stra\xdfe$", ["STRA\u1e9eE", "\u017ftra\xdfe"], ["STRASSE"]),
    PatternCase("(?i)^[i]$", ["I", "i"], ["\u0130", "\u0131"]),
    PatternCase("^a(?i)b(?-i)c(?i:d)e$", ["aBcDe", "abcde"], ["ABcde", "abCde", "abcdE"]),
    PatternCase("^(?i:a|b)c|D$", ["Bc", "xD"], ["BC", "xd"]),
    # Words: ASCII, too.
    PatternCase(r"\bfoo\b", ["foo", "a foo.", "\xe9foo\xe9"], ["food", "_foo", "fo o"]),
    PatternCase(r"\Boo\B", ["fooo", "xoox"], ["foo", "oo", "oox"]),
    PatternCase(r"^\b", ["a", "_-"], ["", "-a", "\xe9"]),
    PatternCase(r"^\B$", [""], ["a", "-"]),
    # Repeats.
    PatternCase("^(a+)+$", ["a", "a" * 100], ["", "a" * 100 + "b"]),
    PatternCase("^(?:ab|a)*?b{2}$", ["bb", "abbb", "aabb"], ["b", "abab"]),
    PatternCase("^(foo|fo+b)*x?$", ["", "foofoobx", "fob"], ["fo", "fox"]),
    PatternCase("^x{0}y{2,}z{0,1}(?:){3}$", ["yy", "yyyz"], ["y", "xyy", "yyzz"]),
    PatternCase("^(?:a{2}){3}$", ["aaaaaa"], ["aaaaa", "aaaaaaa"]),
    PatternCase("^a{1,1000}$", ["a", "a" * 1000], ["", "a" * 1001]),
    PatternCase("^{a}{2,b}{01}$", ["{a}{2,b}{01}"], ["aa", "{a}{2,b}0"]),
    PatternCase("(|a)+b?", ["", "b"], []),
    # What people write.
    PatternCase(EMAIL, ["a@b", "a.b+c@d-e.f"], ["a@b\n", "a@-b.c", "a@b.", "@b", "a b@c"]),
    PatternCase(r"^\d{4}-\d\d-\d\d$", ["2026-11-29"], ["2026-11-9", "2026-11-29 "]),
    PatternCase(r"^[\p{L}\p{M}' -]{1,40}$", ["Zo\xeb O'Brien", "e\u0301"], ["", "a1", "a" * 41]),
    PatternCase("^#?(?:[0-9a-f]{3}){1,2}$", ["#fff", "c0ffee"], ["#ffff", "#ggg"]),
]  # fmt: skip


def rendered() -> str:
    """The text of the vectors."""
    lines = [
        json.dumps(
            {
                "pattern": each.pattern,
                "table": compile_pattern(each.pattern).table,
                "yes": each.yes,
                "no": each.no,
            }
        )
        for each in PATTERNS
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}: written\n")
