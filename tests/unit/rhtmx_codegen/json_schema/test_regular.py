"""Facts about `rhtmx_codegen.json_schema.regular`."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess

import pytest

from rhtmx.patterns.pattern import compile_pattern
from rhtmx_codegen.json_schema.regular import pattern_of

CASES = {
    r"^[a-z0-9-]{1,12}$": r"^[\-0-9a-z]{1,12}$",
    r"\d\w\s": r"[0-9][0-9A-Z_a-z][\x09\x0a\x0c\x0d ]",
    r"^.{2,}$": r"^[^\x0a]{2,}$",
    r"(?s)a.b": r"a[\s\S]b",
    r"(?i)k": "[Kk\u212a]",
    r"(a|b)c?|d": r"(?:a|b)c?|d",
    r"(?:a*)*": r"(?:a*)*",
    r"\Qa.b{\E": r"a\.b\{",
    r"[\]\[^-]": r"[\-\[\]\^]",
    r"\x{e9}\/": "\u00e9\\/",
    r"a{3}b{0,2}": r"a{3}b{0,2}",
    r"[^\n]": r"[^\x0a]",
}
NONE = [r"\bword", r"\Bx", r"(?m)^a", r"(?m)a$", "\U0001f600", "[\U0001f600-\U0001f64f]", r"\p{L}"]


@pytest.mark.parametrize("given", CASES)
def test_a_pattern_is_written_so_that_all_read_the_same(given: str) -> None:
    assert pattern_of(given) == CASES[given]


@pytest.mark.parametrize("given", NONE)
def test_what_is_read_in_different_ways_is_not_written(given: str) -> None:
    compile_pattern(given)
    assert pattern_of(given) is None


def texts(seed: int, count: int) -> list[str]:
    chosen = random.Random(seed)
    letters = "aAbBcd019-_.{]^/\\ \t\r\x0b\x85\u00e9\u212a\u017f\u2028\u00a0\U0001f600"
    return ["", *("".join(chosen.choices(letters, k=chosen.randint(1, 5))) for _ in range(count))]


def test_it_means_to_python_and_to_re2_what_it_meant() -> None:
    for given, written in CASES.items():
        before, after, python = (
            compile_pattern(given),
            compile_pattern(written),
            re.compile(written),
        )
        for text in texts(1, 300):
            assert before.matches(text) == after.matches(text), (given, text)
            assert before.matches(text) == (python.search(text) is not None), (given, text)


def test_it_means_to_a_browser_what_it_meant() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not there")
    rows = [[CASES[given], text] for given in CASES for text in texts(2, 300)]
    program = """
      let said = "";
      process.stdin.on("data", (each) => { said += each; }).on("end", () => {
        const found = JSON.parse(said).map(([each, text]) => new RegExp(each, "u").test(text));
        process.stdout.write(JSON.stringify(found));
      });
    """
    ended = subprocess.run(
        [node, "-e", program], input=json.dumps(rows), capture_output=True, text=True, check=True
    )
    wanted = [compile_pattern(given).matches(text) for given in CASES for text in texts(2, 300)]
    assert json.loads(ended.stdout) == wanted
