"""The files that the demo serves.

Knows their paths and types, and that the page has the inspector's parts. Must not know what else
is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from rhtmx_server.inspector import shared_files, with_inspector

__all__ = ["pages"]

_FILES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/demo.css": ("demo.css", "text/css; charset=utf-8"),
    "/demo.js": ("demo.js", "text/javascript; charset=utf-8"),
}


def pages() -> dict[str, tuple[str, bytes]]:
    """Read the files: path to content type and body, as `App` takes them."""
    folder = files("rhtmx_server.demo").joinpath("static")
    own = {
        path: (content_type, with_inspector(folder.joinpath(name).read_bytes()))
        for path, (name, content_type) in _FILES.items()
    }
    return {**own, **shared_files()}
