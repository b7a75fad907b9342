"""What is broken in the pages of the site.

Knows HTML: links, anchors, and what a page loads. Must not know who made the pages, so that
what is checked is what a reader gets.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

__all__ = ["Page", "parsed", "problems"]

_LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}
"""Elements that fetch something by themselves, and where they say what."""


@dataclass
class Page:
    """What of a page matters here.

    Attributes:
        anchors: what a link can lead to within it.
        links: where its links lead to, as written.
        loads: what it fetches by itself, as written.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)


def parsed(html: str) -> Page:
    """Read a page.

    Example:
        >>> parsed('<h2 id="a">A</h2> <a href="b.html#c">b</a> <img src="d.png">')
        Page(anchors={'a'}, links=['b.html#c'], loads=['d.png'])
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def problems(pages: Mapping[str, str], others: frozenset[str] = frozenset()) -> list[str]:
    """Every link that leads nowhere, and everything that a page loads from elsewhere.

    Args:
        pages: the HTML of each page, by its path in the site.
        others: the paths of all other files in the site.

    Example:
        >>> problems({"a.html": '<a href="b.html#c">b</a>', "b.html": "<p>b</p>"})
        ['a.html: no such heading: b.html#c']
    """
    read = {name: parsed(html) for name, html in pages.items()}
    return [
        f"{name}: {words}: {target}"
        for name, page in read.items()
        for words, target in _wrong(name, page, read, others)
    ]


def _wrong(
    name: str, page: Page, pages: Mapping[str, Page], others: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for target in page.loads:
        if urlsplit(target).netloc:
            yield "needs a network", target
    for target in (*page.links, *page.loads):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        path = _path(name, unquote(parts.path))
        if path in pages:
            if parts.fragment and unquote(parts.fragment) not in pages[path].anchors:
                yield "no such heading", target
        elif path not in others:
            yield "no such file", target


def _path(name: str, target: str) -> str:
    """The file that a link leads to."""
    if not target:
        return name
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target)).lstrip("/")


class _Reader(HTMLParser):
    """Takes note of what matters."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.page.anchors.add(attributes["id"])
        if tag == "a" and "href" in attributes:
            self.page.links.append(attributes["href"])
        source = attributes.get(_LOADED.get(tag, ""))
        if source and "canonical" not in attributes.get("rel", ""):
            self.page.loads.append(source)
