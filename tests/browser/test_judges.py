"""The judge in Chromium says of the vectors what they say, as in Python and in Node.

All of protovalidate's conformance suite is judged there by `tests.support.protovalidate_suite`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cel_judges import Program
from tests.support.programs import TYPESCRIPT, chromium, node

VECTORS = Path(__file__).parents[1] / "vectors"
DRIVER = Path(__file__).parents[1] / "support" / "random_schemas" / "judging.mjs"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node("esbuild")
    built = tmp_path_factory.mktemp("judges") / "vectors.js"
    command = [str(TYPESCRIPT / "node_modules" / ".bin" / "esbuild"), "--bundle", "--format=iife"]
    source = Path(__file__).with_name("vectors.ts")
    options = ["--target=es2022", "--charset=utf8", "--log-level=error", f"--outfile={built}"]
    subprocess.run([*command, str(source), *options], check=True)
    return built


@pytest.fixture(scope="module")
def page() -> Iterator[Program]:
    """A page of Chromium."""
    program = Program(node("playwright-core"), str(DRIVER), chromium())
    yield program
    program.close()


def test_records_are_judged_in_the_browser_as_the_vectors_say(page: Program, bundle: Path) -> None:
    cases = vectors("judged.json")
    found = page.ask([str(bundle), "records", cases, "0"])
    assert len(found) > 100
    for case, each in zip(cases, found, strict=True):
        assert each == case["found"], f"{case['message']}: {case['name']}"


def test_forms_of_texts_are_judged_in_the_browser_as_the_vectors_say(
    page: Program, bundle: Path
) -> None:
    """Some are ours, most are those of protovalidate's conformance suite."""
    cases = vectors("formats.json") + vectors("formats_conformance.json")["cases"]
    found = page.ask([str(bundle), "texts", cases, "0"])
    assert len(found) > 1_000
    wrong = [case for case, each in zip(cases, found, strict=True) if each is not case["valid"]]
    assert not wrong
