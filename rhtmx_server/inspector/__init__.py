"""The inspector: a page that shows what an application has, to whoever may read it.

Knows the files of the page, and the parts of it that other pages of ours show, too. Must not know
applications: what is shown, the page asks the server for, as any other client does.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["inspector_pages", "shared_files", "with_inspector"]

_PARTS = ("panel", "templates")


def inspector_pages() -> dict[str, tuple[str, bytes]]:
    """The files of the page: path to content type and body, as `App` takes them."""
    page = with_inspector(_read("inspector.html"))
    return {
        "/inspector": ("text/html; charset=utf-8", page),
        "/inspector.js": ("text/javascript; charset=utf-8", _read("inspector.js")),
        **shared_files(),
    }


def shared_files() -> dict[str, tuple[str, bytes]]:
    """The files that other pages of ours use, too: the styles, and the icon."""
    return {
        "/inspector.css": ("text/css; charset=utf-8", _read("inspector.css")),
        "/inspector.svg": ("image/svg+xml", _read("inspector.svg")),
    }


def with_inspector(page: bytes) -> bytes:
    """Put the inspector's parts into a page, where that has `<!-- inspector: panel -->`.

    Args:
        page: in HTML; it has `<!-- inspector: templates -->`, too.
    """
    for part in _PARTS:
        page = page.replace(f"<!-- inspector: {part} -->".encode(), _read(f"{part}.html").strip())
    return page


@cache
def _read(name: str) -> bytes:
    return files("rhtmx_server.inspector").joinpath("static", name).read_bytes()
