"""Reads the pages: fenced blocks, tables, links and words in code.

Knows the little Markdown that the pages use. Must not know what they say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

GENERATED = "docs/protocol.md"
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/access.md",
    "docs/architecture.md",
    "docs/backends.md",
    "docs/clients.md",
    "docs/clustering.md",
    "docs/glossary.md",
    "docs/guarantees.md",
    "docs/guides/asgi.md",
    "docs/guides/data.md",
    "docs/guides/production.md",
    "docs/guides/django.md",
    "docs/guides/fastapi.md",
    "docs/guides/forms-in-your-handlers.md",
    "docs/guides/presence.md",
    "docs/guides/django-htmx.md",
    "docs/guides/fastapi-htmx.md",
    "docs/guides/grpc-backend.md",
    "docs/guides/react.md",
    "docs/guides/mirror.md",
    "docs/guides/testing.md",
    "docs/guides/server-rendering.md",
    "docs/migration.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/schema.md",
    "docs/terminal.md",
    *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs" / "decisions").glob("*.md")),
)
"""The pages that are written by hand."""

_BAR = re.compile(r"(?<!\\)\|")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) (\w[\w.-]*\.\w+)\n")
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: what stands behind the fence.
        text: what is in it.
    """

    language: str
    text: str


def page(name: str) -> str:
    """The text of a page, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, textwrap.dedent(body)) for _, language, body in _FENCE.findall(text)]


def spans(text: str) -> list[str]:
    """What is set in code within the prose of a page."""
    return _SPAN.findall(prose(text))


def links(text: str) -> list[str]:
    """The targets of a page's links and pictures."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """The fragments that a page's headings can be reached by."""
    titles = _HEADING.findall(prose(text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def programs(text: str) -> dict[str, tuple[str, str]]:
    """The programs of a page, by the file name in their first line.

    Blocks of one name are parts of one program.

    Returns:
        For each, its source, and what the `text` blocks right behind its parts
        say that it prints.
    """
    found: dict[str, tuple[str, str]] = {}
    name = None
    for block in blocks(text):
        if file := _FILE.match(block.text):
            name = file[1]
            source, output = found.get(name, ("", ""))
            found[name] = (source + block.text, output)
        elif block.language == "text" and name is not None:
            source, output = found[name]
            found[name] = (source, output + block.text)
            name = None
        else:
            name = None
    return found


def rows(text: str, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of the tables with these columns, and maybe others, as they are written."""
    header: list[str] = []
    for line in prose(text).splitlines():
        if not line.startswith("|"):
            header = []
            continue
        # In a table a bar within code is written `\\|`.
        cells = [cell.strip().replace("\\|", "|") for cell in _BAR.split(line.strip("|"))]
        if not header:
            header = cells
        elif not set(cells[0]) <= set(":-") and set(columns) <= set(header):
            yield dict(zip(header, cells, strict=True))
