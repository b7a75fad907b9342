"""Which files the site is made from.

Knows links of Markdown pages, and where the pages lie. Must not know how pages look: the
site's tools do. A page keeps its place, so that its links lead to the same files in the
repository, on GitHub and on the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

__all__ = ["ROOTS", "adapted", "linked", "reachable"]

ROOTS = ("README.md", "docs/protocol.md")
"""Where reading begins; the other pages are linked from there."""

_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_NUMBERED = re.compile(r"(\]\([^)\s]*#(?!property-|type-parameter-)[\w-]+)-(\d+)\)")
_LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")


def linked(name: str, text: str) -> list[str]:
    """The files that a page links to, by their paths in the repository.

    Args:
        name: the path of the page.
        text: what is in it.

    Example:
        >>> linked("docs/clients.md", "[back](../README.md#tests), [away](https://example.com)")
        ['README.md']
    """
    targets = [link.partition("#")[0] for link in _LINK.findall(_FENCE.sub("", text))]
    folder = posixpath.dirname(name)
    return [
        posixpath.normpath(posixpath.join(folder, target))
        for target in targets
        if target and "://" not in target
    ]


def reachable(roots: tuple[str, ...], read: Callable[[str], str]) -> list[str]:
    """Every file that can be reached from some pages, these included.

    Args:
        roots: the paths of the pages.
        read: gives the text of a page by its path.

    Example:
        >>> pages = {"a.md": "[b](b.md)", "b.md": "[a](a.md) ![c](c.svg)"}
        >>> reachable(("a.md",), pages.__getitem__)
        ['a.md', 'b.md', 'c.svg']
    """
    found = dict.fromkeys(roots)
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if not name.endswith(".md"):
            continue
        for target in linked(name, read(name)):
            if target not in found:
                found[target] = None
                waiting.append(target)
    return sorted(found)


def adapted(text: str) -> str:
    r"""A page of typedoc-plugin-markdown 4.14, which writes for GitHub, for Python-Markdown 3.11.

    Of several headings of one name on a page, the one numbers the anchors with a hyphen, the
    other with an underscore (its extension `toc`). Anchors in tables are the plugin's own,
    `<a id="property-…">`, and stay. The other does not know an escaped `<`.

    Example:
        >>> adapted(r"[`Row`](client.md#row-1)\<`T`\> [`Stop`](#stop)")
        '[`Row`](client.md#row_1)&lt;`T`&gt; [`Stop`](#stop)'
    """
    return _NUMBERED.sub(r"\1_\2)", text).replace(r"\<", "&lt;").replace(r"\>", "&gt;")
