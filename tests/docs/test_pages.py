"""What the pages point to is there: files, headings, options, tasks."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import pytest

from rhtmx_server.cli.table import GROUPS
from rhtmx_server.config import Config
from tests.docs.markdown import (
    GENERATED,
    PAGES,
    ROOT,
    anchors,
    blocks,
    links,
    page,
    prose,
    rows,
    spans,
)

LONG = 40
"""Two lines that begin with as many equal characters say the same."""

OF_UVICORN = {"--root-path", "--ws", "--ws-per-message-deflate"}
"""Options that the pages name and that are not ours."""


def tasks() -> set[str]:
    """The names of the project's tasks."""
    functions = [
        each for each in ast.parse(page("noxfile.py")).body if isinstance(each, ast.FunctionDef)
    ]
    return {
        each.name
        for each in functions
        if any("nox.session" in ast.unparse(decorator) for decorator in each.decorator_list)
    }


@pytest.mark.parametrize("name", [*PAGES, GENERATED])
def test_every_link_leads_somewhere(name: str) -> None:
    for link in links(page(name)):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.is_file(), f"{name}: {link}"  # the site has no page for a folder
        if fragment:
            assert fragment in anchors(target.read_text()), f"{name}: {link}"


@pytest.mark.parametrize("name", PAGES)
def test_no_line_says_the_line_before_again(name: str) -> None:
    """As it does where an older and a newer wording of one sentence have both stayed."""
    lines = [line for line in prose(page(name)).splitlines() if not line.startswith("|")]
    twice = [b for a, b in pairwise(lines) if a[:LONG] == b[:LONG] and len(b) > LONG]
    assert twice == []


def test_the_glossary_has_each_word_once() -> None:
    words = [row["word"] for row in rows(page("docs/glossary.md"), "word", "meaning")]
    assert [word for word, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_path_in_code_exists(name: str) -> None:
    shape = r"(?:tests|docs|proto|codegen|clients|rhtmx_codegen|rhtmx_server)/[\w./-]*"
    for path in (span for span in spans(page(name)) if re.fullmatch(shape, span)):
        assert (ROOT / path).exists(), f"{name}: {path}"


def test_every_module_on_the_walks_of_a_message_exists() -> None:
    """They are named from within their package: the server's, or the client's."""
    walks = page("docs/architecture.md").partition("## The road of one message")[2]
    names = set(re.findall(r"[\w/-]+\.(?:py|ts)\b", walks))
    clients = ROOT / "clients"
    homes = (ROOT / "rhtmx_server", clients / "python" / "rhtmx", clients / "typescript" / "src")
    assert len(names) > 20
    assert [name for name in names if not any((home / name).exists() for home in homes)] == []


def test_every_room_is_described() -> None:
    described = set(spans(page("docs/architecture.md")))
    for package in (ROOT / "rhtmx_server", ROOT / "clients" / "python" / "rhtmx"):
        for room in package.iterdir():
            if (room / "__init__.py").exists() and room.name != "demo":
                assert f"{room.relative_to(ROOT)}/" in described


@pytest.mark.parametrize("name", PAGES)
def test_every_option_exists(name: str) -> None:
    options = {option.flag for option in chain.from_iterable(GROUPS.values())}
    options |= set(re.findall(r'"(--[a-z-]+)"', page("clients/python/rhtmx/cli/parser.py")))
    options |= set(re.findall(r'"(--[a-z-]+)"', page("rhtmx_codegen/command.py")))
    options |= set(re.findall(r'"(--[a-z-]+)"', page("rhtmx_server/cli/copying.py")))
    options |= set(re.findall(r'"(--[a-z-]+)"', page("rhtmx_server/cli/mirroring.py")))
    options |= set(re.findall(r'"(--[a-z-]+)"', page("noxfile.py") + page("release/__main__.py")))
    options |= OF_UVICORN
    bench = set(re.findall(r'"(--[a-z]+)"', page("benchmarks/__main__.py")))
    text = page(name)
    commands = [
        line
        for block in blocks(text)
        for line in block.text.splitlines()
        if re.search(r"rhtmx[-_]server|nox -s serve", line)
    ]
    for code in [*spans(text), *commands]:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code):
            known = bench if code.startswith("nox -s bench") else options
            if program := re.match(r"python -m (tests[\w.]+)", code):
                path = program[1].replace(".", "/")
                found = next(
                    p for p in (f"{path}.py", f"{path}/__main__.py") if (ROOT / p).exists()
                )
                known = set(re.findall(r'"(--[a-z]+)"', page(found)))
            assert option in known | {"--check", "--help"}, f"{name}: {code}"


def test_every_setting_in_a_table_exists() -> None:
    for name in PAGES:
        for row in rows(page(name), "setting"):
            assert row["setting"].strip("`") in Config.__dataclass_fields__


@pytest.mark.parametrize("name", PAGES)
def test_every_task_exists(name: str) -> None:
    for names in re.findall(r"nox -s ((?:[a-z]+ ?)+)", page(name)):
        assert set(names.split()) <= tasks(), f"{name}: {names}"


def test_the_two_commands_are_there_and_the_ci_runs_the_second() -> None:
    readme = page("README.md")
    assert "pip install nox && nox -s codegen serve" in readme
    assert "pip install nox && nox -s tests" in readme
    ci = Path(ROOT / ".ci" / "run").read_text()
    assert "install --quiet nox" in ci
    assert "nox -s tests" in ci
