"""The guides show what stands in the examples, which are run in a real browser."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import blocks, page

GUIDES = ("django-htmx", "fastapi-htmx", "grpc-backend", "react", "server-rendering")

SHOWN = ("html", "js", "proto", "python", "ts", "tsx")
"""The languages of what is quoted; what is typed into a terminal is not."""

_NAME = re.compile(r"(?:#|//|<!--) (examples/[\w/.-]+)(?: -->)?")


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_shows_stands_in_its_example(guide: str) -> None:
    quoted = [each for each in blocks(page(f"docs/guides/{guide}.md")) if each.language in SHOWN]
    assert quoted
    for block in quoted:
        first, *lines = block.text.splitlines()
        name = _NAME.fullmatch(first)
        assert name, f"{guide}: which file is this of? {first}"
        assert _stripped(lines) in _stripped(page(name[1]).splitlines()), f"{guide}: {block.text}"


def test_every_guide_has_a_picture_that_its_test_makes() -> None:
    walks = page("tests/examples/walks.mjs")
    for guide in GUIDES:
        assert f"({guide}.png)" in page(f"docs/guides/{guide}.md")
        assert f'"{guide}"' in walks or f'"{guide}.png"' in walks


def _stripped(lines: list[str]) -> str:
    """Lines without their indentation: what is quoted may stand deeper in its file."""
    return "".join(f"{line.strip()}\n" for line in lines)
