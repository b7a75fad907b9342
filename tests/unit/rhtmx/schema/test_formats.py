"""Facts about `rhtmx.schema.formats`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rhtmx.schema import formats
from rhtmx_server.forms.rules import url

VECTORS = Path(__file__).parents[3] / "vectors"
OWN: list[dict[str, Any]] = json.loads((VECTORS / "formats.json").read_text())
SUITE: list[dict[str, Any]] = json.loads((VECTORS / "formats_conformance.json").read_text())[
    "cases"
]


def named(case: dict[str, Any]) -> str:
    return f"{case['function']}{case['arguments']} {ascii(case['text'])[:40]}"


@pytest.mark.parametrize("name", formats.__all__)
def test_every_function_has_vectors_of_both_verdicts(name: str) -> None:
    assert {case["valid"] for case in OWN + SUITE if case["function"] == name} == {True, False}


@pytest.mark.parametrize("case", OWN, ids=named)
def test_a_text_is_judged_as_the_vector_says(case: dict[str, Any]) -> None:
    judge = getattr(formats, case["function"])
    assert judge(case["text"], *case["arguments"]) is case["valid"]


@pytest.mark.parametrize("name", sorted({case["function"] for case in SUITE}))
def test_the_verdicts_are_those_of_the_conformance_suite_of_protovalidate(name: str) -> None:
    cases = [case for case in SUITE if case["function"] == name]
    judge = getattr(formats, name)
    assert [
        case for case in cases if judge(case["text"], *case["arguments"]) is not case["valid"]
    ] == []


@pytest.mark.parametrize(
    "case",
    [each for each in OWN if each["function"] == "is_web_url"],
    ids=lambda c: ascii(c["text"]),
)
def test_the_rule_of_a_form_takes_what_is_a_web_url_with_space_around_it(
    case: dict[str, Any],
) -> None:
    assert (url(f" {case['text']} ") is None) is formats.is_web_url(case["text"].strip())


@pytest.mark.parametrize(
    "text", ["http://[v1.a]", "http://[::1%a[b]", "http://[a]@h", "http://[::1]x", "http://x[::1]"]
)
def test_a_web_url_that_no_browser_opens_is_none(text: str) -> None:
    assert formats.is_web_url(text) is False


LONG = 200_000


@pytest.mark.parametrize("name", formats.__all__)
@pytest.mark.parametrize(
    "text",
    [
        "a" * LONG,
        "a." * LONG,
        "a" * LONG + "@",
        "a@" + "a-" * LONG,
        "a@" + "a." * LONG + "!",
        "a:" * LONG + " ",
        ":" * LONG,
        "a:" + "%41" * LONG + "%",
        "//" + "@" * LONG,
        "http://" + "a." * LONG + "!",
        "http://h:" + "0" * LONG,
        "[" * LONG,
        "0" * LONG + "/" + "0" * LONG,
        "::1%" + "a" * LONG,
        "1:" * LONG,
    ],
    ids=lambda text: f"{text[:8]}…",
)
def test_a_long_text_takes_no_longer_than_its_length(name: str, text: str) -> None:
    began = time.perf_counter()
    getattr(formats, name)(text, *([True] if name == "is_host_and_port" else []))
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("name", ["is_ip", "is_ip_prefix"])
def test_the_version_of_an_address_is_either_unless_one_is_asked_for(name: str) -> None:
    judge = getattr(formats, name)
    end = "/8" if name == "is_ip_prefix" else ""
    assert [judge(f"1.2.3.4{end}", version) for version in (0, 4, 6)] == [True, True, False]
    assert [judge(f"::1{end}", version) for version in (0, 4, 6)] == [True, False, True]
